import { describe, expect, test } from "vitest";
import { bucketSeries, pointSeries } from "./example-series.ts";
import { makeTrack, xOf, type TrackStyle } from "./track.ts";

const STYLE: TrackStyle = { runName: "one", color: "#123456", dash: 0, isLive: false, startMs: null, span: null };

describe("points", () => {
  test("NaN and infinities are counted and leave gaps", () => {
    const track = makeTrack(pointSeries({ step: [0, 1, 2, 3, 4], value: [1, Number.NaN, Infinity, -Infinity, 5] }), "step", 0, STYLE);
    expect([...track.y]).toEqual([1, Number.NaN, Number.NaN, Number.NaN, 5]);
    expect([track.nanCount, track.infiniteCount, track.pointCount]).toEqual([1, 2, 5]);
    expect(track.low).toBeNull();
    expect(track.line).toBe(track.y);
  });

  test("x by step, by time, since the run's start, since its own first point", () => {
    const series = pointSeries({ step: [5, 6], value: [1, 2], timeMs: [70_000, 75_000] });
    expect([...xOf(series, "step", null)]).toEqual([5, 6]);
    expect([...xOf(series, "time", null)]).toEqual([70_000, 75_000]);
    expect([...xOf(series, "relative", 60_000)]).toEqual([10, 15]);
    expect([...xOf(series, "relative", null)]).toEqual([0, 5]);
  });

  test("steps that go back are found in order of x", () => {
    const track = makeTrack(pointSeries({ step: [0, 1, 2, 1, 2], value: [1, 2, 3, 4, 5] }), "step", 0, STYLE);
    expect([...track.sortedX]).toEqual([0, 1, 1, 2, 2]);
    expect([...(track.order ?? [])]).toEqual([0, 1, 3, 2, 4]);
  });

  test("smoothing keeps what was logged", () => {
    const track = makeTrack(pointSeries({ step: [0, 1, 2, 3], value: [0, 1, 0, 1] }), "step", 0.999, STYLE);
    expect([...track.y]).toEqual([0, 1, 0, 1]);
    expect(track.line[3]).toBeCloseTo(0.5, 0);
  });

  test("a zoomed part is smoothed as the whole was", () => {
    const part = pointSeries({ step: [100, 101, 102], value: [0, 1, 0] });
    const alone = makeTrack(part, "step", 0.99, STYLE);
    const within = makeTrack(part, "step", 0.99, { ...STYLE, span: 1000 });
    expect(within.line[2]).toBeCloseTo(1 / 3, 1);
    expect(alone.line[2]).toBeLessThan(within.line[2] as number);
  });
});

describe("buckets", () => {
  const noise = Array.from({ length: 1000 }, (_, i) => Math.sin(i * 12.9898) * 0.1);

  test("the line goes through the last of each, the band from smallest to largest", () => {
    const track = makeTrack(bucketSeries([1, 9, 2, 5, -4, 6], 3), "step", 0, STYLE);
    expect([...track.x]).toEqual([2, 5]);
    expect(track.startX).toBe(0);
    expect([...track.y]).toEqual([2, 6]);
    expect([...(track.low ?? [])]).toEqual([1, -4]);
    expect([...(track.high ?? [])]).toEqual([9, 6]);
    expect(track.pointCount).toBe(6);
  });

  test("one spike among many points is drawn as a stroke", () => {
    const values = [...noise];
    values[512] = 40;
    const track = makeTrack(bucketSeries(values, 10), "step", 0, STYLE);
    expect(track.spikes).toEqual([{ row: 51, value: 40 }]);
    values[700] = -30;
    expect(makeTrack(bucketSeries(values, 10), "step", 0, STYLE).spikes).toEqual([{ row: 51, value: 40 }, { row: 70, value: -30 }]);
  });

  test("noise has no spikes", () => {
    expect(makeTrack(bucketSeries(noise, 10), "step", 0, STYLE).spikes).toEqual([]);
  });

  test("NaN in a bucket is counted, its finite values are drawn", () => {
    const track = makeTrack(bucketSeries([1, Number.NaN, Number.NaN, 4, Number.NaN, Number.NaN], 2), "step", 0, STYLE);
    expect(track.nanCount).toBe(4);
    expect([...track.y]).toEqual([1, 4, Number.NaN]);
  });

  test("an infinity does not swallow the finite values beside it", () => {
    const track = makeTrack(bucketSeries([1, Infinity, 3, 2, 2, 2], 3), "step", 0, STYLE);
    expect(track.infiniteCount).toBe(1);
    expect([...(track.high ?? [])]).toEqual([3, 2]);
    expect([...(track.low ?? [])]).toEqual([1, 2]);
    const all = makeTrack(bucketSeries([Infinity, Infinity], 2), "step", 0, STYLE);
    expect(all.infiniteCount).toBe(1);
    expect(all.y[0]).toBeNaN();
  });
});
