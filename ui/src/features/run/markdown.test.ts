import { describe, expect, it } from "vitest";
import { MARKDOWN_MAX_CHARS, decodeEntities, readMarkdown, safeHref, type Block } from "./markdown.ts";

const fileUrl = (path: string) => (path === "plots/loss.png" ? "/files/plots/loss.png" : null);
const kinds = (blocks: Block[]) => blocks.map((block) => block.kind);
/** Everything that a reader or a browser would get. */
const all = (source: string) => JSON.stringify(readMarkdown(source, { fileUrl }));

describe("Markdown", () => {
  it("is taken apart into blocks", () => {
    const source = "# Title\n\nSome *text* with `code`.\n\n- a\n- [x] b\n\n1. one\n\n> quoted\n\n---\n\n```python\nx = 1\n```\n\n| a | b |\n|--:|---|\n| 1 | 2 |\n";
    const blocks = readMarkdown(source);
    expect(kinds(blocks)).toEqual(["heading", "paragraph", "list", "list", "quote", "rule", "code", "table"]);
    expect(blocks[2]).toMatchObject({ start: null, items: [{ done: null }, { done: true }] });
    expect(blocks[3]).toMatchObject({ start: 1 });
    expect(blocks[6]).toMatchObject({ text: "x = 1", language: "python" });
    expect(blocks[7]).toMatchObject({ head: [{ align: "right" }, { align: null }] });
  });

  it("keeps text of a tight list item with its emphasis", () => {
    expect(readMarkdown("- a **b**")).toEqual([
      { kind: "list", start: null, items: [{ done: null, children: [
        { kind: "paragraph", children: [{ kind: "text", text: "a " }, { kind: "strong", children: [{ kind: "text", text: "b" }] }] },
      ] }] },
    ]);
  });

  it("shows HTML as the text that it is", () => {
    expect(readMarkdown("<script>alert(1)</script>")).toEqual([
      { kind: "paragraph", children: [{ kind: "text", text: "<script>alert(1)</script>" }] },
    ]);
    expect(JSON.stringify(readMarkdown('hello <img src=x onerror="alert(1)"> you'))).toContain('<img src=x onerror=\\"alert(1)\\">');
    expect(all("a <b>c</b>")).not.toContain('"kind":"strong"');
  });

  it.each([
    "[x](javascript:alert(1))", "[x](JaVaScRiPt:alert(1))", "[x](data:text/html,<script>)", "[x](vbscript:x)", "[x](file:///etc/passwd)",
    "[x](java&#115;cript:alert(1))", "[x](<java\tscript:alert(1)>)", "![x](javascript:alert(1))", "[x](/api/v1/runs/delete)", "[x](//evil.example/x)",
    "[x](..%2f..%2fapi)", "[x](../../api)", "![x](data:image/svg+xml;base64,PHN2Zz4=)", "<javascript:alert(1)>", "[x][y]\n\n[y]: javascript:alert(1)",
  ])("makes no link of %s", (source) => {
    expect(all(source)).not.toMatch(/"(href|src)"/);
  });

  it("links to the web, and loads nothing from there", () => {
    expect(all("[x](https://example.com/a?b=1)")).toContain('"href":"https://example.com/a?b=1"');
    expect(all("https://example.com/")).toContain('"kind":"link"');
    const remote = readMarkdown("![a cat](https://example.com/cat.png)");
    expect(JSON.stringify(remote)).toContain('"href":"https://example.com/cat.png"');
    expect(JSON.stringify(remote)).not.toContain('"kind":"image"');
  });

  it("shows pictures among the run's own artifacts", () => {
    expect(all("![loss](plots/loss.png)")).toContain('{"kind":"image","src":"/files/plots/loss.png","alt":"loss"}');
    expect(all("![loss](./plots/loss.png)")).toContain('"kind":"image"');
    expect(all("![loss](plots/none.png)")).not.toContain('"kind":"image"');
  });

  it("decodes what is written as an entity, once", () => {
    expect(readMarkdown("1 &lt; 2 &amp;amp; &copy; &nosuch;")).toEqual([
      { kind: "paragraph", children: [{ kind: "text", text: "1 < 2 &amp; © &nosuch;" }] },
    ]);
    expect(decodeEntities("&#x41;&#66;&#0;&#xd800;")).toBe("AB&#0;&#xd800;");
    expect(readMarkdown("`a &lt; b`")).toEqual([{ kind: "paragraph", children: [{ kind: "code", text: "a &lt; b" }] }]);
  });

  it("takes hostile depth and length without fainting", () => {
    expect(kinds(readMarkdown(">".repeat(20_000)))).toEqual(["code"]);
    expect(kinds(readMarkdown("- ".repeat(5_000)))).toEqual(["code"]);
    expect(kinds(readMarkdown("[".repeat(10_000)))).toEqual(["code"]);
    expect(kinds(readMarkdown("_a".repeat(90_000)))).toEqual(["code"]);
    expect(kinds(readMarkdown(`${"_a".repeat(1990)}\n\n`.repeat(48)))).toEqual(["code"]);
    expect(kinds(readMarkdown("_a_ ".repeat(500)))).toEqual(["paragraph"]);
    expect(kinds(readMarkdown("x".repeat(MARKDOWN_MAX_CHARS + 1)))).toEqual(["code"]);
    expect(readMarkdown(`${"> ".repeat(40)}x`)).toHaveLength(1);
    expect(readMarkdown("")).toEqual([]);
  });
});

describe("an address in a note", () => {
  it("may be of the web or a file of the run", () => {
    expect(safeHref("mailto:a@example.com")).toBe("mailto:a@example.com");
    expect(safeHref("plots/loss.png", { fileUrl })).toBe("/files/plots/loss.png");
    expect(safeHref("plots/loss.png")).toBeNull();
    expect(safeHref("#top", { fileUrl })).toBeNull();
  });
});
