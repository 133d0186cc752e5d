/** What the table is sorted by: a list of columns, each up or down. Empty: newest first. */

export interface Sort {
  id: string;
  descending: boolean;
}

const LOWER_IS_BETTER = /loss|error|perplexity|rmse|mae|mse|latency|time/i;

export function parseSorts(items: readonly string[]): Sort[] {
  return items.map((item) => {
    const match = /^(.*?)(?: (asc|desc))?$/s.exec(item);
    return { id: match?.[1] ?? item, descending: match?.[2] === "desc" };
  });
}

/** As the server's order_by and the address have it. */
export function sortTexts(sorts: readonly Sort[]): string[] {
  return sorts.map((one) => (one.descending ? `${one.id} desc` : one.id));
}

/** The direction of the first click: the best, newest or longest first, names from A. */
export function firstDescending(id: string): boolean {
  if (id.startsWith("metrics.")) return !LOWER_IS_BETTER.test(id.slice("metrics.".length));
  return id === "start_time" || id === "end_time" || id === "duration";
}

/** A click goes first direction, other direction, unsorted. `add` (shift) keeps the other keys. */
export function clickSort(sorts: readonly Sort[], id: string, add: boolean): Sort[] {
  const first = firstDescending(id);
  const index = sorts.findIndex((one) => one.id === id);
  const current = index < 0 ? undefined : sorts[index];
  const next: Sort | null = current === undefined ? { id, descending: first } : current.descending === first ? { id, descending: !first } : null;
  if (!add) return next === null || (current !== undefined && sorts.length > 1) ? (next ? [next] : []) : [next];
  if (index < 0) return next ? [...sorts, next] : [...sorts];
  return sorts.flatMap((one, at) => (at !== index ? [one] : next ? [next] : []));
}

export function setSort(id: string, descending: boolean): Sort[] {
  return [{ id, descending }];
}
