// Params as a tree: "/" nests. A value keeps the text it was recorded with, so that 1.0 and 2**53 + 1 stay what they are.

export type ParamKind = "number" | "text" | "boolean" | "none";

export interface Param {
  readonly name: string;
  readonly text: string;
  readonly kind: ParamKind;
}

export interface ParamNode {
  /** The part of the name that this node adds. */
  readonly key: string;
  /** The name up to here. */
  readonly path: string;
  readonly children: ParamNode[];
  param: Param | null;
  /** Params at and below. */
  count: number;
}

export interface ParamRow {
  readonly node: ParamNode;
  readonly depth: number;
  readonly isGroup: boolean;
  readonly isOpen: boolean;
}

type TypedValue = number | string | boolean | null;

const NON_FINITE = new Set(["NaN", "Infinity", "-Infinity"]);

/** `texts` is how each value reads, `typed` what it is; a name that only one of them has is still shown. */
export function readParams(texts: Readonly<Record<string, string>>, typed: Readonly<Record<string, TypedValue>>): Param[] {
  const names = new Set([...Object.keys(typed), ...Object.keys(texts)]);
  return [...names].map((name) => {
    const value = typed[name];
    const kind = kindOf(value);
    return { name, text: texts[name] ?? valueText(value), kind };
  });
}

function kindOf(value: TypedValue | undefined): ParamKind {
  if (value === null) return "none";
  if (typeof value === "number") return "number";
  if (typeof value === "boolean") return "boolean";
  return "text";
}

export function valueText(value: TypedValue | undefined): string {
  if (value === null || value === undefined) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  return String(value);
}

/** The parts that a name nests by. An empty part would be a node without a name: such a name stays whole. */
export function nameParts(name: string): string[] {
  const parts = name.split("/");
  return parts.every((part) => part !== "") ? parts : [name];
}

export function buildTree(params: readonly Param[]): ParamNode {
  const root: ParamNode = { key: "", path: "", children: [], param: null, count: 0 };
  const known = new Map<string, ParamNode>();
  for (const param of params) {
    let node = root;
    node.count += 1;
    let path = "";
    for (const key of nameParts(param.name)) {
      path = path === "" ? key : `${path}/${key}`;
      let next = known.get(path);
      if (next === undefined) {
        next = { key, path, children: [], param: null, count: 0 };
        known.set(path, next);
        node.children.push(next);
      }
      next.count += 1;
      node = next;
    }
    node.param = param;
  }
  sortNode(root);
  for (const node of known.values()) sortNode(node);
  return root;
}

/** Plain values first, then groups, each by name; "layer2" before "layer10". */
function sortNode(node: ParamNode): void {
  node.children.sort((a, b) => Number(a.children.length > 0) - Number(b.children.length > 0) || byName(a.key, b.key));
}

const COLLATOR = new Intl.Collator("en", { numeric: true });

export function byName(a: string, b: string): number {
  return COLLATOR.compare(a, b) || (a < b ? -1 : a > b ? 1 : 0);
}

/** The rows on show. A search keeps what matches by name or value, and opens every group that holds a match. */
export function visibleRows(root: ParamNode, closed: ReadonlySet<string>, search: string): ParamRow[] {
  const wanted = search.trim().toLowerCase();
  const rows: ParamRow[] = [];
  if (wanted === "") collect(root, 0, rows, closed);
  else collectMatches(root, 0, rows, wanted);
  return rows;
}

function collect(node: ParamNode, depth: number, rows: ParamRow[], closed: ReadonlySet<string>): void {
  for (const child of node.children) {
    if (child.param !== null) rows.push({ node: child, depth, isGroup: false, isOpen: false });
    if (child.children.length === 0) continue;
    const isOpen = !closed.has(child.path);
    rows.push({ node: child, depth, isGroup: true, isOpen });
    if (isOpen) collect(child, depth + 1, rows, closed);
  }
}

function collectMatches(node: ParamNode, depth: number, rows: ParamRow[], wanted: string): void {
  for (const child of node.children) {
    if (child.param !== null && matches(child.param, wanted)) rows.push({ node: child, depth, isGroup: false, isOpen: false });
    if (child.children.length === 0) continue;
    const at = rows.length;
    rows.push({ node: child, depth, isGroup: true, isOpen: true });
    collectMatches(child, depth + 1, rows, wanted);
    if (rows.length === at + 1) rows.pop();
  }
}

function matches(param: Param, wanted: string): boolean {
  return param.name.toLowerCase().includes(wanted) || param.text.toLowerCase().includes(wanted);
}

/** Paths of the groups, all of them: for "collapse all", and for a start that shows a large tree closed. */
export function groupPaths(root: ParamNode): string[] {
  const paths: string[] = [];
  const waiting = [...root.children];
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    if (node.children.length === 0) continue;
    paths.push(node.path);
    waiting.push(...node.children);
  }
  return paths;
}

/** A text is quoted only where it would read as something else: "0.1" the text beside 0.1 the number. */
export function shownText(param: Param): string {
  if (param.kind !== "text" || NON_FINITE.has(param.text)) return param.text;
  const text = param.text;
  const readsOtherwise = text === "" || text !== text.trim() || ["True", "False", "None"].includes(text) || Number.isFinite(Number(text));
  return readsOtherwise ? JSON.stringify(text) : text;
}
