/** What the table shows, as a file: all pages of it, up to a bound. */

import { post } from "../../api/client.ts";
import type { RunRow, RunSearchAnswer } from "../../api/shapes.ts";
import { plainValue, type Column } from "./columns.ts";
import { csvText, saveText } from "./csv.ts";
import { searchOf, type RowQuery } from "./row-windows.svelte.ts";

export const EXPORT_MAX = 10_000;
const PAGE = 1000;

/** Every row that matches, up to EXPORT_MAX, by page tokens: stable while runs arrive. */
export async function allRows(query: RowQuery, limit: number, signal?: AbortSignal): Promise<{ rows: RunRow[]; total: number }> {
  const rows: RunRow[] = [];
  let token: string | null = null;
  let total: number;
  do {
    const body: Record<string, unknown> = { ...searchOf(query), limit: Math.min(PAGE, limit - rows.length) };
    if (token !== null) body["page_token"] = token;
    const answer: RunSearchAnswer = await post<RunSearchAnswer>("/runs/search", body, { signal });
    rows.push(...answer.runs);
    total = answer.total;
    token = answer.runs.length === 0 ? null : answer.next_page_token;
  } while (token !== null && rows.length < limit);
  return { rows, total };
}

/** The run's id comes first, so that a row can be found again. */
export function rowsAsCsv(rows: readonly RunRow[], columns: readonly Column[]): string {
  const shown = columns.filter((one) => one.id !== "run_id");
  return csvText(["run_id", ...shown.map((one) => one.id)], rows.map((row) => [row.run_id, ...shown.map((one) => plainValue(row, one))]));
}

export function saveCsv(rows: readonly RunRow[], columns: readonly Column[], name: string): void {
  saveText(`${name.replaceAll(/[^\w.-]+/g, "-") || "runs"}.csv`, "text/csv;charset=utf-8", rowsAsCsv(rows, columns));
}
