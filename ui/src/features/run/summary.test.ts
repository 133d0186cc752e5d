import { describe, expect, it } from "vitest";
import type { SeriesSummary, WireNumber } from "../../api/shapes.ts";
import { asNumber, headlineMetrics, searchRows, sortRows, summaryRows } from "./summary.ts";

const series = (name: string, last: WireNumber, labels: Record<string, string> = {}): SeriesSummary => ({
  name, labels, value_type: "float64", count: 3, nan_count: 0, first: 1, last, last_step: 2, last_at: null, min: 0, max: 1, mean: 0.5,
});
const ROWS = summaryRows(
  [series("system/gpu.0", 5), series("train/loss", "NaN"), series("val/acc", 0.9), series("epoch", "Infinity"), series("val/acc", 0.8, { rank: "1" })],
  { "val/acc": { goal: "max", step_metric: null, unit: "%" } },
);
const names = (rows: typeof ROWS) => rows.map((row) => row.series.name + row.labels);

describe("the summary of a run's metrics", () => {
  it("splits a name, and marks the declared direction", () => {
    expect(ROWS[2]).toMatchObject({ prefix: "val/", leaf: "acc", goal: "max", unit: "%" });
    expect(ROWS[1]).toMatchObject({ prefix: "train/", leaf: "loss", goal: null });
  });

  it("keeps rows of one metric apart by their labels", () => {
    expect(new Set(ROWS.map((row) => row.key)).size).toBe(5);
  });

  it("sorts by name with the machine's metrics last", () => {
    expect(names(sortRows(ROWS, "name", false))).toEqual(["epoch", "train/loss", "val/acc", "val/accrank=1", "system/gpu.0"]);
  });

  it("sorts by value with what is no number last, both ways", () => {
    expect(names(sortRows(ROWS, "last", true))).toEqual(["epoch", "system/gpu.0", "val/acc", "val/accrank=1", "train/loss"]);
    expect(names(sortRows(ROWS, "last", false)).at(-1)).toBe("train/loss");
  });

  it("finds by words of the name and labels", () => {
    expect(names(searchRows(ROWS, "acc RANK"))).toEqual(["val/accrank=1"]);
    expect(searchRows(ROWS, " ")).toHaveLength(5);
  });

  it("puts the declared metrics first among the few to draw, and leaves the machine's and single points out", () => {
    const single = { ...series("test/acc", 1), count: 1 };
    expect(headlineMetrics([single, ...ROWS.map((row) => row.series)], { "val/acc": { goal: "max", step_metric: null, unit: null } }, 4)).toEqual(["val/acc", "train/loss"]);
    expect(headlineMetrics(ROWS.map((row) => row.series), {}, 1)).toEqual(["train/loss"]);
  });

  it("tells two series of one metric apart by their type", () => {
    const two = summaryRows([series("loss", 1), { ...series("loss", 2), value_type: "int64" }, series("acc", 1)], {});
    expect(two.map((row) => row.labels)).toEqual(["float64", "int64", ""]);
    expect(new Set(two.map((row) => row.key)).size).toBe(3);
  });

  it("reads JSON's names for what JSON has not", () => {
    expect([asNumber("NaN"), asNumber("-Infinity"), asNumber(null), asNumber(2)]).toEqual([NaN, -Infinity, NaN, 2]);
  });
});
