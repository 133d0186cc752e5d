import { expect, test } from "vitest";
import { bucketSeries, pointSeries } from "./example-series.ts";
import { csvOf, fileName } from "./export.ts";
import { makeTrack } from "./track.ts";

const track = (series: ReturnType<typeof pointSeries>, runName = "mlp") =>
  makeTrack(series, "step", 0, { runName, color: "", dash: 0, isLive: false, startMs: null, span: null });

test("points and buckets, bit for bit", () => {
  const csv = csvOf("loss", [track(pointSeries({ step: [0, 1, 2], value: [0.1 + 0.2, Number.NaN, Infinity] })), track(bucketSeries([5, -1, 2], 3, "r2"))], [0, 10]);
  expect(csv.split("\n")).toEqual([
    "metric,run_id,run,labels,step,time,value,points,first,min,max,nan",
    "loss,r1,mlp,,0,1970-01-01T00:00:00.000Z,0.30000000000000004,1,,,,0",
    "loss,r1,mlp,,1,1970-01-01T00:00:01.000Z,NaN,1,,,,1",
    "loss,r1,mlp,,2,1970-01-01T00:00:02.000Z,Infinity,1,,,,0",
    "loss,r2,mlp,,2,1970-01-01T00:00:02.000Z,2,3,5,-1,5,0",
    "",
  ]);
});

test("only what is in view", () => {
  expect(csvOf("m", [track(pointSeries({ step: [0, 1, 2], value: [1, 2, 3] }))], [1, 1]).split("\n")).toHaveLength(3);
});

test("text that means something to a spreadsheet is quoted", () => {
  const line = csvOf('a,"b"', [track(pointSeries({ step: [0], value: [1] }), "=cmd")], [0, 1]).split("\n")[1];
  expect(line).toContain('"a,""b"""');
  expect(line).toContain(",'=cmd,");
});

test("file names", () => {
  expect(fileName("train/loss @ 5%", "csv")).toBe("train-loss-5-.csv");
});
