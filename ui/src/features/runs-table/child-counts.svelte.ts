/** How many child runs the runs in the table have: asked for what has come into sight, once. */

import { isAbort, post } from "../../api/client.ts";
import type { GroupAnswer, GroupSearch, RunRow } from "../../api/shapes.ts";
import { quotedText } from "./row-windows.svelte.ts";

const AT_ONCE = 200;
const WAIT_MS = 400;

export type Group = (body: GroupSearch, signal: AbortSignal) => Promise<GroupAnswer>;

const groupRuns: Group = (body, signal) => post<GroupAnswer>("/runs/groups", body, { signal });

export function childFilter(runId: string): string {
  return `parent_run_id = ${quotedText(runId)}`;
}

export class ChildCounts {
  #group: Group;
  #counts = $state.raw<ReadonlyMap<string, number>>(new Map());
  #asked = new Set<string>();
  #waiting = new Set<string>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #controller = new AbortController();

  constructor(group: Group = groupRuns) {
    this.#group = group;
  }

  of(runId: string): number {
    return this.#counts.get(runId) ?? 0;
  }

  learn(rows: readonly RunRow[]): void {
    for (const row of rows) {
      if (this.#asked.has(row.run_id)) continue;
      this.#asked.add(row.run_id);
      this.#waiting.add(row.run_id);
    }
    if (this.#waiting.size > 0) this.#timer ??= setTimeout(() => void this.#ask(), WAIT_MS);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#controller.abort();
  }

  async #ask(): Promise<void> {
    this.#timer = undefined;
    const ids = [...this.#waiting].slice(0, AT_ONCE);
    for (const id of ids) this.#waiting.delete(id);
    try {
      const filter = `parent_run_id in (${ids.map(quotedText).join(", ")})`;
      const answer = await this.#group({ by: ["parent_run_id"], filter, limit: AT_ONCE }, this.#controller.signal);
      if (answer.groups.length > 0) {
        const next = new Map(this.#counts);
        for (const group of answer.groups) next.set(String(group.values[0]), group.run_count);
        this.#counts = next;
      }
    } catch (error) {
      // It is an ornament: without it the table says all else.
      if (!isAbort(error)) for (const id of ids) this.#asked.delete(id);
    }
    if (this.#waiting.size > 0) this.learn([]);
  }
}
