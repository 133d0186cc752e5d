import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { GroupAnswer, GroupSearch, RunRow } from "../../api/shapes.ts";
import { ChildCounts } from "./child-counts.svelte.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it("asks once for each run, many at a time", async () => {
  const asked: GroupSearch[] = [];
  const counts = new ChildCounts(async (body) => {
    asked.push(body);
    return { groups: [{ values: ["r1"], run_count: 24, aggregates: {}, run_ids: [] }], total: 1 } as GroupAnswer;
  });
  const rows = ["r1", "o'2"].map((run_id) => ({ run_id }) as RunRow);
  counts.learn(rows);
  counts.learn(rows);
  await vi.advanceTimersByTimeAsync(500);
  counts.learn(rows);
  await vi.advanceTimersByTimeAsync(500);
  expect(asked.map((one) => one.filter)).toEqual(["parent_run_id in ('r1', 'o''2')"]);
  expect([counts.of("r1"), counts.of("o'2")]).toEqual([24, 0]);
});
