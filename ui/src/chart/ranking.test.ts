import { expect, test } from "vitest";
import { bucketSeries, pointSeries } from "./example-series.ts";
import { isRanking, rankingOf } from "./ranking.ts";
import { makeTrack, type Track } from "./track.ts";

const one = (name: string, value: number, isLive = false): Track =>
  makeTrack(pointSeries({ run: name, step: [7], value: [value] }), "step", 0, { runName: name, color: "", dash: 0, isLive, startMs: null, span: null });

test("largest first, NaN last, each with its place between the extremes", () => {
  const ranked = rankingOf([one("a", 1), one("b", Number.NaN), one("c", 3), one("d", 2), one("e", Infinity), one("f", -Infinity)]);
  expect(ranked.map(({ track, place }) => [track.runName, place])).toEqual([
    ["e", Number.NaN],
    ["c", 1],
    ["d", 0.5],
    ["a", 0],
    ["f", Number.NaN],
    ["b", Number.NaN],
  ]);
});

test("equal values lie in the middle, by name", () => {
  expect(rankingOf([one("run-10", 2), one("run-9", 2)]).map(({ track, place }) => [track.runName, place])).toEqual([["run-9", 0.5], ["run-10", 0.5]]);
});

test("only where every run has one point and has ended", () => {
  expect(isRanking([one("a", 1), one("b", 2)])).toBe(true);
  expect(isRanking([one("a", 1), one("b", 2, true)])).toBe(false);
  expect(isRanking([])).toBe(false);
  const many = makeTrack(bucketSeries([1, 2, 3], 3), "step", 0, { runName: "m", color: "", dash: 0, isLive: false, startMs: null, span: null });
  expect(isRanking([one("a", 1), many])).toBe(false);
});
