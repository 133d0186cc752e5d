// The comparison as Markdown and as CSV, with every digit.

import type { CompareRow } from "./compare-rows.ts";

export interface ExportColumn {
  readonly name: string;
  readonly runId: string;
}

const SECTION_WORDS = { run: "", params: "param", metrics: "metric", tags: "tag" } as const;

function label(row: CompareRow): string {
  const word = SECTION_WORDS[row.section];
  return word === "" ? row.name : `${word} ${row.name}`;
}

export function compareMarkdown(columns: readonly ExportColumn[], rows: readonly CompareRow[]): string {
  const lines = [
    ["", ...columns.map((column) => column.name || column.runId)],
    ["---", ...columns.map(() => "---")],
    ["run id", ...columns.map((column) => column.runId)],
    ...rows.map((row) => [
      row.direction === null ? label(row) : `${label(row)} ${row.direction.goal === "min" ? "↓" : "↑"}`,
      ...row.cells.map((cell) => (cell.isBest ? `**${markdownText(cell.full)}**` : markdownText(cell.full))),
    ]),
  ];
  return lines.map((cells, i) => `| ${cells.map((cell, j) => (i > 2 && j > 0 ? cell : i === 1 ? cell : markdownText(cell))).join(" | ")} |`).join("\n") + "\n";
}

/** What would end the cell or the row, or turn into markup elsewhere. */
function markdownText(text: string): string {
  return text.replace(/[\\|*_`<>[\]]/g, "\\$&").replace(/\r?\n|\r/g, " ");
}

export function compareCsv(columns: readonly ExportColumn[], rows: readonly CompareRow[]): string {
  const lines = [
    ["kind", "name", ...columns.map((column) => column.name)],
    ["run", "run_id", ...columns.map((column) => column.runId)],
    ...rows.map((row) => [SECTION_WORDS[row.section] || "run", row.name, ...row.cells.map((cell) => cell.full)]),
  ];
  return lines.map((cells) => cells.map(csvText).join(",")).join("\r\n") + "\r\n";
}

/** A spreadsheet takes a text that begins like a formula for one, and would run it: such a text gets a quote in front. */
function csvText(text: string): string {
  const isNumber = /^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$/.test(text) || /^[-+]?Infinity$/.test(text);
  const safe = !isNumber && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
