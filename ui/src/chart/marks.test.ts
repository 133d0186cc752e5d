import { expect, test } from "vitest";
import { bucketSeries, pointSeries } from "./example-series.ts";
import { forEachMark } from "./marks.ts";
import { makeTrack } from "./track.ts";
import type { Series } from "../api/series.ts";

function marks(series: Series, logY: boolean): string[] {
  const track = makeTrack(series, "step", 0, { runName: "r", color: "", dash: 0, isLive: false, startMs: null, span: null });
  const found: string[] = [];
  forEachMark(track, logY, (row, kind) => found.push(`${row} ${kind}`));
  return found;
}

test("each NaN and infinity has a mark at its row", () => {
  const series = pointSeries({ step: [0, 1, 2, 3, 4], value: [1, Number.NaN, Infinity, -Infinity, -5] });
  expect(marks(series, false)).toEqual(["1 nan", "2 up", "3 down"]);
  expect(marks(series, true)).toEqual(["1 nan", "2 up", "3 down", "4 nonpositive"]);
});

test("a bucket is marked for each kind that it holds", () => {
  expect(marks(bucketSeries([1, 2, Number.NaN, Infinity, 0, 3], 2), true)).toEqual(["1 nan", "1 up", "2 nonpositive"]);
});
