import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { RunRow, RunSearch, RunSearchAnswer } from "../../api/shapes.ts";
import { idFilter, RowWindows, WINDOW_ROWS, type RowQuery } from "./row-windows.svelte.ts";

const QUERY: RowQuery = { filter: "", order: [], experiment: null, archived: false };

/** A server with so many runs, newest first: r0 is the newest. */
class Server {
  asked: RunSearch[] = [];
  constructor(
    public count: number,
    public version = 1,
  ) {}
  row(index: number): RunRow {
    return { run_id: `r${index}`, name: `run ${index} v${this.version}` } as RunRow;
  }
  search = async (body: RunSearch, signal: AbortSignal): Promise<RunSearchAnswer> => {
    this.asked.push(body);
    await Promise.resolve();
    signal.throwIfAborted();
    const ids = body.filter?.startsWith("run_id in") ? [...body.filter.matchAll(/'r(\d+)'/g)].map((one) => Number(one[1])) : null;
    const offset = body.offset ?? 0;
    const indexes = ids ?? Array.from({ length: Math.max(0, Math.min(body.limit ?? 100, this.count - offset)) }, (_, at) => offset + at);
    return { runs: indexes.map((one) => this.row(one)), total: ids?.length ?? this.count, next_page_token: null };
  };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

async function opened(server: Server, query: RowQuery = QUERY): Promise<RowWindows> {
  const rows = new RowWindows(server.search);
  rows.open(query);
  await vi.advanceTimersByTimeAsync(1);
  return rows;
}

it("fetches the window in sight, where scrolling stops", async () => {
  const server = new Server(100_000);
  const rows = await opened(server);
  expect(rows.total).toBe(100_000);
  expect(rows.at(99)?.run_id).toBe("r99");
  for (let at = 0; at < 50_000; at += 500) rows.want(at, at + 30);
  await vi.advanceTimersByTimeAsync(100);
  expect(rows.at(49_500)?.run_id).toBe("r49500");
  expect(server.asked.length).toBe(2);
});

it("keeps the old rows until the new answer is here, and forgets a late answer to an old question", async () => {
  const server = new Server(500);
  const rows = await opened(server);
  server.count = 3;
  rows.open({ ...QUERY, filter: "a = 1" });
  rows.open({ ...QUERY, filter: "a = 2" });
  expect(rows.loading).toBe(true);
  expect(rows.total).toBe(500);
  await vi.advanceTimersByTimeAsync(1);
  expect(rows.loading).toBe(false);
  expect(rows.total).toBe(3);
});

it("changes rows where they stand, and only counts the new ones", async () => {
  const server = new Server(250);
  const rows = await opened(server);
  server.version = 2;
  server.count = 252;
  rows.changed(["r7", "new1"], true);
  rows.changed(["new2"], true);
  await vi.advanceTimersByTimeAsync(500);
  expect(rows.at(7)?.name).toBe("run 7 v2");
  expect(rows.at(8)?.name).toBe("run 8 v1");
  expect(rows.total).toBe(250);
  expect(rows.newRuns).toBe(2);
  expect(server.asked.some((one) => one.filter === idFilter(["r7"]))).toBe(true);

  rows.want(150, 160);
  await vi.advanceTimersByTimeAsync(100);
  expect(server.asked.at(-1)?.offset).toBe(WINDOW_ROWS + 2);

  await rows.refresh();
  expect([rows.total, rows.newRuns]).toEqual([252, 0]);
});

it("lets new runs in by itself where they are expected", async () => {
  const server = new Server(10);
  const rows = await opened(server);
  rows.followsTop = () => true;
  server.count = 11;
  rows.changed(["new"], true);
  await vi.advanceTimersByTimeAsync(500);
  expect(rows.total).toBe(11);
});

it("says what the server refused, and keeps what it had", async () => {
  const server = new Server(10);
  const rows = await opened(server);
  const { ApiError } = await import("../../api/client.ts");
  server.search = async () => {
    throw new ApiError(400, { detail: "no", field: "filter" });
  };
  const failing = new RowWindows((body, signal) => server.search(body, signal));
  failing.open(QUERY);
  await vi.advanceTimersByTimeAsync(1);
  expect(failing.error?.detail).toBe("no");
  expect(failing.loading).toBe(false);
  expect(rows.total).toBe(10);
});

it("quotes ids", () => {
  expect(idFilter(["a", "o'b"])).toBe("run_id in ('a', 'o''b')");
});
