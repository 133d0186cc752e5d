import { expect, test } from "vitest";
import { bucketSeries, pointSeries } from "./example-series.ts";
import { factsOf, nearRows } from "./near.ts";
import { pixelScale } from "./scale.ts";
import { makeTrack, type Track } from "./track.ts";
import type { Series } from "../api/series.ts";

const track = (series: Series): Track =>
  makeTrack(series, "step", 0, { runName: series.runId, color: "", dash: 0, isLive: false, startMs: null, span: null });
const line = (run: string, step: number[], value: number[]): Track => track(pointSeries({ run, step, value }));

const X = pixelScale([0, 100], 0, 1000, false);
const Y = pixelScale([0, 10], 100, 0, false);

test("nearest line first, each with the row next to x", () => {
  const rows = nearRows([line("a", [0, 50, 100], [1, 1, 1]), line("b", [0, 48, 100], [9, 5, 9]), line("c", [0, 100], [7, 7])], 49, 50, X, Y, [0, 100]);
  expect(rows.map(({ track: { runId }, row }) => [runId, row])).toEqual([["b", 1], ["c", 0], ["a", 1]]);
  expect(rows[0]?.distance).toBe(0);
});

test("a run that ended long before is not near", () => {
  expect(nearRows([line("a", [0, 1, 2], [1, 1, 1])], 60, 50, X, Y, [0, 100])).toEqual([]);
});

test("rows without a value come last, rows out of view not at all", () => {
  const rows = nearRows([line("a", [50], [Number.NaN]), line("b", [50], [2])], 50, 50, X, Y, [0, 100]);
  expect(rows.map((row) => row.track.runId)).toEqual(["b", "a"]);
  expect(nearRows([line("a", [50], [1])], 50, 50, X, Y, [60, 100])).toEqual([]);
});

test("repeated steps are found by their place in the data", () => {
  const [row] = nearRows([line("a", [0, 10, 20, 10, 30], [1, 2, 3, 4, 5])], 30, 50, X, Y, [0, 100]);
  expect(row?.row).toBe(4);
});

test("facts of a point and of a bucket", () => {
  expect(factsOf({ track: line("a", [7], [Number.NaN]), row: 0 })).toEqual({ value: Number.NaN, smoothed: null, step: 7, timeMs: 7000, bucket: null });
  expect(factsOf({ track: track(bucketSeries([4, -1, Number.NaN, 2], 4)), row: 0 })).toEqual({
    value: 2, smoothed: null, step: 3, timeMs: 3000, bucket: { count: 4, min: -1, max: 4, nanCount: 1, stepMin: 0 },
  });
});
