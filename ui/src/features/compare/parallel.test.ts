import { describe, expect, test } from "vitest";
import { recordedRows } from "./compare-rows.ts";
import { exampleRun, exampleSeries } from "./example-runs.ts";
import { axesOf } from "./parallel.ts";

const runOf = (id: string, lr: number, optimizer: string | undefined, loss: number | "NaN") =>
  exampleRun(id, {
    params: { lr: String(lr), seed: "1", ...(optimizer === undefined ? {} : { optimizer }) },
    typed_params: { lr, seed: 1, ...(optimizer === undefined ? {} : { optimizer }) },
    series: [exampleSeries("loss", loss)],
  });
const axesFor = (...runs: ReturnType<typeof runOf>[]) => axesOf(recordedRows(runs, "last", null));

describe("axes", () => {
  const axes = axesFor(runOf("a", 0.1, "sgd", 1), runOf("b", 0.001, "adam", 3), runOf("c", 0.01, undefined, 2));

  test("are of what differs, params before metrics", () => {
    expect(axes.map(({ name, isMetric, arrow }) => [name, isMetric, arrow])).toEqual([
      ["lr", false, ""],
      ["optimizer", false, ""],
      ["loss", true, "↓"],
    ]);
  });

  test("place numbers by their size, or by their power where that tells more", () => {
    expect(axes[2]?.places).toEqual([0, 1, 0.5]);
    expect(axes[0]?.places[0]).toBe(1);
    expect(axes[0]?.places[1]).toBe(0);
    expect(axes[0]?.places[2]).toBeCloseTo(0.5);
    expect(axes[0]?.ticks.map((tick) => tick.text)).toEqual(["0.001", "0.01", "0.1"]);
  });

  test("place texts in their order, and leave out what is missing", () => {
    expect(axes[1]?.places).toEqual([1, 0, null]);
    expect(axes[1]?.ticks).toEqual([{ text: "adam", at: 0 }, { text: "sgd", at: 1 }]);
  });

  test("a value that is no number has no place", () => {
    expect(axesFor(runOf("a", 1, "x", 1), runOf("b", 2, "x", "NaN"), runOf("c", 3, "x", 2)).at(-1)?.places).toEqual([0, null, 1]);
  });

  test("are none where no param or no metric differs", () => {
    expect(axesFor(runOf("a", 0.1, "sgd", 1), runOf("b", 0.1, "sgd", 2))).toEqual([]);
    expect(axesFor(runOf("a", 0.1, "sgd", 1), runOf("b", 0.2, "sgd", 1))).toEqual([]);
  });

  test("texts that are all different in many runs are no choice", () => {
    const runs = Array.from({ length: 10 }, (_, n) => runOf(`r${n}`, n + 1, `name-${n}`, n));
    expect(axesFor(...runs).map((axis) => axis.name)).toEqual(["lr", "loss"]);
  });

  test("many or close values have round ticks in place of their own", () => {
    const runs = [0.5, 0.501, 0.9].map((loss, n) => runOf(`r${n}`, n + 1, "x", loss));
    const ticks = axesFor(...runs).at(-1)?.ticks ?? [];
    expect(ticks.map((tick) => tick.text)).toEqual(["0.5", "0.6", "0.7", "0.8", "0.9"]);
    expect(ticks.every(({ at }) => at >= 0 && at <= 1)).toBe(true);
  });
});
