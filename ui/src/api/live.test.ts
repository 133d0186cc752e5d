import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { liveFeed, type LiveState } from "./live.ts";

class ScriptedSource extends EventTarget {
  static readonly CLOSED = 2;
  onopen: (() => void) | null = null;
  onerror: (() => void) | null = null;
  readyState = 1;
  constructor(readonly url: string) {
    super();
  }
  change(data: unknown): void {
    this.dispatchEvent(new MessageEvent("change", { data: JSON.stringify(data) }));
  }
  die(): void {
    this.readyState = 2;
    this.onerror?.();
  }
  close(): void {
    this.readyState = 2;
  }
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("EventSource", ScriptedSource);
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it("hands every change on, and resumes behind the last one", () => {
  const sources: ScriptedSource[] = [];
  const seen: LiveState[] = [];
  const feed = liveFeed((url) => {
    const source = new ScriptedSource(url);
    sources.push(source);
    return source as unknown as EventSource;
  });
  const stop = feed.subscribe((state) => seen.push(state));
  expect(sources[0]?.url).toBe("/api/v1/live");
  sources[0]?.onopen?.();
  sources[0]?.change({ change_number: 4, run_ids: ["a"], is_complete: true });
  sources[0]?.change({ change_number: 5, run_ids: ["b"], is_complete: false });
  expect(seen.slice(-2).map((one) => [one.changeNumber, one.runIds, one.isComplete])).toEqual([
    [4, ["a"], true],
    [5, ["b"], false],
  ]);

  sources[0]?.die();
  expect(seen.at(-1)).toMatchObject({ connected: false, changeNumber: 5, runIds: [] });
  vi.advanceTimersByTime(600);
  expect(sources[1]?.url).toBe("/api/v1/live?after=5");
  stop();
  expect(sources[1]?.readyState).toBe(2);
});
