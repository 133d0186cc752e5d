import { expect, test } from "vitest";
import { pointSeries } from "./example-series.ts";
import { spansOf, TrackMaker, type ChartRun } from "./tracks.ts";

const run = (id: string, more: Partial<ChartRun> = {}): [string, ChartRun] => [id, { run_id: id, name: id, status: "finished", color: "#111111", ...more }];
const runs = new Map([run("a"), run("b", { start_time: "1970-01-01T00:00:10Z" })]);

test("a line is computed once, and again when its settings change", () => {
  const maker = new TrackMaker();
  const series = [pointSeries({ run: "a", step: [0, 1], value: [1, 2] })];
  const [first] = maker.make(series, runs, "step", 0, null);
  expect(maker.make(series, runs, "step", 0, null)[0]).toBe(first);
  expect(maker.make(series, runs, "step", 0.9, null)[0]).not.toBe(first);
  expect(maker.make(series, new Map([run("a", { color: "#222222" })]), "step", 0.9, null)[0]?.color).toBe("#222222");
});

test("labels are told apart by their dashes, the same ones alike in every run", () => {
  const labelled = (of: string, rank: string) => pointSeries({ run: of, labels: { rank }, step: [0], value: [1] });
  const tracks = new TrackMaker().make([labelled("a", "0"), labelled("a", "1"), labelled("b", "1")], runs, "step", 0, null);
  expect(tracks.map((track) => [track.labelText, track.dash])).toEqual([["rank=0", 0], ["rank=1", 1], ["rank=1", 1]]);
  expect(new Set(tracks.map((track) => track.key)).size).toBe(3);
});

test("relative time begins at the run's start", () => {
  const tracks = new TrackMaker().make([pointSeries({ run: "b", step: [0], value: [1], timeMs: [12_000] })], runs, "relative", 0, null);
  expect(tracks[0]?.x[0]).toBe(2);
});

test("series of a run that is not shown are left out; spans are by line", () => {
  const tracks = new TrackMaker().make([pointSeries({ run: "z", step: [0], value: [1] }), pointSeries({ run: "a", step: [3, 9, 5], value: [1, 1, 1] })], runs, "step", 0, null);
  expect(tracks.map((track) => track.runId)).toEqual(["a"]);
  expect([...spansOf(tracks).values()]).toEqual([6]);
});
