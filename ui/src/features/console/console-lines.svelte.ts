/** The lines of a run's console: what is looked at is read in windows, what is far away is forgotten. */

import { errorText, get, isAbort } from "../../api/client.ts";
import type { ConsolePage } from "../../api/shapes.ts";
import { runPath } from "../run/run-page.svelte.ts";
import type { Ask, ConsoleLine } from "./console-place.ts";


export const WINDOW_LINES = 500;
const KEPT_WINDOWS = 40;
const MATCHES_AT_ONCE = 500;

export function askerOf(runId: string): Ask {
  return (query, signal) => get<ConsolePage>(`${runPath(runId)}/console`, query, { signal });
}

/** Every line by its place: numbers count from 1 without gaps. */
export class ConsoleLines {
  total = $state(0);
  problem = $state<string | null>(null);
  isRead = $state(false);
  #windows = $state.raw<ReadonlyMap<number, readonly ConsoleLine[]>>(new Map());
  #flights = new Map<number, { aborter: AbortController; landed: Promise<void> }>();
  #ask: Ask;

  constructor(ask: Ask) {
    this.#ask = ask;
  }

  /** From 0; null while it is on its way. */
  at(index: number): ConsoleLine | null {
    return this.#windows.get(Math.floor(index / WINDOW_LINES))?.[index % WINDOW_LINES] ?? null;
  }

  /** Brings in what is between them. Windows that are not full any more are read again if `isFresh`. */
  async want(first: number, end: number, isFresh = false): Promise<void> {
    const from = Math.floor(Math.max(0, first) / WINDOW_LINES);
    const to = Math.floor(Math.max(0, end - 1) / WINDOW_LINES);
    const waited: Promise<void>[] = [];
    for (let window = from; window <= to; window++) {
      const known = this.#windows.get(window);
      const mayGrow = known !== undefined && known.length < WINDOW_LINES;
      const flight = this.#flights.get(window);
      if (flight !== undefined) waited.push(flight.landed);
      else if (known === undefined || (isFresh && mayGrow)) {
        const aborter = new AbortController();
        const landed = this.#read(window, [from, to], aborter.signal);
        this.#flights.set(window, { aborter, landed });
        waited.push(landed);
      }
    }
    await Promise.all(waited);
  }

  async #read(window: number, [from, to]: [number, number], signal: AbortSignal): Promise<void> {
    try {
      const answer = await this.#ask({ after: window * WINDOW_LINES, limit: WINDOW_LINES }, signal);
      const next = new Map(this.#windows);
      next.set(window, answer.lines);
      for (const far of [...next.keys()].sort((a, b) => distance(b, from, to) - distance(a, from, to)).slice(0, Math.max(0, next.size - KEPT_WINDOWS))) next.delete(far);
      this.#windows = next;
      this.total = Math.max(this.total, answer.total);
      this.problem = null;
      this.isRead = true;
    } catch (error) {
      if (!isAbort(error)) this.problem = errorText(error);
    } finally {
      this.#flights.delete(window);
    }
  }

  stop(): void {
    for (const { aborter } of this.#flights.values()) aborter.abort();
  }
}

function distance(window: number, from: number, to: number): number {
  return window < from ? from - window : Math.max(0, window - to);
}

/** The lines that match, from the first on; more are looked for as somebody asks for them. */
export class ConsoleMatches {
  lines = $state.raw<readonly ConsoleLine[]>([]);
  /** Up to which line was looked, of how many. */
  next = $state(0);
  total = $state(0);
  problem = $state<string | null>(null);
  isRead = $state(false);
  #aborter = new AbortController();
  #ask: Ask;
  #search: string;
  #isReading = false;

  constructor(ask: Ask, search: string) {
    this.#ask = ask;
    this.#search = search;
  }

  /** Every line has been looked at. */
  get isDone(): boolean {
    return this.isRead && this.next >= this.total;
  }

  /** Looks on until a page of matches is found, so that few ones are counted: an answer may have looked at a part of a long console only. */
  async more(): Promise<void> {
    if (this.#isReading || this.isDone) return;
    this.#isReading = true;
    try {
      for (let found = 0; found < MATCHES_AT_ONCE; ) {
        const answer = await this.#ask({ after: this.next, limit: MATCHES_AT_ONCE - found, search: this.#search }, this.#aborter.signal);
        found += answer.lines.length;
        this.lines = [...this.lines, ...answer.lines];
        this.total = answer.total;
        const isStuck = answer.next <= this.next;
        this.next = answer.next;
        this.problem = null;
        this.isRead = true;
        if (this.isDone || isStuck) break;
      }
    } catch (error) {
      if (!isAbort(error)) this.problem = errorText(error);
    } finally {
      this.#isReading = false;
    }
  }

  stop(): void {
    this.#aborter.abort();
  }
}
