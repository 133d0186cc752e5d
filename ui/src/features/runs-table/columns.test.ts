import { describe, expect, it } from "vitest";
import type { RunRow } from "../../api/shapes.ts";
import { autoColumns, differingParams, numbersFirst, tellingMetrics } from "./auto-columns.ts";
import { cellOf, columnOf, columnsOf, fieldText, fitted, plainValue, type Column } from "./columns.ts";
import { csvText } from "./csv.ts";
import { clickSort, parseSorts, sortTexts, type Sort } from "./sorting.ts";
import { MAX_HEIGHT, scrollTopFor, slotsOf, windowOf } from "./virtual.ts";

function row(part: Partial<RunRow>): RunRow {
  const params = part.params ?? {};
  return {
    run_id: "abc",
    name: "run",
    status: "finished",
    experiment_name: "digits",
    start_time: "2026-11-25T10:00:00.000Z",
    end_time: null,
    duration_seconds: 61.5,
    metrics: {},
    tags: {},
    typed_params: params,
    ...part,
    params,
  } as RunRow;
}

const column = (id: string): Column => columnOf(id) as Column;
const NOW = Date.parse("2026-11-25T12:00:00Z");

describe("a column", () => {
  it.each(["val/acc", "a.b", "odd name", "it's", "x`y", 'x`"y', "f(x)"])("is named as the language names it: %s", (name) => {
    expect(columnOf(fieldText("metric", name))).toMatchObject({ kind: "metric", name });
  });

  it("that does not exist is none, and none comes twice", () => {
    expect(columnsOf(["nonsense", "metrics.", "name", "params.lr", "params.lr"]).map((one) => one.id)).toEqual(["name", "params.lr"]);
  });

  it("shows values short, and whole on demand", () => {
    const one = row({ metrics: { acc: 0.123456789, bad: "NaN" }, params: { lr: "0.001", net: "mlp" }, typed_params: { lr: 0.001, net: "mlp" } });
    expect(cellOf(one, column("metrics.acc"), NOW)).toEqual({ text: "0.1235", full: "0.123456789" });
    expect(cellOf(one, column("metrics.bad"), NOW).text).toBe("NaN");
    expect(cellOf(one, column("metrics.none"), NOW).text).toBe("");
    expect(cellOf(one, column("params.lr"), NOW)).toEqual({ text: "0.001", full: "0.001" });
    expect(cellOf(one, column("start_time"), NOW).text).toBe("2 h ago");
    expect(plainValue(one, column("start_time"))).toBe("2026-11-25T10:00:00.000Z");
    expect(plainValue(one, column("metrics.bad"))).toBe("NaN");
  });

  it("lets a running run's duration grow", () => {
    const one = row({ status: "running", duration_seconds: null });
    expect(cellOf(one, column("duration"), NOW).text).toBe("2 h");
  });
});

it("params stand right where they are numbers, and stay there", () => {
  const columns = columnsOf(["params.lr", "params.net"]);
  const rows = [row({ params: { lr: "0.1", net: "mlp" }, typed_params: { lr: 0.1, net: "mlp" } })];
  const known = new Map<string, boolean>();
  expect(fitted(columns, rows, [], known).map((one) => one.right)).toEqual([true, false]);
  expect(fitted(columns, [], [], known).map((one) => one.right)).toEqual([true, false]);
});

describe("automatic columns", () => {
  const rows = [1, 2, 3].map((n) =>
    row({
      metrics: { epoch: 9, "train/loss": n / 10, "val/acc": 0.9 + n / 100, constant: 1, "system/gpu": n },
      params: { lr: String(n), optimizer: "adam", ...(n === 3 ? { extra: "x" } : {}) },
    }),
  );

  it("prefer held-out quality, and leave bookkeeping for last", () => {
    expect(tellingMetrics(rows).slice(0, 2)).toEqual(["val/acc", "train/loss"]);
    expect(tellingMetrics(rows)).not.toContain("epoch");
  });

  it("come with the experiment last where few are in sight", () => {
    expect(numbersFirst(autoColumns(rows, true)).slice(0, 2)).toEqual(["status", "metrics.val/acc"]);
    expect(numbersFirst(["status", "experiment", "duration"])).toEqual(["status", "duration", "experiment"]);
    expect(numbersFirst(["status"])).toEqual(["status"]);
  });

  it("show params that differ, and no others", () => {
    expect(differingParams(rows)).toEqual(["lr", "extra"]);
  });

  it("of one run or none are still columns", () => {
    expect(autoColumns([], true)).toEqual(["status", "experiment", "start_time", "duration"]);
    expect(differingParams(rows.slice(0, 1))).toEqual(["lr", "optimizer"]);
  });
});

describe("sorting", () => {
  it("goes through best first, the other way, unsorted", () => {
    let sorts: Sort[] = [];
    const seen: string[][] = [];
    for (let n = 0; n < 3; n += 1) {
      sorts = clickSort(sorts, "metrics.val/acc", false);
      seen.push(sortTexts(sorts));
    }
    expect(seen).toEqual([["metrics.val/acc desc"], ["metrics.val/acc"], []]);
    expect(sortTexts(clickSort([], "metrics.loss", false))).toEqual(["metrics.loss"]);
  });

  it("adds keys with shift, and one click without it leaves only its own", () => {
    const two = clickSort(parseSorts(["params.lr"]), "metrics.acc", true);
    expect(sortTexts(two)).toEqual(["params.lr", "metrics.acc desc"]);
    expect(sortTexts(clickSort(two, "params.lr", true))).toEqual(["params.lr desc", "metrics.acc desc"]);
    expect(sortTexts(clickSort(two, "metrics.acc", false))).toEqual(["metrics.acc"]);
    expect(sortTexts(clickSort(two, "name", false))).toEqual(["name"]);
  });

  it("reads what it writes", () => {
    const texts = ["metrics.`a desc` desc", "name"];
    expect(sortTexts(parseSorts(texts))).toEqual(texts);
  });
});

describe("the window of rows in sight", () => {
  it("covers the view, and no more than asked for beside it", () => {
    expect(windowOf(100_000, 32, 3200, 640, 4)).toEqual({ first: 96, end: 124, height: 3_200_000, top: 96 * 32 });
    expect(windowOf(3, 32, 0, 640, 4)).toMatchObject({ first: 0, end: 3, height: 96 });
    expect(windowOf(0, 32, 0, 640, 4)).toMatchObject({ first: 0, end: 0 });
  });

  it("reaches the last of ten million rows", () => {
    const count = 10_000_000;
    const last = windowOf(count, 32, MAX_HEIGHT - 640, 640, 4);
    expect(last.height).toBe(MAX_HEIGHT);
    expect(last.end).toBe(count);
    const bottom = last.top + (last.end - last.first) * 32;
    expect(bottom).toBeCloseTo(MAX_HEIGHT, 3);
  });

  it("keeps rows in their slots while scrolling", () => {
    expect(slotsOf(0, 5, 5)).toEqual([0, 1, 2, 3, 4]);
    expect(slotsOf(2, 7, 5)).toEqual([5, 6, 2, 3, 4]);
    expect(slotsOf(7, 9, 5)).toEqual([-1, -1, 7, 8, -1]);
  });

  it("scrolls only when it must", () => {
    expect(scrollTopFor(10, 1000, 32, 300, 640)).toBe(300);
    expect(scrollTopFor(2, 1000, 32, 300, 640)).toBe(64);
    expect(scrollTopFor(50, 1000, 32, 300, 640)).toBe(51 * 32 - 640);
  });
});

it("CSV keeps commas, quotes, lines and spaces", () => {
  expect(csvText(["a", "b"], [["x,y", 'say "hi"'], ["two\nlines", " pad"]])).toBe('a,b\r\n"x,y","say ""hi"""\r\n"two\nlines"," pad"\r\n');
});
