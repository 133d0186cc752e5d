/** What changes while the page is open: one EventSource for the whole page, opened with the first subscriber. */

import { readable, type Readable } from "svelte/store";
import { directUrl, door, get } from "./client.ts";
import type { Change, Health } from "./shapes.ts";

export interface LiveState {
  /** Of the newest change heard of; 0 before the first. */
  changeNumber: number;
  /** The runs that this change touched. Every change is delivered to subscribers, none is skipped. */
  runIds: readonly string[];
  /** False: more runs changed than could be listed, so anything may have. */
  isComplete: boolean;
  /** Of the newest change that may have been one of registered models; 0 before the first. */
  modelsNumber: number;
  connected: boolean;
}

const START: LiveState = { changeNumber: 0, runIds: [], isComplete: true, modelsNumber: 0, connected: false };
const RETRY_MS = [500, 1000, 2000, 5000, 10000] as const;

/**
 * `open` is EventSource and `now` asks for the newest change number; tests have doubles of both. The feed starts behind
 * the number that held before the page asked for anything, so that no change falls between the first answer and the feed.
 */
export function liveFeed(open: (url: string) => EventSource, now: () => Promise<number>): Readable<LiveState> {
  return readable<LiveState>(START, (set) => {
    let state = START;
    let source: EventSource | null = null;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let failures = 0;
    let after: number | null = null;
    let isOver = false;

    const put = (changes: Partial<LiveState>): void => {
      state = { ...state, ...changes };
      set(state);
    };

    const later = (): void => {
      timer = setTimeout(connect, RETRY_MS[Math.min(failures, RETRY_MS.length - 1)] ?? 10000);
      failures += 1;
    };

    const connect = (): void => {
      if (after === null) {
        now().then(
          (number) => {
            after = number;
            if (!isOver) connect();
          },
          () => {
            if (!isOver) later();
          },
        );
        return;
      }
      // A browser resumes by Last-Event-ID by itself; `after` is for a source that we had to open anew.
      const opened = open(directUrl("/live", { after }));
      source = opened;
      opened.onopen = () => {
        failures = 0;
        put({ connected: true, runIds: [], isComplete: true });
      };
      opened.addEventListener("change", (event) => {
        const data = JSON.parse((event as MessageEvent<string>).data) as Change;
        after = data.change_number;
        put({ connected: true, changeNumber: data.change_number, runIds: data.run_ids, isComplete: data.is_complete, ...(data.models_changed ? { modelsNumber: data.change_number } : {}) });
      });
      opened.onerror = () => {
        put({ connected: false, runIds: [], isComplete: true });
        if (opened.readyState !== EventSource.CLOSED) return; // it reconnects by itself
        opened.close();
        door.closed(); // it may be that nobody is let in any more
        later();
      };
    };

    connect();
    return () => {
      isOver = true;
      clearTimeout(timer);
      source?.close();
      source = null;
    };
  });
}

export const live: Readable<LiveState> = liveFeed(
  (url) => new EventSource(url),
  async () => (await get<Health>("/health")).change_number,
);
