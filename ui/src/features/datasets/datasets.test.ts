import { describe, expect, it } from "vitest";
import { columnsOf, datasetPath, runsFilter, sizeText } from "./datasets.ts";

const NOTHING = { row_count: null, column_count: null, file_count: null, size_bytes: null };

describe("datasets", () => {
  it("says how much it is, as far as that is known", () => {
    expect(sizeText(NOTHING)).toBe("");
    expect(sizeText({ ...NOTHING, row_count: 1, column_count: 2 })).toBe("1 row, 2 columns");
    expect(sizeText({ ...NOTHING, row_count: 0, file_count: 1200 })).toMatch(/^0 rows, 1.?200 files$/);
  });

  it("reads schemas of ours, and no others", () => {
    expect(columnsOf({ columns: [{ name: "x", type: "int64", missing: 3 }, { name: "y" }] })).toEqual([
      { name: "x", type: "int64", missing: 3 },
      { name: "y", type: "", missing: null },
    ]);
    for (const other of [null, "text", [], {}, { columns: [] }, { columns: "x" }, { columns: [1] }, { mlflow_colspec: [{ name: "x" }] }]) expect(columnsOf(other)).toBeNull();
  });

  it("makes addresses and filters of any name", () => {
    expect(datasetPath("a/b c?%")).toBe("/datasets/a%2Fb%20c%3F%25");
    expect(runsFilter("it's", null)).toBe("datasets.name = 'it''s'");
    expect(runsFilter("x", "d1")).toBe("datasets.name = 'x' and datasets.digest = 'd1'");
  });
});
