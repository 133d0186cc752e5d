import { describe, expect, it } from "vitest";
import { compareRows, deltaText, groupRows, metricsOfInterest, type CompareRow } from "./compare-rows.ts";
import { directionOf } from "./direction.ts";
import { exampleRun, exampleSeries } from "./example-runs.ts";

const NOW = Date.parse("2026-11-25T11:00:00.000Z");
const A = exampleRun("a", {
  params: { lr: "0.01", model: "mlp", layers: "2", note: "0.1" },
  typed_params: { lr: 0.01, model: "mlp", layers: 2, note: "0.1" },
  tags: { team: "x" },
  series: [exampleSeries("val/loss", 0.5, { min: 0.2, max: 1 }), exampleSeries("val/acc", 0.9), exampleSeries("system/cpu", 50)],
});
const B = exampleRun("b", {
  params: { lr: "0.1", model: "mlp", layers: "2.0", dropout: "0.5", note: "0.1" },
  typed_params: { lr: 0.1, model: "mlp", layers: 2, dropout: 0.5, note: 0.1 },
  tags: { team: "x" },
  series: [exampleSeries("val/loss", 0.4, { min: 0.3, max: 2 }), exampleSeries("val/acc", "NaN"), exampleSeries("system/cpu", 50)],
  status: "failed",
  duration_seconds: 90,
});
const rows = compareRows([A, B], "last", null, NOW);
const find = (name: string, from = rows): CompareRow => from.find((row) => row.name === name)!;
const texts = (name: string, from = rows) => find(name, from).cells.map((cell) => cell.text);
const best = (name: string, from = rows) => find(name, from).cells.map((cell) => cell.isBest);

describe("runs side by side", () => {
  it("have a row for what any of them has", () => {
    expect(texts("dropout")).toEqual([null, "0.5"]);
    expect(find("dropout").isEqual).toBe(false);
  });

  it("are equal where the value is, whatever it was written as", () => {
    expect(find("model").isEqual).toBe(true);
    expect(find("layers").isEqual).toBe(true);
    expect(find("lr").isEqual).toBe(false);
  });

  it("differ where a text looks like the number", () => {
    expect(find("note").isEqual).toBe(false);
    expect(texts("note")).toEqual(['"0.1"', "0.1"]);
  });

  it("mark the best by direction; NaN is never best, and one value alone is not", () => {
    expect(best("val/loss")).toEqual([false, true]);
    expect(best("val/acc")).toEqual([true, false]);
    expect(best("system/cpu")).toEqual([false, false]);
    expect(best("only", compareRows([exampleRun("a", { series: [exampleSeries("only", 1)] }), A], "last", null, NOW))).toEqual([true, false].map(() => false));
  });

  it("mark the smallest or largest of the series when asked for", () => {
    const bests = compareRows([A, B], "best", null, NOW);
    expect(texts("val/loss", bests)).toEqual(["0.2", "0.3"]);
    expect(best("val/loss", bests)).toEqual([true, false]);
  });

  it("follow the declared direction, and the server's word", () => {
    const declared = { "val/loss": { goal: "max" as const, step_metric: null, unit: "nats" } };
    const turned = compareRows([{ ...A, metric_definitions: declared }, B], "last", null, NOW);
    expect(best("val/loss", turned)).toEqual([true, false]);
    expect(find("val/loss", turned)).toMatchObject({ direction: { goal: "max", isDeclared: true }, unit: "nats" });
    expect(best("val/loss", compareRows([A, B], "last", { "val/loss": { best_value: 0.5 } }, NOW))).toEqual([true, false]);
  });

  it("keep series with labels apart", () => {
    const labelled = exampleRun("c", { series: [exampleSeries("loss", 1), exampleSeries("loss", 2, { labels: { rank: "1" } })] });
    expect(texts("loss {rank=1}", compareRows([labelled, A], "last", null, NOW))).toEqual(["2", null]);
  });

  it("take names that are words of JavaScript", () => {
    const odd = exampleRun("c", { params: JSON.parse('{"__proto__": "1", "constructor": "2"}'), typed_params: JSON.parse('{"__proto__": 1, "constructor": 2}'), series: [exampleSeries("constructor", 1)] });
    const found = compareRows([odd, A], "last", null, NOW);
    expect(texts("constructor", found.filter((row) => row.section === "params"))).toEqual(["2", null]);
    expect(texts("__proto__", found)).toEqual(["1", null]);
  });
});

describe("what is shown", () => {
  it("is the differences first, equal rows folded", () => {
    const groups = groupRows(rows, "");
    expect(groups.map((group) => group.section)).toEqual(["run", "params", "metrics", "tags"]);
    expect(groups[1]!.shown.map((row) => row.name)).toEqual(["dropout", "lr", "note"]);
    expect(groups[1]!.folded.map((row) => row.name)).toEqual(["layers", "model"]);
    expect(groups[3]).toMatchObject({ shown: [], folded: [{ name: "team" }] });
  });

  it("has status and duration also when equal", () => {
    expect(groupRows(compareRows([A, exampleRun("c")], "last", null, NOW), "")[0]!.shown.map((row) => row.name)).toContain("Status");
  });

  it("is all that a search finds, by name or value", () => {
    expect(groupRows(rows, "mlp").map((group) => group.shown.map((row) => row.name))).toEqual([["model"]]);
    expect(groupRows(rows, "VAL/").flatMap((group) => group.shown).length).toBe(2);
  });

  it("puts the machine's metrics last", () => {
    expect(rows.filter((row) => row.section === "metrics").map((row) => row.name)).toEqual(["val/acc", "val/loss", "system/cpu"]);
  });
});

describe("the charts drawn first", () => {
  it("are of metrics declared, then of those that differ, then of those shared", () => {
    const alone = exampleRun("c", { series: [exampleSeries("alone", 1), exampleSeries("val/acc", 0.8), exampleSeries("system/cpu", 50)], metric_definitions: { "system/cpu": { goal: "min", step_metric: null, unit: null } } });
    const found = compareRows([A, B, alone], "last", null, NOW);
    expect(metricsOfInterest(found, ["alone", "val/acc", "val/loss", "system/cpu"], 3)).toEqual(["system/cpu", "val/acc", "val/loss"]);
  });
});

describe("a difference to the baseline", () => {
  const delta = (name: string) => deltaText(find(name).cells[1]!, find(name).cells[0], find(name).section);

  it("is a number, with its share for metrics", () => {
    expect(delta("val/loss")).toBe("−0.1 (−20%)");
    expect(delta("lr")).toBe("+0.09");
    expect(delta("system/cpu")).toBeNull();
    expect(delta("Duration")).toBe("+30 s");
  });

  it("of many times as much is a factor; the share has the difference's sign", () => {
    const cell = (number: number) => ({ text: String(number), full: String(number), number, isBest: false });
    expect(deltaText(cell(0.5), cell(0.0125), "metrics")).toBe("+0.487 (×40)");
    expect(deltaText(cell(-2), cell(-1), "metrics")).toBe("−1 (−100%)");
    expect(deltaText(cell(1), cell(0), "metrics")).toBe("+1");
    expect(deltaText(cell(1.00001), cell(1), "metrics")).toBe("+1e−5 (<0.1%)");
  });

  it("is nothing where there is no number", () => {
    expect(delta("val/acc")).toBeNull();
    expect(delta("dropout")).toBeNull();
    expect(delta("model")).toBeNull();
  });
});

describe("a direction", () => {
  it.each([
    ["loss", "min"], ["train/loss", "min"], ["valLoss", "min"], ["RMSE", "min"], ["losses", "min"], ["step_time", "min"],
    ["accuracy", "max"], ["glossary", "max"], ["timeout", "max"], ["f1", "max"], ["", "max"],
  ])("of %s is %s", (name, goal) => {
    expect(directionOf(name, undefined)).toEqual({ goal, isDeclared: false });
  });
});
