/** Columns of the runs table. A column's id is its field as the filter language writes it, so it also sorts and filters. */

import type { ParamValue, RunRow } from "../../api/shapes.ts";
import { exactNumber, formatAgo, formatDuration, formatInColumn, formatParam, formatTime, numberOf } from "../../lib/format.ts";

export type ColumnKind = "attribute" | "metric" | "param" | "tag";

export interface Column {
  /** `name`, `metrics.val/acc`, params.`odd name` */
  id: string;
  kind: ColumnKind;
  /** Without the prefix. */
  name: string;
  label: string;
  /** Numbers stand right, so that their digits align. */
  right: boolean;
  width: number;
}

export const MIN_WIDTH = 40;
export const MAX_WIDTH = 800;

const PREFIX: Record<Exclude<ColumnKind, "attribute">, string> = { metric: "metrics.", param: "params.", tag: "tags." };

const ATTRIBUTES: Record<string, { label: string; right?: boolean; width: number }> = {
  name: { label: "Run", width: 176 },
  status: { label: "Status", width: 44 },
  start_time: { label: "Created", right: true, width: 104 },
  duration: { label: "Duration", right: true, width: 96 },
  experiment: { label: "Experiment", width: 116 },
  user_id: { label: "User", width: 110 },
  end_time: { label: "Ended", right: true, width: 104 },
  run_id: { label: "Run id", width: 130 },
  parent_run_id: { label: "Parent run", width: 130 },
  description: { label: "Description", width: 220 },
};

export const ATTRIBUTE_COLUMNS: readonly string[] = Object.keys(ATTRIBUTES);

/** The way the language writes a field: odd names go into quotes. */
export function fieldText(kind: ColumnKind | "json", name: string): string {
  if (kind === "attribute") return name;
  const prefix = kind === "json" ? "json." : PREFIX[kind];
  if (/^[^\s'"`=<>!^(),]+$/.test(name)) return prefix + name;
  return name.includes("`") ? `${prefix}"${name.replaceAll('"', '""')}"` : `${prefix}\`${name}\``;
}

/** The column of an id; null for what is none (an id typed by hand into the address). */
export function columnOf(id: string): Column | null {
  const attribute = Object.hasOwn(ATTRIBUTES, id) ? ATTRIBUTES[id] : undefined;
  if (attribute) return { id, kind: "attribute", name: id, label: attribute.label, right: attribute.right ?? false, width: attribute.width };
  for (const [kind, prefix] of Object.entries(PREFIX) as [keyof typeof PREFIX, string][]) {
    if (!id.startsWith(prefix) || id.length === prefix.length) continue;
    const name = unquoted(id.slice(prefix.length));
    return { id, kind, name, label: name, right: kind !== "tag", width: widthFor(kind, name) };
  }
  return null;
}

function unquoted(text: string): string {
  const quote = text[0];
  if (text.length < 2 || (quote !== "`" && quote !== '"') || !text.endsWith(quote)) return text;
  return quote === "`" ? text.slice(1, -1) : text.slice(1, -1).replaceAll('""', '"');
}

/** Eight characters, signs among them: no number of formatInColumn is cut off. */
const METRIC_WIDTH = 84;

function widthFor(kind: ColumnKind, name: string): number {
  const least = kind === "tag" ? 110 : kind === "metric" ? METRIC_WIDTH : 76;
  return Math.round(Math.min(180, Math.max(least, name.length * 7 + 30)));
}

export function columnsOf(ids: readonly string[]): Column[] {
  const seen = new Set<string>();
  return ids.flatMap((id) => {
    const column = seen.has(id) ? null : columnOf(id);
    seen.add(id);
    return column ? [column] : [];
  });
}

/** Params stand right only where they are numbers; of groups, the first column names their keys, and metrics need room for their spread. */
export function fitted(columns: readonly Column[], rows: readonly RunRow[], groupedBy: readonly Column[], known = new Map<string, boolean>()): Column[] {
  const grouped = groupedBy.length > 0;
  return columns.map((column) => {
    if (column.id === "name" && grouped) {
      return { ...column, label: groupedBy.map((one) => one.label).join(" \u00b7 "), width: column.width + 56 * groupedBy.length };
    }
    if (column.kind === "param") {
      const values = rows.map((row) => row.typed_params[column.name]).filter((value) => value !== undefined && value !== null);
      const numbers = values.filter((value) => typeof value === "number").length;
      // Once decided it stays so: a filter must not make columns twitch.
      if (values.length > 0 && !known.has(column.id)) known.set(column.id, numbers * 2 > values.length);
      return { ...column, right: known.get(column.id) ?? false };
    }
    return grouped && column.kind === "metric" ? { ...column, width: Math.max(column.width, SPREAD_WIDTH) } : column;
  });
}

const SPREAD_WIDTH = 136;

/** What a cell says, and all of it for the tooltip and for CSV. */
export interface Cell {
  text: string;
  full: string;
}

export const NOTHING: Cell = { text: "", full: "" };

export function cellOf(row: RunRow, column: Column, nowMs: number): Cell {
  if (column.kind === "metric") {
    const value = row.metrics[column.name];
    if (value === undefined) return NOTHING;
    const number = numberOf(value);
    return { text: formatInColumn(number), full: exactNumber(number) };
  }
  if (column.kind === "param") return paramCell(row.typed_params[column.name], row.params[column.name]);
  if (column.kind === "tag") return same(row.tags[column.name] ?? "");
  return attributeCell(row, column.name, nowMs);
}

function paramCell(value: ParamValue | undefined, text: string | undefined): Cell {
  if (text === undefined && value === undefined) return NOTHING;
  if (typeof value === "number") return { text: formatParam(value), full: text ?? String(value) };
  return same(text ?? String(value));
}

function attributeCell(row: RunRow, name: string, nowMs: number): Cell {
  switch (name) {
    case "name":
      return same(row.name);
    case "status":
      return same(row.status);
    case "experiment":
      return same(row.experiment_name);
    case "user_id":
      return same(row.user_id ?? "");
    case "run_id":
      return { text: row.run_id.slice(0, 12), full: row.run_id };
    case "parent_run_id":
      return { text: (row.parent_run_id ?? "").slice(0, 12), full: row.parent_run_id ?? "" };
    case "description":
      return same(row.description);
    case "start_time":
      return timeCell(row.start_time, nowMs);
    case "end_time":
      return timeCell(row.end_time, nowMs);
    case "duration":
      return durationCell(row, nowMs);
    default:
      return NOTHING;
  }
}

function timeCell(iso: string | null, nowMs: number): Cell {
  return iso === null ? NOTHING : { text: formatAgo(iso, nowMs), full: formatTime(iso) };
}

/** A run that goes on has lasted until now. */
function durationCell(row: RunRow, nowMs: number): Cell {
  const running = row.status === "running" && row.start_time !== null;
  const seconds = row.duration_seconds ?? (running ? (nowMs - Date.parse(row.start_time ?? "")) / 1000 : null);
  if (seconds === null || seconds < 0) return NOTHING;
  return { text: formatDuration(running ? Math.round(seconds) : seconds), full: `${Number(seconds.toFixed(3))} s` };
}

function same(text: string): Cell {
  return { text, full: text };
}

/** For CSV: what a program wants to read rather than a person. */
export function plainValue(row: RunRow, column: Column): string {
  if (column.kind === "metric") {
    const value = row.metrics[column.name];
    return value === undefined ? "" : String(value);
  }
  if (column.kind === "param") return row.params[column.name] ?? "";
  if (column.kind === "tag") return row.tags[column.name] ?? "";
  if (column.name === "start_time") return row.start_time ?? "";
  if (column.name === "end_time") return row.end_time ?? "";
  if (column.name === "duration") return row.duration_seconds === null ? "" : String(row.duration_seconds);
  return attributeCell(row, column.name, 0).full;
}
