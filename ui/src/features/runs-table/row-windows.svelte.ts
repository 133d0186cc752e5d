/**
 * The rows of one search, fetched in windows as they come into sight. What is shown stays until something better is here.
 * Commands (open, want, changed) may stand in effects: they depend on nothing.
 */

import { untrack } from "svelte";
import { ApiError, isAbort, post } from "../../api/client.ts";
import type { RunRow, RunSearch, RunSearchAnswer } from "../../api/shapes.ts";

export const WINDOW_ROWS = 100;
const MAX_WINDOWS = 80;
const BY_ID_MAX = 200;
const SCROLL_WAIT_MS = 60;
const LIVE_WAIT_MS = 400;

export interface RowQuery {
  filter: string;
  order: readonly string[];
  /** Name of the one experiment, or null for all. */
  experiment: string | null;
  archived: boolean;
}

export type Search = (body: RunSearch, signal: AbortSignal) => Promise<RunSearchAnswer>;

const searchRuns: Search = (body, signal) => post<RunSearchAnswer>("/runs/search", body, { signal });

export function searchOf(query: RowQuery): RunSearch {
  return { ...scopeOf(query), ...(query.order.length ? { order_by: [...query.order] } : {}) };
}

/** Which runs, in whatever order. */
export function scopeOf(query: RowQuery): Pick<RunSearch, "filter" | "experiments" | "lifecycle_stage"> {
  return {
    ...(query.filter ? { filter: query.filter } : {}),
    ...(query.experiment === null ? {} : { experiments: [query.experiment] }),
    ...(query.archived ? { lifecycle_stage: "deleted" as const } : {}),
  };
}

export function quotedText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

export function idFilter(runIds: readonly string[]): string {
  return `run_id in (${runIds.map(quotedText).join(", ")})`;
}

/** Runs by their ids, whatever their place in life. */
export async function rowsById(runIds: readonly string[], search: Search, signal: AbortSignal): Promise<RunRow[]> {
  const rows: RunRow[] = [];
  for (let at = 0; at < runIds.length; at += BY_ID_MAX) {
    const part = runIds.slice(at, at + BY_ID_MAX);
    const answer = await search({ filter: idFilter(part), lifecycle_stage: "all", limit: part.length }, signal);
    rows.push(...answer.runs);
  }
  return rows;
}

export class RowWindows {
  #search: Search;
  #query: RowQuery | null = null;
  #windows = $state.raw<ReadonlyMap<number, readonly RunRow[]>>(new Map());
  #total = $state<number | null>(null);
  #error = $state.raw<ApiError | null>(null);
  #loading = $state(false);
  #newRuns = $state(0);
  #flights = new Map<number, AbortController>();
  #opening: AbortController | null = null;
  #updating: AbortController | null = null;
  #range: [number, number] = [0, WINDOW_ROWS];
  #rangeTimer: ReturnType<typeof setTimeout> | undefined;
  #liveTimer: ReturnType<typeof setTimeout> | undefined;
  #changed = new Set<string>();
  #changedUnknown = false;
  /** Said by the table: the top is in sight and new runs belong there. */
  followsTop: () => boolean = () => false;

  constructor(search: Search = searchRuns) {
    this.#search = search;
  }

  /** null before the first answer. */
  get total(): number | null {
    return this.#total;
  }

  get error(): ApiError | null {
    return this.#error;
  }

  /** An answer to a new question is on its way; the rows are those of the question before. */
  get loading(): boolean {
    return this.#loading;
  }

  /** How many more (or fewer) runs match than are shown. */
  get newRuns(): number {
    return this.#newRuns;
  }

  get first(): readonly RunRow[] {
    return this.#windows.get(0) ?? [];
  }

  /** All rows that are here, in windows. */
  get windows(): ReadonlyMap<number, readonly RunRow[]> {
    return this.#windows;
  }

  at(index: number): RunRow | undefined {
    return this.#windows.get(Math.floor(index / WINDOW_ROWS))?.[index % WINDOW_ROWS];
  }

  find(runId: string): RunRow | undefined {
    for (const rows of this.#windows.values()) for (const row of rows) if (row.run_id === runId) return row;
    return undefined;
  }

  /** Ask a new question. */
  open(query: RowQuery): void {
    this.#query = query;
    this.#range = [0, WINDOW_ROWS];
    untrack(() => void this.#load([0], false));
  }

  /** The same question again: what is in sight, and the total. */
  refresh(): Promise<void> {
    return this.#load(this.#windowsInSight(), true);
  }

  close(): void {
    clearTimeout(this.#rangeTimer);
    clearTimeout(this.#liveTimer);
    this.#opening?.abort();
    this.#updating?.abort();
    for (const flight of this.#flights.values()) flight.abort();
    this.#flights.clear();
  }

  /** Rows first to end are in sight. While somebody scrolls fast, only where they stop is fetched. */
  want(first: number, end: number): void {
    this.#range = [first, end];
    clearTimeout(this.#rangeTimer);
    const missing = untrack(() => this.#windowsInSight().some((one) => !this.#windows.has(one) && !this.#flights.has(one)));
    if (missing) this.#rangeTimer = setTimeout(() => this.#fill(), SCROLL_WAIT_MS);
  }

  /** The live feed says that these runs changed. */
  changed(runIds: readonly string[], isComplete: boolean): void {
    for (const id of runIds) this.#changed.add(id);
    if (!isComplete) this.#changedUnknown = true;
    this.#liveTimer ??= setTimeout(() => void this.#update(), LIVE_WAIT_MS);
  }

  #windowsInSight(): number[] {
    const [first, end] = this.#range;
    const last = Math.max(0, (this.#total ?? 1) - 1);
    const low = Math.floor(Math.max(0, Math.min(first, last)) / WINDOW_ROWS);
    const high = Math.floor(Math.min(Math.max(first, end - 1), last) / WINDOW_ROWS);
    return Array.from({ length: high - low + 1 }, (_, at) => low + at);
  }

  #idsInSight(): string[] {
    return this.#windowsInSight().flatMap((one) => (this.#windows.get(one) ?? []).map((row) => row.run_id));
  }

  async #load(windows: number[], isRefresh: boolean): Promise<void> {
    const query = this.#query;
    if (!query) return;
    this.#opening?.abort();
    for (const flight of this.#flights.values()) flight.abort();
    this.#flights.clear();
    const controller = new AbortController();
    this.#opening = controller;
    if (!isRefresh) this.#loading = true;
    try {
      const answers = await Promise.all(windows.map((one) => this.#ask(query, one, controller.signal)));
      this.#windows = new Map(answers.map((answer, at) => [windows[at] ?? 0, answer.runs]));
      this.#total = answers[0]?.total ?? 0;
      this.#newRuns = 0;
      this.#error = null;
      this.#loading = false;
      this.#fill();
    } catch (error) {
      if (isAbort(error)) return;
      this.#error = error instanceof ApiError ? error : new ApiError(0, { code: "unknown", detail: String(error) });
      this.#loading = false;
    }
  }

  #ask(query: RowQuery, window: number, signal: AbortSignal): Promise<RunSearchAnswer> {
    // In the order "newest first" every run that came since has moved the others down by one.
    const moved = query.order.length === 0 ? Math.max(0, this.#newRuns) : 0;
    const offset = window * WINDOW_ROWS + (this.#loading || window === 0 ? 0 : moved);
    return this.#search({ ...searchOf(query), limit: WINDOW_ROWS, offset }, signal);
  }

  #fill(): void {
    const query = this.#query;
    if (!query || this.#loading) return;
    const wanted = this.#windowsInSight();
    for (const [window, flight] of this.#flights) {
      if (wanted.includes(window)) continue;
      flight.abort();
      this.#flights.delete(window);
    }
    for (const window of wanted) {
      if (this.#windows.has(window) || this.#flights.has(window)) continue;
      const flight = new AbortController();
      this.#flights.set(window, flight);
      this.#ask(query, window, flight.signal).then(
        (answer) => {
          if (this.#flights.get(window) !== flight) return;
          this.#flights.delete(window);
          this.#keep(window, answer.runs);
        },
        (error: unknown) => {
          if (this.#flights.get(window) === flight) this.#flights.delete(window);
          if (!isAbort(error) && error instanceof ApiError) this.#error = error;
        },
      );
    }
  }

  #keep(window: number, rows: readonly RunRow[]): void {
    const next = new Map(this.#windows).set(window, rows);
    if (next.size > MAX_WINDOWS) {
      const middle = (this.#range[0] + this.#range[1]) / 2 / WINDOW_ROWS;
      const far = [...next.keys()].filter((one) => one !== 0).sort((a, b) => Math.abs(b - middle) - Math.abs(a - middle));
      for (const one of far.slice(0, next.size - MAX_WINDOWS)) next.delete(one);
    }
    this.#windows = next;
  }

  /** Rows change where they stand; none moves under the cursor. */
  async #update(): Promise<void> {
    const query = this.#query;
    const changed = [...this.#changed];
    const unknown = this.#changedUnknown;
    this.#changed.clear();
    this.#changedUnknown = false;
    const controller = new AbortController();
    this.#updating = controller;
    try {
      if (!query || this.#loading || this.#total === null) return;
      const shown = unknown ? this.#idsInSight() : changed.filter((id) => this.find(id) !== undefined);
      // Counted also when only rows in sight changed: one may have been put away, or match no longer.
      const [rows, counted] = await Promise.all([
        shown.length ? rowsById(shown, this.#search, controller.signal) : [],
        this.#search({ ...searchOf(query), limit: 0 }, controller.signal),
      ]);
      if (query !== this.#query) return;
      if (rows.length) this.#replace(new Map(rows.map((row) => [row.run_id, row])));
      if (counted.total !== this.#total) {
        if (this.followsTop()) await this.refresh();
        else this.#newRuns = counted.total - this.#total;
      }
    } catch (error) {
      if (!isAbort(error) && !(error instanceof ApiError)) throw error;
    } finally {
      this.#liveTimer = undefined;
      if (this.#changed.size || this.#changedUnknown) this.changed([], !this.#changedUnknown);
    }
  }

  #replace(rows: ReadonlyMap<string, RunRow>): void {
    const next = new Map<number, readonly RunRow[]>();
    for (const [window, old] of this.#windows) {
      next.set(window, old.some((row) => rows.has(row.run_id)) ? old.map((row) => rows.get(row.run_id) ?? row) : old);
    }
    this.#windows = next;
  }
}
