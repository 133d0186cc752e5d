import { describe, expect, it } from "vitest";
import { buildTree, groupPaths, nameParts, readParams, shownText, visibleRows, type Param } from "./params-tree.ts";

const PARAMS = readParams(
  { lr: "0.01", "optim/name": "adam", "optim/betas/0": "0.9", "optim/betas/1": "0.999", layer10: "1", layer2: "2", deep: "True" },
  { lr: 0.01, "optim/name": "adam", "optim/betas/0": 0.9, "optim/betas/1": 0.999, layer10: 1, layer2: 2, deep: true },
);

const shown = (search = "", closed: string[] = []) =>
  visibleRows(buildTree(PARAMS), new Set(closed), search).map((row) => `${"  ".repeat(row.depth)}${row.node.key}${row.isGroup ? "/" : ""}`);

describe("the tree of params", () => {
  it("nests by slash, values before groups, numbers in names in their order", () => {
    expect(shown()).toEqual(["deep", "layer2", "layer10", "lr", "optim/", "  name", "  betas/", "    0", "    1"]);
  });

  it("counts what a group holds", () => {
    const optim = buildTree(PARAMS).children.find((node) => node.key === "optim");
    expect(optim?.count).toBe(3);
  });

  it("hides what a closed group holds", () => {
    expect(shown("", ["optim"])).toEqual(["deep", "layer2", "layer10", "lr", "optim/"]);
    expect(shown("", ["optim/betas"]).at(-1)).toBe("  betas/");
  });

  it("finds by name and by value, with the groups around, also in closed ones", () => {
    expect(shown("ADAM", ["optim"])).toEqual(["optim/", "  name"]);
    expect(shown("betas/1")).toEqual(["optim/", "  betas/", "    1"]);
    expect(shown("nothing like it")).toEqual([]);
  });

  it("keeps a value and a group of the same name apart", () => {
    const rows = visibleRows(buildTree(readParams({ a: "1", "a/b": "2" }, { a: 1, "a/b": 2 })), new Set(), "");
    expect(rows.map((row) => [row.node.path, row.isGroup])).toEqual([["a", false], ["a", true], ["a/b", false]]);
  });

  it("leaves names with empty parts whole", () => {
    expect(nameParts("a//b")).toEqual(["a//b"]);
    expect(nameParts("/a")).toEqual(["/a"]);
    expect(nameParts("a/b")).toEqual(["a", "b"]);
  });

  it("takes names that are words of JavaScript", () => {
    const tree = buildTree([{ name: "constructor/__proto__", text: "x", kind: "text" }]);
    expect(tree.children[0]?.children[0]?.param?.text).toBe("x");
  });

  it("lists every group once", () => {
    expect(groupPaths(buildTree(PARAMS)).sort()).toEqual(["optim", "optim/betas"]);
  });

  it("builds names 400 deep without running out of stack", () => {
    const many = Array.from({ length: 500 }, (_, i): Param => ({ name: `${"a/".repeat(400)}${i}`, text: "1", kind: "number" }));
    expect(visibleRows(buildTree(many), new Set(), "").length).toBe(900);
  });
});

describe("a value as it is shown", () => {
  const text = (name: string, kind: Param["kind"] = "text") => shownText({ name: "p", text: name, kind });

  it("is quoted only where it would read as another type", () => {
    expect(text("adam")).toBe("adam");
    expect(text("0.1")).toBe('"0.1"');
    expect(text("")).toBe('""');
    expect(text("True")).toBe('"True"');
    expect(text(" x")).toBe('" x"');
    expect(text("0.1", "number")).toBe("0.1");
  });

  it("keeps the digits that JavaScript would lose", () => {
    const [param] = readParams({ seed: "9007199254740993" }, { seed: 9007199254740992 });
    expect(shownText(param!)).toBe("9007199254740993");
  });
});
