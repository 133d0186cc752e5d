import { describe, expect, it } from "vitest";
import { jsonNode, nodeHint, parseJson, type JsonNode } from "./json-tree.ts";

function plain(node: JsonNode): unknown {
  if (node.kind === "object") return Object.fromEntries(node.entries.map(([key, value]) => [key, plain(value)]));
  if (node.kind === "array") return node.items.map(plain);
  return node.kind === "string" ? node.text : JSON.parse(node.text);
}

describe("JSON as a tree", () => {
  it("says what JSON.parse says", () => {
    for (const text of ['{"a": [1, 2.5e-3, true, null, "x\\n\\u00e9 \\""], "b": {}, "c": []}', "3", '"x"', " [ ] ", "-0.5"]) {
      expect(plain(parseJson(text)!)).toEqual(JSON.parse(text));
    }
  });

  it("keeps the digits, and Python's NaN", () => {
    expect(parseJson("[9007199254740993, 1.0, NaN, -Infinity]")).toEqual({
      kind: "array",
      items: ["9007199254740993", "1.0", "NaN", "-Infinity"].map((text) => ({ kind: "number", text })),
    });
  });

  it.each(["", "{", "[1,]", "{a: 1}", "[1] 2", '"open', "01x", '{"a" 1}', "nul", '"a\nb"', '"\\x"'])("refuses %j", (text) => {
    expect(parseJson(text)).toBeNull();
  });

  it("refuses a depth that would exhaust the stack", () => {
    expect(parseJson("[".repeat(100_000))).toBeNull();
    expect(parseJson("[".repeat(150) + "]".repeat(150))).not.toBeNull();
  });

  it("takes a long string, and a long list", () => {
    expect(parseJson(`"${"a\\n".repeat(500_000)}"`)?.kind).toBe("string");
    expect(parseJson(`[${"1,".repeat(200_000)}1]`)).toMatchObject({ kind: "array" });
  });

  it("is made of parsed values too", () => {
    expect(plain(jsonNode({ a: [1, "x", null, false] }))).toEqual({ a: [1, "x", null, false] });
  });

  it("has a hint for what is closed", () => {
    expect(nodeHint(parseJson('{"a":1,"b":2,"c":3,"d":4,"e":5}')!)).toBe("{a, b, c, d, … 1 more}");
    expect(nodeHint(parseJson("[1,2]")!)).toBe("[2]");
  });
});
