/** Datasets by themselves: their routes, and how they are said. */

import type { DatasetEntry } from "../../api/shapes.ts";
import { formatBytes, formatCount } from "../../lib/format.ts";

export function datasetPath(name: string): string {
  return `/datasets/${encodeURIComponent(name)}`;
}

type Sized = Pick<DatasetEntry, "row_count" | "column_count" | "file_count" | "size_bytes">;

function counted(count: number | null, one: string): string[] {
  return count === null ? [] : [`${formatCount(count)} ${count === 1 ? one : `${one}s`}`];
}

/** "1,437 rows, 65 columns, 120 kB", as far as it is known. */
export function sizeText(data: Sized): string {
  return [...counted(data.row_count, "row"), ...counted(data.column_count, "column"), ...counted(data.file_count, "file"), ...(data.size_bytes === null ? [] : [formatBytes(data.size_bytes)])].join(", ");
}

export interface Column {
  name: string;
  type: string;
  missing: number | null;
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);

/** The columns of a schema as Lineal says them; null where it is another one's, or has none. */
export function columnsOf(schema: unknown): Column[] | null {
  const columns = isObject(schema) ? schema["columns"] : null;
  if (!Array.isArray(columns) || columns.length === 0 || !columns.every(isObject)) return null;
  return columns.map((one) => ({
    name: String(one["name"] ?? ""),
    type: typeof one["type"] === "string" ? one["type"] : "",
    missing: typeof one["missing"] === "number" ? one["missing"] : null,
  }));
}

/** A filter that finds the runs which used the dataset, or one version of it. */
export function runsFilter(name: string, digest: string | null): string {
  const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`;
  return digest === null ? `datasets.name = ${quoted(name)}` : `datasets.name = ${quoted(name)} and datasets.digest = ${quoted(digest)}`;
}
