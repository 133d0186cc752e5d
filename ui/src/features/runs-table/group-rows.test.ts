import { expect, it } from "vitest";
import type { RunGroup } from "../../api/shapes.ts";
import { sortGroups } from "./group-rows.svelte.ts";

function group(value: number | string | null, mean: number | "NaN" | null, count = 1): RunGroup {
  return { values: [value], run_count: count, run_ids: [], aggregates: { "metrics.acc": { count, mean, std: null, min: mean, max: mean } } };
}

it("sorts groups by mean, by value as numbers, and what has none last", () => {
  const groups = [group(0.1, 0.5), group(10, null), group(2, 0.9), group(null, 0.7)];
  const order = (id: string, descending: boolean): unknown[] => sortGroups(groups, ["params.lr"], [{ id, descending }]).map((one) => one.values[0]);
  expect(order("metrics.acc", true)).toEqual([2, null, 0.1, 10]);
  expect(order("metrics.acc", false)).toEqual([0.1, null, 2, 10]);
  expect(order("name", true)).toEqual([10, 2, 0.1, null]);
  expect(order("params.lr", false)).toEqual([0.1, 2, 10, null]);
  expect(sortGroups(groups, ["params.lr"], []).map((one) => one.values[0])).toEqual([0.1, 10, 2, null]);
});
