// Notes in Markdown. marked only takes the text apart; what it found becomes a tree of our own kinds, which components
// draw as elements and text. No HTML string is ever made, so there is nothing to sanitise: HTML in a note is text.

import { Lexer, type MarkedToken, type Token, type Tokens } from "marked";

export type Align = "left" | "center" | "right" | null;

export type Inline =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "code"; readonly text: string }
  | { readonly kind: "break" }
  | { readonly kind: "strong" | "em" | "del"; readonly children: Inline[] }
  | { readonly kind: "link"; readonly href: string; readonly title: string | null; readonly children: Inline[] }
  | { readonly kind: "image"; readonly src: string; readonly alt: string };

export type Block =
  | { readonly kind: "heading"; readonly level: number; readonly children: Inline[] }
  | { readonly kind: "paragraph"; readonly children: Inline[] }
  | { readonly kind: "code"; readonly text: string; readonly language: string }
  | { readonly kind: "quote"; readonly children: Block[] }
  | { readonly kind: "list"; readonly start: number | null; readonly items: ListItem[] }
  | { readonly kind: "table"; readonly head: Cell[]; readonly rows: Cell[][] }
  | { readonly kind: "rule" };

export interface ListItem {
  /** null: no task. */
  readonly done: boolean | null;
  readonly children: Block[];
}

export interface Cell {
  readonly align: Align;
  readonly children: Inline[];
}

export interface MarkdownOptions {
  /** The address of a file that the text names relatively; null if there is none. Without it images are links. */
  readonly fileUrl?: (path: string) => string | null;
}

/** Beyond this a note is shown as plain text: taking it apart would hold the page up. */
export const MARKDOWN_MAX_CHARS = 200_000;
/** Quotes in quotes in lists: deeper ones are drawn flat, or a hostile note would exhaust the stack. */
const DEPTH_MAX = 24;
const MARKS_MAX_COUNT = 4_000;

export function readMarkdown(source: string, options: MarkdownOptions = {}): Block[] {
  if (source.length > MARKDOWN_MAX_CHARS || isDeep(source) || isDense(source)) return [{ kind: "code", text: source, language: "" }];
  try {
    return blocks(new Lexer({ gfm: true, breaks: false }).lex(source), options, 0);
  } catch {
    return [{ kind: "code", text: source, language: "" }];
  }
}

/** marked calls itself for each ">" and each list in a list; thousands of them on a line are nobody's note. */
function isDeep(source: string): boolean {
  return /^(?:[ \t]*(?:>|[-*+]|\d{1,9}[.)])){60}/m.test(source) || /[*_~[]{400}/.test(source);
}

/** Each mark of emphasis looks through its paragraph for its end: 4,000 in one take 0.3 s, 100,000 take two minutes. */
function isDense(source: string): boolean {
  let steps = 0;
  for (const paragraph of source.split(/\n[ \t]*\n/)) steps += (paragraph.match(/[*_]/g)?.length ?? 0) ** 2;
  return steps > MARKS_MAX_COUNT ** 2;
}

function blocks(tokens: readonly Token[], options: MarkdownOptions, depth: number): Block[] {
  return tokens.flatMap((token) => block(token as MarkedToken, options, depth));
}

function block(token: MarkedToken, options: MarkdownOptions, depth: number): Block[] {
  if (depth > DEPTH_MAX) return [{ kind: "code", text: token.raw, language: "" }];
  switch (token.type) {
    case "space":
    case "def":
      return [];
    case "heading":
      return [{ kind: "heading", level: token.depth, children: inlines(token.tokens, options, depth) }];
    case "paragraph":
      return [{ kind: "paragraph", children: inlines(token.tokens, options, depth) }];
    case "code":
      return [{ kind: "code", text: token.text, language: (token.lang ?? "").split(/\s/)[0] ?? "" }];
    case "blockquote":
      return [{ kind: "quote", children: blocks(token.tokens, options, depth + 1) }];
    case "hr":
      return [{ kind: "rule" }];
    case "list":
      return [list(token, options, depth)];
    case "table":
      return [
        {
          kind: "table",
          head: token.header.map((cell) => tableCell(cell, options, depth)),
          rows: token.rows.map((row) => row.map((cell) => tableCell(cell, options, depth))),
        },
      ];
    case "html":
      return token.text.trim() === "" ? [] : [{ kind: "paragraph", children: [{ kind: "text", text: token.text.trimEnd() }] }];
    default: {
      // Text of a tight list item, and whatever else stands where a block does.
      const children = inlines([token], options, depth);
      return children.length === 0 ? [] : [{ kind: "paragraph", children }];
    }
  }
}

function list(token: Tokens.List, options: MarkdownOptions, depth: number): Block {
  return {
    kind: "list",
    start: token.ordered ? Number(token.start) || (token.start === 0 ? 0 : 1) : null,
    items: token.items.map((item) => ({
      done: item.task ? item.checked === true : null,
      children: blocks(
        item.tokens.filter((inner) => inner.type !== "checkbox"),
        options,
        depth + 1,
      ),
    })),
  };
}

function tableCell(cell: Tokens.TableCell, options: MarkdownOptions, depth: number): Cell {
  return { align: cell.align, children: inlines(cell.tokens, options, depth) };
}

function inlines(tokens: readonly Token[], options: MarkdownOptions, depth: number): Inline[] {
  return tokens.flatMap((token) => inline(token as MarkedToken, options, depth + 1));
}

function inline(token: MarkedToken, options: MarkdownOptions, depth: number): Inline[] {
  if (depth > 2 * DEPTH_MAX) return [{ kind: "text", text: token.raw }];
  switch (token.type) {
    case "strong":
    case "em":
    case "del":
      return [{ kind: token.type, children: inlines(token.tokens, options, depth) }];
    case "codespan":
      return [{ kind: "code", text: token.text }];
    case "br":
      return [{ kind: "break" }];
    case "escape":
      return [{ kind: "text", text: token.text }];
    case "link":
      return link(token, options, depth);
    case "image":
      return [image(token.href, token.text, options)];
    case "checkbox":
      return [];
    case "text":
      if (token.tokens !== undefined) return inlines(token.tokens, options, depth);
      return [{ kind: "text", text: decodeEntities(token.text) }];
    default:
      return [{ kind: "text", text: token.raw }];
  }
}

function link(token: Tokens.Link, options: MarkdownOptions, depth: number): Inline[] {
  const children = inlines(token.tokens, options, depth);
  const href = safeHref(token.href, options);
  return href === null ? children : [{ kind: "link", href, title: token.title ?? null, children }];
}

/** A file of the run is shown; anything elsewhere is a link to follow, for loading it would tell its host who reads. */
function image(src: string, alt: string, options: MarkdownOptions): Inline {
  const file = isRelative(src) ? (options.fileUrl?.(decodePath(src)) ?? null) : null;
  if (file !== null) return { kind: "image", src: file, alt };
  if (/^data:image\/(png|jpeg|gif|webp);base64,/i.test(src)) return { kind: "image", src, alt };
  const href = safeHref(src, options);
  const text = `[image: ${alt || src}]`;
  return href === null ? { kind: "text", text } : { kind: "link", href, title: null, children: [{ kind: "text", text }] };
}

/** http, https and mailto, and files of the run. Everything else (javascript:, data:, file:, our own API) is no link. */
export function safeHref(href: string, options: MarkdownOptions = {}): string | null {
  if (isRelative(href)) return options.fileUrl?.(decodePath(href)) ?? null;
  try {
    const url = new URL(href);
    return ["http:", "https:", "mailto:"].includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

/** "plots/loss.png", but neither "/x", "//host/x", "#x", "?x", "\\x" nor "scheme:x". */
function isRelative(href: string): boolean {
  return /^[^/\\#?\s:][^\\:]*$/.test(href) && !href.split("/").includes("..");
}

function decodePath(path: string): string {
  const plain = path.replace(/^(\.\/)+/, "");
  try {
    return decodeURIComponent(plain);
  } catch {
    return plain;
  }
}

const ENTITIES: Readonly<Record<string, string>> = {
  amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: "\u00a0", copy: "©", reg: "®", trade: "™", hellip: "…",
  mdash: "—", ndash: "–", times: "×", plusmn: "±", deg: "°", micro: "µ", rarr: "→", larr: "←", le: "≤", ge: "≥", ne: "≠",
  asymp: "≈", alpha: "α", beta: "β", gamma: "γ", delta: "δ", epsilon: "ε", lambda: "λ", mu: "μ", sigma: "σ", theta: "θ",
};

/** The ones people write; another stays as it was written. */
export function decodeEntities(text: string): string {
  return text.replace(/&(#x[0-9a-f]{1,6}|#\d{1,7}|[a-z]{2,8});/gi, (whole, name: string) => {
    if (!name.startsWith("#")) return Object.hasOwn(ENTITIES, name) ? (ENTITIES[name] ?? whole) : whole;
    const code = /^#x/i.test(name) ? parseInt(name.slice(2), 16) : parseInt(name.slice(1), 10);
    return code > 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff) ? String.fromCodePoint(code) : whole;
  });
}
