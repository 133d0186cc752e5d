import { describe, expect, test } from "vitest";
import { domainOf } from "./domain.ts";
import { bucketSeries, pointSeries } from "./example-series.ts";
import { coverage, describe as say, exceptions } from "./notes.ts";
import { makeTrack, type Track } from "./track.ts";
import type { Series } from "../api/series.ts";

const track = (series: Series): Track =>
  makeTrack(series, "step", 0, { runName: "mlp", color: "", dash: 0, isLive: false, startMs: null, span: null });
const plain = (text: string): string => text.replaceAll(/[\u202f\u00a0]/g, ",");

describe("coverage", () => {
  const buckets = track(bucketSeries(Array.from({ length: 100_000 }, (_, i) => i), 200));

  test("says how many points are behind", () => {
    expect(plain(coverage([buckets], null).text)).toBe("100,000 points in 500 buckets");
    expect(coverage([track(pointSeries({ step: [1, 2], value: [1, 2] }))], null).text).toBe("all 2 points");
    expect(coverage([track(pointSeries({ step: [1], value: [1] }))], null).text).toBe("all 1 point");
  });

  test("zoomed, of what is in view", () => {
    expect(plain(coverage([buckets], [0, 999]).text)).toBe("1,000 points in view in 5 buckets");
    expect(coverage([track(pointSeries({ step: [1, 2, 3], value: [1, 2, 3] }))], [2, 3]).text).toBe("all 2 points in view");
  });
});

describe("exceptions", () => {
  const domain = (tracks: Track[], logY: boolean, robust = false) => domainOf(tracks, { logX: logY, logY, robust, zoom: null });

  test("nothing to say of ordinary data", () => {
    const tracks = [track(pointSeries({ step: [1, 2], value: [1, 2] }))];
    expect(exceptions(tracks, domain(tracks, false), false)).toEqual([]);
  });

  test("counts NaN, infinities, and what a log axis cannot hold", () => {
    const tracks = [track(pointSeries({ step: [0, 1, 2, 3], value: [Number.NaN, Infinity, -2, 5] }))];
    expect(exceptions(tracks, domain(tracks, true), false).map((note) => note.text)).toEqual(["1 NaN", "1 infinite", "1 \u2264 0", "1 at x \u2264 0"]);
  });

  test("an infinity in a bucket may be several", () => {
    const tracks = [track(bucketSeries([1, Infinity, Infinity, 2], 4))];
    expect(exceptions(tracks, domain(tracks, false), false)[0]?.text).toBe("at least 1 infinite");
  });
});

test("the label says title, axis, runs and last values", () => {
  const tracks = Array.from({ length: 7 }, (_, i) => track(pointSeries({ run: `r${i}`, step: [0, 1], value: [9, i] })));
  const text = say("train/loss", "step", tracks);
  expect(text).toContain("Line chart of train/loss by step, 7 runs.");
  expect(text).toContain("mlp 0, mlp 1");
  expect(text).toContain("and 2 more");
});
