/** The filters used last in this browser, newest first. */

const KEY = "lineal.filters";
const MAX_RECENT = 8;

export function recentFilters(): string[] {
  try {
    const list: unknown = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(list) ? list.filter((one): one is string => typeof one === "string").slice(0, MAX_RECENT) : [];
  } catch {
    return [];
  }
}

export function rememberFilter(text: string): void {
  const filter = text.trim();
  if (filter === "") return;
  try {
    localStorage.setItem(KEY, JSON.stringify([filter, ...recentFilters().filter((one) => one !== filter)].slice(0, MAX_RECENT)));
  } catch {
    // no storage: nothing is remembered
  }
}
