import { expect, test } from "vitest";
import { bucketSeries, pointSeries } from "./example-series.ts";
import { makeTrack, type XKind } from "./track.ts";
import { stepRangeOf } from "./zoom-range.ts";

const track = (series: ReturnType<typeof pointSeries>, kind: XKind = "step") =>
  makeTrack(series, kind, 0, { runName: "r", color: "", dash: 0, isLive: false, startMs: null, span: null });
const values = Array.from({ length: 100 }, (_, i) => i);

test("steps a little wider than the view", () => {
  expect(stepRangeOf([20, 40], "step", [track(bucketSeries(values, 10))])).toEqual([18, 42]);
});

test("nothing to ask for when every point is there", () => {
  expect(stepRangeOf([20, 40], "step", [track(pointSeries({ step: values, value: values }))])).toBeNull();
  expect(stepRangeOf([20, 40], "step", [track(bucketSeries(values, 1))])).toBeNull();
});

test("by time, the steps of the buckets that touch the view", () => {
  // Buckets end at 9 s, 19 s, 29 s ...: 12 s to 25 s touches the second and the third.
  expect(stepRangeOf([12_000, 25_000], "time", [track(bucketSeries(values, 10), "time")])).toEqual([10, 29]);
  expect(stepRangeOf([500_000, 600_000], "time", [track(bucketSeries(values, 10), "time")])).toBeNull();
});
