/** Which runs are selected. Kept in the address (sel), packed; a list too long for it goes to this browser tab under a short word. */

import { isAbort, post } from "../../api/client.ts";
import type { RunRow, RunSearchAnswer } from "../../api/shapes.ts";
import { view } from "../../lib/url-state.svelte.ts";
import { PACKED, packIds, unpackIds } from "./packed-ids.ts";
import { rowsById, type Search } from "./row-windows.svelte.ts";

/** More cannot be told apart on a chart, nor asked for at once. */
export const MAX_SELECTED = 500;
/** What every proxy lets through of an address is 8 KB; the rest of it wants some of that. */
export const MAX_IN_URL_CHARS = 6_600;

const searchRuns: Search = (body, signal) => post<RunSearchAnswer>("/runs/search", body, { signal });

/** The ids from the anchor to the row that was clicked with shift held. */
export function rangeBetween(anchor: number, index: number): number[] {
  const [low, high] = anchor < index ? [anchor, index] : [index, anchor];
  return Array.from({ length: high - low + 1 }, (_, at) => low + at);
}

function storeList(ids: readonly string[]): string {
  const word = `~${ids.length}-${Math.random().toString(36).slice(2, 8)}`;
  sessionStorage.setItem(`lineal.sel.${word}`, ids.join(","));
  return word;
}

function readList(items: readonly string[]): string[] {
  const [word = ""] = items;
  if (word.startsWith(PACKED)) return unpackIds(word);
  if (!word.startsWith("~")) return [...items];
  return (sessionStorage.getItem(`lineal.sel.${word}`) ?? "").split(",").filter((id) => id !== "");
}

export class Selection {
  #ids = $derived(readList(view.list("sel")).slice(0, MAX_SELECTED));
  #set = $derived(new Set(this.#ids));
  #rows = $state.raw<ReadonlyMap<string, RunRow>>(new Map());

  get ids(): readonly string[] {
    return this.#ids;
  }

  get size(): number {
    return this.#ids.length;
  }

  has(runId: string): boolean {
    return this.#set.has(runId);
  }

  /** The rows of the selected runs, as far as they are known. */
  get rows(): RunRow[] {
    return this.#ids.flatMap((id) => this.#rows.get(id) ?? []);
  }

  set(ids: readonly string[]): void {
    const list = ids.slice(0, MAX_SELECTED);
    const packed = packIds(list);
    const length = packed.reduce((sum, item) => sum + item.length + 1, 0);
    view.set({ sel: length > MAX_IN_URL_CHARS ? [storeList(list)] : packed }, "replace");
  }

  clear(): void {
    this.set([]);
  }

  toggle(row: RunRow): void {
    this.add([row], !this.has(row.run_id));
  }

  /** Or take away. */
  add(rows: readonly RunRow[], on: boolean): void {
    const given = new Set(rows.map((row) => row.run_id));
    this.set(on ? [...new Set([...this.#ids, ...given])] : this.#ids.filter((id) => !given.has(id)));
    if (on) this.learn(rows);
  }

  /** Rows that the table has, so that they need not be fetched. */
  learn(rows: Iterable<RunRow>): void {
    let next: Map<string, RunRow> | null = null;
    for (const row of rows) {
      if (!this.#set.has(row.run_id) || this.#rows.get(row.run_id) === row) continue;
      next ??= new Map(this.#rows);
      next.set(row.run_id, row);
    }
    if (next) this.#rows = next;
  }

  /** Fetch the rows that nobody has shown: after a reload, or of a run far away in the table. */
  async complete(signal: AbortSignal): Promise<void> {
    const missing = this.#ids.filter((id) => !this.#rows.has(id));
    if (missing.length === 0) return;
    try {
      this.learn(await rowsById(missing, searchRuns, signal));
    } catch (error) {
      if (!isAbort(error)) return;
    }
  }

  /** Selected runs that changed: their rows again. */
  async renew(runIds: readonly string[], signal: AbortSignal): Promise<void> {
    const mine = runIds.filter((id) => this.#set.has(id));
    if (mine.length === 0) return;
    try {
      this.learn(await rowsById(mine, searchRuns, signal));
    } catch (error) {
      if (!isAbort(error)) return;
    }
  }
}
