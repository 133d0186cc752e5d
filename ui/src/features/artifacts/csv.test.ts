import { describe, expect, it } from "vitest";
import { CSV_MAX_COLUMNS, CSV_MAX_ROWS, guessDelimiter, parseCsv } from "./csv.ts";

describe("CSV", () => {
  it("has quotes, doubled quotes, delimiters and line breaks within", () => {
    const table = parseCsv('name,note\r\n"a, b","he said ""x""\nand left"\r\nplain,\r\n');
    expect(table.header).toEqual(["name", "note"]);
    expect(table.rows).toEqual([["a, b", 'he said "x"\nand left'], ["plain", ""]]);
  });

  it("has its delimiter guessed", () => {
    expect(guessDelimiter("a;b;c\n1,5;2;3")).toBe(";");
    expect(guessDelimiter("a\tb\n")).toBe("\t");
    expect(guessDelimiter('"a;b;c;d",x,y')).toBe(",");
    expect(parseCsv("a\n1\n2").rows).toEqual([["1"], ["2"]]);
  });

  it("knows columns of numbers", () => {
    expect(parseCsv("n,t,e\n1,x,\n-2.5e3,1,NaN\n").isNumeric).toEqual([true, false, true]);
  });

  it("keeps the last row without a line break, and leaves out one that was cut", () => {
    expect(parseCsv("a,b\n1,2\n3,4").rows).toHaveLength(2);
    expect(parseCsv("a,b\n1,2\n3,", false).rows).toEqual([["1", "2"]]);
    expect(parseCsv("a,b\n1,2\n3,", true).rows).toEqual([["1", "2"], ["3", ""]]);
  });

  it("is bounded, and says how much there is", () => {
    const table = parseCsv(Array.from({ length: 2_001 }, () => Array.from({ length: 150 }, () => "1").join(",")).join("\n"));
    expect(table.rows).toHaveLength(CSV_MAX_ROWS);
    expect(table.header).toHaveLength(CSV_MAX_COLUMNS);
    expect(table).toMatchObject({ rowCount: 2_000, columnCount: 150 });
  });

  it("takes a byte order mark, ragged rows, an open quote and nothing at all", () => {
    expect(parseCsv("\ufeffa,b\n1\n1,2,3").header).toEqual(["a", "b", ""]);
    expect(parseCsv('a\n"never closed').rows).toEqual([["never closed"]]);
    expect(parseCsv("")).toMatchObject({ header: [], rows: [], rowCount: 0 });
  });
});
