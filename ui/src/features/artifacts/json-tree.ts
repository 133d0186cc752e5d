// JSON as a tree whose numbers keep the digits they were written with.

import { formatCount } from "../../lib/format.ts";

export type JsonNode =
  | { readonly kind: "object"; readonly entries: readonly (readonly [key: string, value: JsonNode])[] }
  | { readonly kind: "array"; readonly items: readonly JsonNode[] }
  | { readonly kind: "string" | "number" | "literal"; readonly text: string };

/** Deeper than anybody nests by hand; a hostile document may not exhaust the stack. */
const DEPTH_MAX = 200;

/** null: it does not parse (NaN and Infinity, which Python writes, are taken), or is too deep. */
export function parseJson(text: string): JsonNode | null {
  const reader = new Reader(text);
  try {
    const node = reader.value(0);
    reader.space();
    return reader.isAtEnd ? node : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

/** What JSON.parse made already, for documents that arrive so. */
export function jsonNode(value: unknown, depth = 0): JsonNode {
  if (depth > DEPTH_MAX) return { kind: "literal", text: "…" };
  if (Array.isArray(value)) return { kind: "array", items: value.map((item) => jsonNode(item, depth + 1)) };
  if (typeof value === "object" && value !== null) return { kind: "object", entries: Object.entries(value).map(([key, item]) => [key, jsonNode(item, depth + 1)] as const) };
  if (typeof value === "string") return { kind: "string", text: value };
  return { kind: typeof value === "number" ? "number" : "literal", text: String(value) };
}

const SPACE = /[ \t\r\n]*/y;
const NUMBER = /-?(?:\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|Infinity)/y;
const LITERAL = /true|false|null|NaN/y;
// Control characters within are refused by JSON.parse, which reads what this finds.
const STRING = /"[^"\\]*(?:\\.[^"\\]*)*"/y;

class Reader {
  private at = 0;

  constructor(private readonly text: string) {}

  get isAtEnd(): boolean {
    return this.at >= this.text.length;
  }

  space(): void {
    this.take(SPACE);
  }

  value(depth: number): JsonNode {
    if (depth > DEPTH_MAX) throw new SyntaxError("too deep");
    this.space();
    if (this.skip("{")) return this.object(depth);
    if (this.skip("[")) return this.array(depth);
    if (this.text[this.at] === '"') return { kind: "string", text: this.string() };
    const number = this.take(NUMBER);
    if (number !== null) return { kind: "number", text: number };
    const literal = this.take(LITERAL);
    if (literal !== null) return { kind: literal === "NaN" ? "number" : "literal", text: literal };
    throw new SyntaxError("no value");
  }

  private object(depth: number): JsonNode {
    const entries: [string, JsonNode][] = [];
    this.space();
    if (this.skip("}")) return { kind: "object", entries };
    do {
      this.space();
      const key = this.string();
      this.space();
      if (!this.skip(":")) throw new SyntaxError("no colon");
      entries.push([key, this.value(depth + 1)]);
      this.space();
    } while (this.skip(","));
    if (!this.skip("}")) throw new SyntaxError("no end");
    return { kind: "object", entries };
  }

  private array(depth: number): JsonNode {
    const items: JsonNode[] = [];
    this.space();
    if (this.skip("]")) return { kind: "array", items };
    do {
      items.push(this.value(depth + 1));
      this.space();
    } while (this.skip(","));
    if (!this.skip("]")) throw new SyntaxError("no end");
    return { kind: "array", items };
  }

  private string(): string {
    const raw = this.take(STRING);
    if (raw === null) throw new SyntaxError("no string");
    return JSON.parse(raw) as string;
  }

  private skip(mark: string): boolean {
    if (this.text[this.at] !== mark) return false;
    this.at += 1;
    return true;
  }

  private take(pattern: RegExp): string | null {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (found === null) return null;
    this.at = pattern.lastIndex;
    return found[0];
  }
}

/** A closed object or array in a few words: {lr, layers, … 12} */
export function nodeHint(node: JsonNode): string {
  if (node.kind === "array") return node.items.length === 0 ? "[]" : `[${formatCount(node.items.length)}]`;
  if (node.kind !== "object") return "";
  if (node.entries.length === 0) return "{}";
  const keys = node.entries.slice(0, 4).map(([key]) => (key.length > 24 ? `${key.slice(0, 23)}…` : key));
  const rest = node.entries.length - keys.length;
  return `{${keys.join(", ")}${rest > 0 ? `, … ${formatCount(rest)} more` : ""}}`;
}
