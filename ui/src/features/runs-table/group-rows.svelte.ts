/** Runs in groups: one row a group with mean and spread, which opens to show its newest runs. */

import { untrack } from "svelte";
import { ApiError, isAbort, post } from "../../api/client.ts";
import type { GroupAnswer, RunGroup, RunRow, RunSearchAnswer } from "../../api/shapes.ts";
import { numberOf } from "../../lib/format.ts";
import { rowsById, scopeOf, type RowQuery, type Search } from "./row-windows.svelte.ts";
import type { Sort } from "./sorting.ts";

export const MAX_GROUPS = 1000;
/** The server names this many of a group's runs. */
export const OPEN_RUNS = 100;

export type Item =
  | { kind: "run"; row: RunRow; depth: 0 | 1 }
  | { kind: "group"; group: RunGroup; key: string; open: boolean }
  /** Runs of an open group that are on their way, or are too many to be shown. */
  | { kind: "rest"; group: RunGroup; waiting: boolean };

export interface GroupQuery extends RowQuery {
  by: readonly string[];
  /** Fields of the metrics shown. */
  metrics: readonly string[];
}

const searchRuns: Search = (body, signal) => post<RunSearchAnswer>("/runs/search", body, { signal });

export function keyOf(group: RunGroup): string {
  return JSON.stringify(group.values);
}

/** By mean of a metric or by the group's value; what has none comes last; as the server sent them without a sort. */
export function sortGroups(groups: readonly RunGroup[], by: readonly string[], sorts: readonly Sort[]): RunGroup[] {
  return [...groups].sort((a, b) => {
    for (const { id, descending } of sorts) {
      // The first column shows the keys of the groups.
      for (const key of id === "name" ? by : [id]) {
        const order = compare(valueOf(a, by, key), valueOf(b, by, key), descending);
        if (order !== 0) return order;
      }
    }
    return 0;
  });
}

function valueOf(group: RunGroup, by: readonly string[], id: string): number | string | null {
  const at = by.indexOf(id);
  if (at >= 0) {
    const value = group.values[at] ?? null;
    return typeof value === "boolean" ? String(value) : value;
  }
  if (id === "count") return group.run_count;
  const mean = group.aggregates[id]?.mean ?? null;
  return mean === null ? null : numberOf(mean);
}

function compare(a: number | string | null, b: number | string | null, descending: boolean): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
  const order = typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), "en", { numeric: true });
  return descending ? -order : order;
}

export class GroupRows {
  #groups = $state.raw<readonly RunGroup[] | null>(null);
  #total = $state(0);
  #error = $state.raw<ApiError | null>(null);
  #open = $state.raw<ReadonlyMap<string, readonly RunRow[] | null>>(new Map());
  #query: GroupQuery | null = null;
  #controller: AbortController | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  get groups(): readonly RunGroup[] | null {
    return this.#groups;
  }

  get total(): number {
    return this.#total;
  }

  get error(): ApiError | null {
    return this.#error;
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#controller?.abort();
  }

  load(query: GroupQuery): Promise<void> {
    return untrack(() => this.#load(query));
  }

  async #load(query: GroupQuery): Promise<void> {
    if (JSON.stringify(query.by) !== JSON.stringify(this.#query?.by)) {
      this.#open = new Map();
      this.#groups = null;
    }
    this.#query = query;
    this.#controller?.abort();
    const controller = new AbortController();
    this.#controller = controller;
    try {
      const answer = await post<GroupAnswer>(
        "/runs/groups",
        {
          ...scopeOf(query),
          by: query.by,
          metrics: query.metrics,
          limit: MAX_GROUPS,
        },
        { signal: controller.signal },
      );
      this.#groups = answer.groups;
      this.#total = answer.total;
      this.#error = null;
      for (const group of answer.groups) if (this.#open.has(keyOf(group))) void this.#fetch(group);
    } catch (error) {
      if (isAbort(error)) return;
      this.#error = error instanceof ApiError ? error : new ApiError(0, { code: "unknown", detail: String(error) });
    }
  }

  /** Something changed: the same question again, at most every second. */
  changed(): void {
    if (this.#query === null) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      if (this.#query) void this.load(this.#query);
    }, 1000);
  }

  toggle(group: RunGroup): void {
    const next = new Map(this.#open);
    if (next.delete(keyOf(group))) {
      this.#open = next;
      return;
    }
    this.#open = next.set(keyOf(group), null);
    void this.#fetch(group);
  }

  async #fetch(group: RunGroup): Promise<void> {
    const signal = this.#controller?.signal ?? new AbortController().signal;
    try {
      const rows = await rowsById(group.run_ids.slice(0, OPEN_RUNS), searchRuns, signal);
      if (this.#open.has(keyOf(group))) this.#open = new Map(this.#open).set(keyOf(group), rows);
    } catch (error) {
      if (!isAbort(error) && error instanceof ApiError) this.#error = error;
    }
  }

  /** In the order of the table. */
  sorted(sorts: readonly Sort[]): RunGroup[] {
    return sortGroups(this.#groups ?? [], this.#query?.by ?? [], sorts);
  }

  items(sorts: readonly Sort[]): Item[] {
    return this.sorted(sorts).flatMap((group): Item[] => {
      const key = keyOf(group);
      const rows = this.#open.get(key);
      const head: Item = { kind: "group", group, key, open: rows !== undefined };
      if (rows === undefined) return [head];
      const inside = (rows ?? []).map((row): Item => ({ kind: "run", row, depth: 1 }));
      const more = rows === null || rows.length < group.run_count;
      return [head, ...inside, ...(more ? [{ kind: "rest" as const, group, waiting: rows === null }] : [])];
    });
  }
}
