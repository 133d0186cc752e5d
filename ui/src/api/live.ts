/** What changes while the page is open: one EventSource for the whole page, opened with the first subscriber. */

import { readable, type Readable } from "svelte/store";
import { directUrl } from "./client.ts";
import type { Change } from "./shapes.ts";

export interface LiveState {
  /** Of the newest change heard of; 0 before the first. */
  changeNumber: number;
  /** The runs that this change touched. Every change is delivered to subscribers, none is skipped. */
  runIds: readonly string[];
  /** False: more runs changed than could be listed, so anything may have. */
  isComplete: boolean;
  connected: boolean;
}

const START: LiveState = { changeNumber: 0, runIds: [], isComplete: true, connected: false };
const RETRY_MS = [500, 1000, 2000, 5000, 10000] as const;

/** `open` is EventSource, or a double of it in tests. */
export function liveFeed(open: (url: string) => EventSource): Readable<LiveState> {
  return readable<LiveState>(START, (set) => {
    let state = START;
    let source: EventSource | null = null;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let failures = 0;

    const put = (changes: Partial<LiveState>): void => {
      state = { ...state, ...changes };
      set(state);
    };

    const connect = (): void => {
      // A browser resumes by Last-Event-ID by itself; `after` is for a source that we had to open anew.
      const opened = open(directUrl("/live", state.changeNumber > 0 ? { after: state.changeNumber } : {}));
      source = opened;
      opened.onopen = () => {
        failures = 0;
        put({ connected: true, runIds: [], isComplete: true });
      };
      opened.addEventListener("change", (event) => {
        const data = JSON.parse((event as MessageEvent<string>).data) as Change;
        put({ connected: true, changeNumber: data.change_number, runIds: data.run_ids, isComplete: data.is_complete });
      });
      opened.onerror = () => {
        put({ connected: false, runIds: [], isComplete: true });
        if (opened.readyState !== EventSource.CLOSED) return; // it reconnects by itself
        opened.close();
        const wait = RETRY_MS[Math.min(failures, RETRY_MS.length - 1)] ?? 10000;
        failures += 1;
        timer = setTimeout(connect, wait);
      };
    };

    connect();
    return () => {
      clearTimeout(timer);
      source?.close();
      source = null;
    };
  });
}

export const live: Readable<LiveState> = liveFeed((url) => new EventSource(url));
