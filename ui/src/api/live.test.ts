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

it("hands every change on, and resumes behind the last one", async () => {
  const sources: ScriptedSource[] = [];
  const seen: LiveState[] = [];
  const numbers = vi.fn<() => Promise<number>>().mockRejectedValueOnce(new Error("not yet")).mockResolvedValue(3);
  const feed = liveFeed((url) => {
    const source = new ScriptedSource(url);
    sources.push(source);
    return source as unknown as EventSource;
  }, numbers);
  const stop = feed.subscribe((state) => seen.push(state));
  await vi.advanceTimersByTimeAsync(600);
  expect(sources.map((one) => one.url)).toEqual(["/api/v1/live?after=3"]);
  sources[0]?.onopen?.();
  sources[0]?.change({ change_number: 4, run_ids: ["a"], is_complete: true });
  sources[0]?.change({ change_number: 5, run_ids: ["b"], is_complete: false });
  expect(seen.slice(-2).map((one) => [one.changeNumber, one.runIds, one.isComplete])).toEqual([
    [4, ["a"], true],
    [5, ["b"], false],
  ]);

  sources[0]?.die();
  expect(seen.at(-1)).toMatchObject({ connected: false, changeNumber: 5, runIds: [] });
  await vi.advanceTimersByTimeAsync(600);
  expect(sources[1]?.url).toBe("/api/v1/live?after=5");
  stop();
  expect(sources[1]?.readyState).toBe(2);
});
