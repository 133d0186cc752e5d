/** What a panel works out from its runs, and what it remembers in this browser. */

import type { ChartRun } from "./tracks.ts";

/** The metrics of any of the runs. */
export function metricsOf(runs: readonly ChartRun[]): string[] {
  const names = new Set<string>();
  for (const run of runs) for (const name in run.metrics) names.add(name);
  return [...names];
}

/** Among the numbers of runs: of the last change that did not say which runs it touched. */
export const ANY_RUN = "*"; // no run id begins so

/**
 * The runs to fetch again, now that `after` is the number of the newest change: those that changed later than `before`; without
 * `changes` all that run. A change of status counts too, since it may be the only word of a run's end.
 */
export function changedSince(
  runs: readonly ChartRun[],
  before: number,
  after: number,
  changes: ReadonlyMap<string, number> | undefined,
  statuses: ReadonlyMap<string, string>,
): string[] {
  return runs
    .filter(({ run_id: id, status }) => {
      const earlier = statuses.get(id);
      if (earlier !== undefined && earlier !== status) return true;
      // What is drawn for the first time is fetched anyway.
      if (earlier === undefined || after <= before) return false;
      return changes ? Math.max(changes.get(id) ?? 0, changes.get(ANY_RUN) ?? 0) > before : status === "running";
    })
    .map(({ run_id }) => run_id);
}

const KEY = "lineal.charts.closed";
const REMEMBERED_MAX_COUNT = 200;

export function closedSections(): Set<string> {
  try {
    const names: unknown = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return new Set(Array.isArray(names) ? names.filter((name): name is string => typeof name === "string") : []);
  } catch {
    return new Set(); // storage is forbidden here, or holds something else
  }
}

export function setClosed(section: string, isClosed: boolean): void {
  const names = closedSections();
  names.delete(section);
  if (isClosed) names.add(section);
  try {
    localStorage.setItem(KEY, JSON.stringify([...names].slice(-REMEMBERED_MAX_COUNT)));
  } catch {
    // not kept; it still holds for this page
  }
}
