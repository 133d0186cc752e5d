import { describe, expect, it } from "vitest";
import { compareCsv, compareMarkdown } from "./compare-export.ts";
import { compareRows } from "./compare-rows.ts";
import { exampleRun, exampleSeries } from "./example-runs.ts";

const runs = [
  exampleRun("a", { name: "base|line", params: { lr: "0.010000001", cmd: "=HYPERLINK(1)" }, typed_params: { lr: 0.010000001, cmd: "=HYPERLINK(1)" }, series: [exampleSeries("loss", -0.123456789)] }),
  exampleRun("b", { name: "b", params: { lr: "0.1", cmd: 'two\n"lines"' }, typed_params: { lr: 0.1, cmd: 'two\n"lines"' }, series: [exampleSeries("loss", 0.5)] }),
];
const columns = runs.map((run) => ({ name: run.name, runId: run.run_id }));
const rows = compareRows(runs, "last", null, 0);

describe("a comparison", () => {
  it("is a Markdown table with every digit, the best in bold, and cells that stay cells", () => {
    const lines = compareMarkdown(columns, rows).split("\n");
    expect(lines[0]).toBe("|  | base\\|line | b |");
    expect(lines[1]).toBe("| --- | --- | --- |");
    expect(lines).toContain("| param lr | 0.010000001 | 0.1 |");
    expect(lines).toContain("| metric loss ↓ | **-0.123456789** | 0.5 |");
    expect(lines).toContain('| param cmd | =HYPERLINK(1) | two "lines" |');
  });

  it("is CSV that no spreadsheet runs", () => {
    const text = compareCsv(columns, rows);
    expect(text).toContain("kind,name,base|line,b\r\n");
    expect(text).toContain("metric,loss,-0.123456789,0.5\r\n");
    expect(text).toContain(`param,cmd,'=HYPERLINK(1),"two\n""lines"""\r\n`);
  });
});
