// Params as text to paste elsewhere: JSON, YAML, a Python dict. Nested as in the tree; numbers keep every digit.

import { buildTree, type Param, type ParamNode } from "./params-tree.ts";

export type ParamFormat = "json" | "yaml" | "python";

/** A group that is also a value cannot nest: there the whole names are kept. */
type Entry = { readonly key: string; readonly value: Param | Entry[] };

function entries(node: ParamNode): Entry[] {
  return node.children.flatMap((child): Entry[] => {
    if (child.children.length === 0) return child.param === null ? [] : [{ key: child.key, value: child.param }];
    if (child.param === null) return [{ key: child.key, value: entries(child) }];
    return [{ key: child.key, value: child.param }, ...flat(child, child.key)];
  });
}

function flat(node: ParamNode, prefix: string): Entry[] {
  return node.children.flatMap((child): Entry[] => {
    const key = `${prefix}/${child.key}`;
    return [...(child.param === null ? [] : [{ key, value: child.param }]), ...flat(child, key)];
  });
}

export function paramsText(params: readonly Param[], format: ParamFormat): string {
  const tree = entries(buildTree(params));
  if (format === "yaml") return tree.length === 0 ? "{}\n" : yamlLines(tree, 0).join("\n") + "\n";
  const write = format === "json" ? jsonScalar : pythonScalar;
  return braces(tree, 0, format === "json" ? 2 : 4, write, format === "python") + "\n";
}

function braces(tree: Entry[], depth: number, step: number, write: (param: Param) => string, trailing: boolean): string {
  if (tree.length === 0) return "{}";
  const pad = " ".repeat(step * (depth + 1));
  const lines = tree.map(({ key, value }) => {
    const text = Array.isArray(value) ? braces(value, depth + 1, step, write, trailing) : write(value);
    return `${pad}${JSON.stringify(key)}: ${text}`;
  });
  return `{\n${lines.join(",\n")}${trailing ? "," : ""}\n${" ".repeat(step * depth)}}`;
}

const NUMBER = /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/;

function jsonScalar(param: Param): string {
  if (param.kind === "none") return "null";
  if (param.kind === "boolean") return param.text === "True" || param.text === "true" ? "true" : "false";
  return param.kind === "number" && NUMBER.test(param.text) ? param.text : JSON.stringify(param.text);
}

/** JSON's escapes are Python's too, but for "\/", which JSON.stringify never writes. */
function pythonScalar(param: Param): string {
  if (param.kind === "none") return "None";
  if (param.kind === "boolean") return param.text === "True" || param.text === "true" ? "True" : "False";
  return param.kind === "number" && NUMBER.test(param.text) ? param.text : pythonString(param.text);
}

function pythonString(text: string): string {
  // JSON writes a lone surrogate as \ud800, which is the same in Python; everything else it escapes alike.
  return JSON.stringify(text);
}

function yamlLines(tree: Entry[], depth: number): string[] {
  const pad = "  ".repeat(depth);
  return tree.flatMap(({ key, value }) =>
    Array.isArray(value)
      ? [`${pad}${yamlString(key)}:`, ...yamlLines(value, depth + 1)]
      : [`${pad}${yamlString(key)}: ${value.kind === "text" ? yamlString(value.text) : yamlScalar(value)}`],
  );
}

/** PyYAML reads 1e-05 as text (its numbers need a dot before the exponent and a sign in it): write 1.0e-05. */
function yamlScalar(param: Param): string {
  const written = jsonScalar(param);
  const [mantissa = "", exponent] = written.split(/e/i);
  if (param.kind !== "number" || exponent === undefined) return written;
  return `${mantissa.includes(".") ? mantissa : `${mantissa}.0`}e${/^[+-]/.test(exponent) ? exponent : `+${exponent}`}`;
}

// Plain where every YAML reader, 1.1 and 1.2, takes it for text; else double-quoted, whose escapes are JSON's.
const PLAIN = /^[A-Za-z_][A-Za-z0-9_.-]*( [A-Za-z0-9_.-]+)*$/;
const YAML_WORDS = new Set(["y", "n", "yes", "no", "on", "off", "true", "false", "null"]);

function yamlString(text: string): string {
  return PLAIN.test(text) && !YAML_WORDS.has(text.toLowerCase()) ? text : JSON.stringify(text);
}
