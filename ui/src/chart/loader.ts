/**
 * Series for charts: what several charts need is asked for in few requests, kept, and asked again only for runs that changed.
 * Knows nothing of the framework; the clock and the network are given.
 */

import { bytesOf, type Series } from "../api/series.ts";

export type StepRange = readonly [min: number, max: number];

export interface Want {
  metric: string;
  runIds: readonly string[];
  /** null: the whole series. */
  range: StepRange | null;
  maxPoints: number;
}

export interface Ask {
  run_ids: string[];
  metrics: string[];
  max_points: number;
  step_min?: number;
  step_max?: number;
}

export interface Have {
  series: Series[];
  /** Runs that nothing is known of yet. */
  missingCount: number;
  error: string | null;
}

export interface LoaderOptions {
  ask: (body: Ask, signal: AbortSignal) => Promise<Series[]>;
  errorText: (error: unknown) => string;
  after?: (ms: number, run: () => void) => void;
  now?: () => number;
  /** Kept series are dropped, longest unused first, beyond this. */
  budgetBytes?: number;
}

interface Entry {
  series: Series[];
  version: number;
  bytes: number;
}

interface Flight {
  group: string;
  metrics: Set<string>;
  versions: Map<string, number>;
  controller: AbortController;
}

interface Owner {
  want: Want;
  notify: () => void;
}

const SERIES_PER_REQUEST = 240;
const RUNS_PER_REQUEST = 500; // the server's bound
const FLIGHTS_MAX_COUNT = 3; // browsers open six connections a host, and one holds the live updates
const REFRESH_INTERVAL_MS = 300;
const BUDGET_BYTES = 160e6;

export class SeriesLoader {
  readonly #options: Required<LoaderOptions>;
  /** By group (range and points), then metric and run. */
  readonly #entries = new Map<string, Entry>();
  readonly #versions = new Map<string, number>();
  readonly #owners = new Map<string, Owner>();
  readonly #flights = new Set<Flight>();
  readonly #errors = new Map<string, string>();
  #bytes = 0;
  #flushAt: number | null = null;
  #lastRefresh = -Infinity;

  constructor(options: LoaderOptions) {
    this.#options = {
      after: (ms, run) => void setTimeout(run, ms),
      now: () => performance.now(),
      budgetBytes: BUDGET_BYTES,
      ...options,
    };
  }

  /** What `owner` needs from now on; `notify` is called whenever `get` would answer otherwise. */
  want(owner: string, want: Want, notify: () => void): void {
    const before = this.#owners.get(owner)?.want;
    this.#owners.set(owner, { want, notify });
    if (before && sameWant(before, want)) return;
    this.#errors.delete(errorKey(want));
    this.#plan(0);
  }

  drop(owner: string): void {
    if (this.#owners.delete(owner)) this.#plan(0);
  }

  /** What is known by now; older data of a run that changed counts as known. */
  get(want: Want): Have {
    const group = groupOf(want);
    const series: Series[] = [];
    let missingCount = 0;
    for (const runId of want.runIds) {
      const key = entryKey(group, want.metric, runId);
      const entry = this.#entries.get(key);
      if (!entry) {
        missingCount += 1;
        continue;
      }
      this.#entries.delete(key); // to the end: used last
      this.#entries.set(key, entry);
      series.push(...entry.series);
    }
    return { series, missingCount, error: this.#errors.get(errorKey(want)) ?? null };
  }

  /** These runs have changed: their wanted series are asked for again, a few times a second at most. */
  changed(runIds: Iterable<string>): void {
    let any = false;
    for (const runId of runIds) {
      this.#versions.set(runId, (this.#versions.get(runId) ?? 0) + 1);
      any = true;
    }
    if (!any) return;
    this.#errors.clear(); // what changes lives: what failed may work again
    this.#plan(Math.max(0, this.#lastRefresh + REFRESH_INTERVAL_MS - this.#options.now()));
  }

  /** Ask again for what failed. */
  retry(): void {
    this.#errors.clear();
    this.#plan(0);
    this.#notifyAll();
  }

  close(): void {
    this.#owners.clear();
    for (const flight of this.#flights) flight.controller.abort();
    this.#flights.clear();
  }

  #plan(ms: number): void {
    const at = this.#options.now() + ms;
    if (this.#flushAt !== null && this.#flushAt <= at) return;
    this.#flushAt = at;
    this.#options.after(ms, () => {
      if (this.#flushAt !== at) return;
      this.#flushAt = null;
      this.#flush();
    });
  }

  #flush(): void {
    this.#abortUnwanted();
    for (const { ask, group, isRefresh } of this.#asks()) {
      if (this.#flights.size >= FLIGHTS_MAX_COUNT) return; // the end of a flight flushes again
      if (isRefresh) this.#lastRefresh = this.#options.now();
      void this.#send(ask, group);
    }
  }

  #abortUnwanted(): void {
    for (const flight of this.#flights) {
      const isWanted = [...this.#owners.values()].some(
        ({ want }) => groupOf(want) === flight.group && flight.metrics.has(want.metric) && want.runIds.some((id) => flight.versions.has(id)),
      );
      if (isWanted) continue;
      this.#flights.delete(flight);
      flight.controller.abort();
    }
  }

  /** The requests that are needed now: metrics that lack the same runs of the same range go together. */
  *#asks(): Generator<{ ask: Ask; group: string; isRefresh: boolean }> {
    const together = new Map<string, { want: Want; runIds: string[]; metrics: Set<string>; isRefresh: boolean }>();
    for (const { want } of this.#owners.values()) {
      if (this.#errors.has(errorKey(want))) continue;
      const { runIds, isRefresh } = this.#lacking(want);
      if (runIds.length === 0) continue;
      const key = `${groupOf(want)} ${runIds.join(" ")}`;
      const one = together.get(key);
      if (one) one.metrics.add(want.metric);
      else together.set(key, { want, runIds, metrics: new Set([want.metric]), isRefresh });
    }
    for (const { want, runIds, metrics, isRefresh } of together.values()) {
      const perRequest = Math.max(1, Math.floor(SERIES_PER_REQUEST / runIds.length));
      const names = [...metrics];
      for (let m = 0; m < names.length; m += perRequest) {
        for (let r = 0; r < runIds.length; r += RUNS_PER_REQUEST) {
          const ask: Ask = { run_ids: runIds.slice(r, r + RUNS_PER_REQUEST), metrics: names.slice(m, m + perRequest), max_points: want.maxPoints };
          if (want.range) [ask.step_min, ask.step_max] = want.range;
          yield { ask, group: groupOf(want), isRefresh };
        }
      }
    }
  }

  #lacking(want: Want): { runIds: string[]; isRefresh: boolean } {
    const group = groupOf(want);
    let isRefresh = true;
    const runIds = want.runIds.filter((runId) => {
      const version = this.#versions.get(runId) ?? 0;
      const entry = this.#entries.get(entryKey(group, want.metric, runId));
      if (entry && entry.version >= version) return false;
      for (const flight of this.#flights) {
        // One that is under way with an older version is waited for, too: it will be asked again after it.
        if (flight.group === group && flight.metrics.has(want.metric) && flight.versions.has(runId)) return false;
      }
      if (!entry) isRefresh = false;
      return true;
    });
    return { runIds, isRefresh };
  }

  async #send(ask: Ask, group: string): Promise<void> {
    const versions = new Map(ask.run_ids.map((id) => [id, this.#versions.get(id) ?? 0]));
    const flight: Flight = { group, metrics: new Set(ask.metrics), versions, controller: new AbortController() };
    this.#flights.add(flight);
    try {
      const series = await this.#options.ask(ask, flight.controller.signal);
      if (!this.#flights.delete(flight)) return;
      this.#keep(ask, group, versions, series);
    } catch (error) {
      if (!this.#flights.delete(flight)) return; // aborted by us
      for (const metric of ask.metrics) this.#errors.set(`${group} ${metric}`, this.#options.errorText(error));
    }
    this.#notify(group, flight.metrics);
    this.#plan(this.#isAnyFresh() ? 0 : REFRESH_INTERVAL_MS);
  }

  /** Whether a chart still lacks data altogether, so that the next request must not wait. */
  #isAnyFresh(): boolean {
    return [...this.#owners.values()].some(({ want }) => {
      const lacking = this.#lacking(want);
      return lacking.runIds.length > 0 && !lacking.isRefresh;
    });
  }

  #keep(ask: Ask, group: string, versions: ReadonlyMap<string, number>, series: readonly Series[]): void {
    const found = new Map<string, Series[]>();
    for (const one of series) {
      const key = entryKey(group, one.name, one.runId);
      const list = found.get(key);
      if (list) list.push(one);
      else found.set(key, [one]);
    }
    for (const metric of ask.metrics) {
      for (const [runId, version] of versions) {
        const key = entryKey(group, metric, runId);
        const list = found.get(key) ?? []; // a run without the metric is remembered as such
        const bytes = list.reduce((sum, one) => sum + bytesOf(one), 100);
        this.#bytes += bytes - (this.#entries.get(key)?.bytes ?? 0);
        this.#entries.delete(key);
        this.#entries.set(key, { series: list, version, bytes });
      }
    }
    this.#evict();
  }

  #evict(): void {
    if (this.#bytes <= this.#options.budgetBytes) return;
    const wanted = new Set<string>();
    for (const { want } of this.#owners.values()) for (const runId of want.runIds) wanted.add(entryKey(groupOf(want), want.metric, runId));
    for (const [key, entry] of this.#entries) {
      if (this.#bytes <= this.#options.budgetBytes) return;
      if (wanted.has(key)) continue;
      this.#entries.delete(key);
      this.#bytes -= entry.bytes;
    }
  }

  #notify(group: string, metrics: ReadonlySet<string>): void {
    for (const { want, notify } of this.#owners.values()) if (groupOf(want) === group && metrics.has(want.metric)) notify();
  }

  #notifyAll(): void {
    for (const { notify } of this.#owners.values()) notify();
  }
}

function groupOf(want: Want): string {
  return want.range ? `${want.maxPoints}:${want.range[0]}:${want.range[1]}` : String(want.maxPoints);
}

function errorKey(want: Want): string {
  return `${groupOf(want)} ${want.metric}`;
}

function entryKey(group: string, metric: string, runId: string): string {
  return `${group}\u0000${metric}\u0000${runId}`;
}

function sameWant(a: Want, b: Want): boolean {
  return (
    a.metric === b.metric &&
    a.maxPoints === b.maxPoints &&
    a.range?.[0] === b.range?.[0] &&
    a.range?.[1] === b.range?.[1] &&
    a.runIds.length === b.runIds.length &&
    a.runIds.every((id, i) => id === b.runIds[i])
  );
}

/**
 * How many rows a series a chart of this width asks for: about one a pixel, since more would only be ink. A few fixed sizes, so that
 * resizing does not ask anew.
 */
export function maxPointsFor(widthPx: number, runCount: number): number {
  const fine = widthPx > 1000 ? 1200 : widthPx > 640 ? 800 : widthPx > 430 ? 500 : 400;
  if (runCount <= 12) return fine;
  return Math.min(fine, widthPx > 640 ? 500 : runCount <= 40 ? 300 : 250);
}
