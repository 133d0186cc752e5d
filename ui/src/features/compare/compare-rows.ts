// Runs side by side: a row for each thing that any of them has, a cell for each run.

import type { MetricDefinition, RunDetail, SeriesSummary, WireNumber } from "../../api/shapes.ts";
import { exactNumber, formatDuration, formatNumber, formatTime, MINUS } from "../../lib/format.ts";
import { byName, readParams, shownText } from "../run/params-tree.ts";
import { asNumber } from "../run/summary.ts";
import { bestOf, directionOf, type Direction } from "./direction.ts";

export type Section = "run" | "params" | "metrics" | "tags";
/** "last": the value logged last; "best": the smallest or largest of the series, by direction. */
export type MetricValue = "last" | "best";

export interface CompareCell {
  /** As it is drawn; null: this run has no such thing. */
  readonly text: string | null;
  /** Every digit, for the tooltip and for export. */
  readonly full: string;
  readonly number: number | null;
  readonly isBest: boolean;
}

export interface CompareRow {
  readonly section: Section;
  readonly key: string;
  readonly name: string;
  readonly cells: readonly CompareCell[];
  readonly isEqual: boolean;
  /** Shown among the differences also when equal. */
  readonly isPinned: boolean;
  readonly direction: Direction | null;
  readonly unit: string | null;
}

/** From POST /experiments/runs/compare: the best last value of each metric. */
export type BestValues = Readonly<Record<string, { readonly best_value: WireNumber | null }>>;

const MISSING: CompareCell = { text: null, full: "", number: null, isBest: false };

function textCell(text: string | null | undefined): CompareCell {
  return text === null || text === undefined || text === "" ? MISSING : { text, full: text, number: null, isBest: false };
}

export function compareRows(runs: readonly RunDetail[], value: MetricValue, best: BestValues | null, nowMs: number): CompareRow[] {
  return [...factRows(runs, nowMs), ...recordedRows(runs, value, best)];
}

/** What was recorded: all that does not depend on the time of day. */
export function recordedRows(runs: readonly RunDetail[], value: MetricValue, best: BestValues | null): CompareRow[] {
  return [...paramRows(runs), ...metricRows(runs, value, best), ...tagRows(runs)];
}

function row(section: Section, name: string, cells: readonly CompareCell[], more: Partial<CompareRow> = {}): CompareRow {
  return { section, key: `${section} ${name}`, name, cells, isEqual: areEqual(cells), isPinned: false, direction: null, unit: null, ...more };
}

function areEqual(cells: readonly CompareCell[]): boolean {
  const [first, second] = cells;
  // A run alone has nobody to be equal to: all of it is shown.
  if (first !== undefined && second === undefined) return false;
  return first === undefined || cells.every((cell) => isSame(cell, first));
}

function isSame(a: CompareCell, b: CompareCell): boolean {
  if (a.text === null || b.text === null) return a.text === b.text;
  if ((a.number === null) !== (b.number === null)) return false;
  if (a.number !== null && b.number !== null && Number.isSafeInteger(Math.trunc(a.number))) return Object.is(a.number, b.number) || a.number === b.number;
  return a.full === b.full;
}

// -- the sections -------------------------------------------------------------------------------

/** Status, duration and the like. A running run's duration is up to `nowMs`. */
export function factRows(runs: readonly RunDetail[], nowMs: number): CompareRow[] {
  const rows = [
    row("run", "Status", runs.map((run) => textCell(run.status)), { isPinned: true }),
    row("run", "Duration", runs.map((run) => durationCell(run, nowMs)), { isPinned: true }),
    row("run", "Started", runs.map((run) => textCell(run.start_time && formatTime(run.start_time)))),
    row("run", "Experiment", runs.map((run) => textCell(run.experiment_name))),
    row("run", "User", runs.map((run) => textCell(run.user_id))),
    row("run", "Host", runs.map((run) => textCell(run.attempts.at(-1)?.host))),
    row("run", "Attempts", runs.map((run) => (run.attempts.length > 0 ? numberCell(run.attempts.length) : MISSING))),
    row("run", "Parent run", runs.map((run) => textCell(run.parent_run_id))),
    row("run", "Description", runs.map((run) => textCell(run.description))),
  ];
  return rows.filter(hasAny);
}

function durationCell(run: RunDetail, nowMs: number): CompareCell {
  const started = run.start_time === null ? NaN : Date.parse(run.start_time);
  const seconds = run.duration_seconds ?? (run.status === "running" ? Math.max(0, nowMs - started) / 1000 : NaN);
  return Number.isFinite(seconds) ? { text: formatDuration(seconds), full: `${seconds} s`, number: seconds, isBest: false } : MISSING;
}

function paramRows(runs: readonly RunDetail[]): CompareRow[] {
  const columns = runs.map((run) => new Map(readParams(run.params, run.typed_params).map((param) => [param.name, param])));
  return namesOf(columns).map((name) =>
    row(
      "params",
      name,
      columns.map((params) => {
        const param = params.get(name);
        if (param === undefined) return MISSING;
        return { text: shownText(param), full: param.text, number: param.kind === "number" ? Number(param.text) : null, isBest: false };
      }),
    ),
  );
}

function tagRows(runs: readonly RunDetail[]): CompareRow[] {
  const columns = runs.map((run) => new Map(Object.entries(run.tags)));
  return namesOf(columns).map((name) =>
    row(
      "tags",
      name,
      columns.map((tags) => {
        const text = tags.get(name);
        return text === undefined ? MISSING : { text: text === "" ? '""' : text, full: text, number: null, isBest: false };
      }),
    ),
  );
}

function metricRows(runs: readonly RunDetail[], value: MetricValue, best: BestValues | null): CompareRow[] {
  const columns = runs.map(latestSeries);
  const definitions: Record<string, MetricDefinition> = Object.assign({}, ...runs.map((run) => run.metric_definitions));
  const names = namesOf(columns).sort((a, b) => Number(isOfSystem(a)) - Number(isOfSystem(b)));
  return names.map((shown) => {
    const found = columns.map((series) => series.get(shown));
    const name = found.find((series) => series !== undefined)?.name ?? shown;
    const definition = Object.hasOwn(definitions, name) ? definitions[name] : undefined;
    const direction = directionOf(name, definition);
    const numbers = found.map((series) => (series === undefined ? null : asNumber(value === "last" ? series.last : (direction.goal === "min" ? series.min : series.max))));
    const known = value === "last" && name === shown && best !== null && Object.hasOwn(best, name) ? best[name]?.best_value : undefined;
    const bestNumber = known !== undefined && known !== null ? asNumber(known) : bestOf(numbers.filter((one) => one !== null), direction.goal);
    // Where all have the best value, or only one run has any, there is nothing to choose.
    const isTold = numbers.some((one) => one !== null && one !== bestNumber) && numbers.filter((one) => one !== null).length > 1;
    const cells = numbers.map((one) => (one === null ? MISSING : numberCell(one, isTold && one === bestNumber)));
    return row("metrics", shown, cells, { direction, unit: definition?.unit ?? null });
  });
}

/** By name and labels; of two value types the one logged later, as the server has it. */
function latestSeries(run: RunDetail): Map<string, SeriesSummary> {
  const latest = new Map<string, SeriesSummary>();
  for (const series of run.series) {
    const labels = Object.entries(series.labels).map(([key, value]) => `${key}=${value}`).join(", ");
    const shown = labels === "" ? series.name : `${series.name} {${labels}}`;
    const known = latest.get(shown);
    if (known === undefined || (series.last_at ?? "") >= (known.last_at ?? "")) latest.set(shown, series);
  }
  return latest;
}

function numberCell(number: number, isBest = false): CompareCell {
  return { text: formatNumber(number), full: exactNumber(number), number, isBest };
}

function namesOf(columns: readonly ReadonlyMap<string, unknown>[]): string[] {
  return [...new Set(columns.flatMap((column) => [...column.keys()]))].sort(byName);
}

function isOfSystem(name: string): boolean {
  return /^(system|sys|_)\b\//.test(name);
}

function hasAny(one: CompareRow): boolean {
  return one.cells.some((cell) => cell.text !== null);
}

// -- what is shown of them ----------------------------------------------------------------------

export interface Group {
  readonly section: Section;
  readonly shown: readonly CompareRow[];
  readonly folded: readonly CompareRow[];
}

const SECTIONS: readonly Section[] = ["run", "params", "metrics", "tags"];

/** Differences first; equal rows are folded away, or left out when only differences are asked for. A search shows all it finds. */
export function groupRows(rows: readonly CompareRow[], search: string): Group[] {
  const wanted = search.trim().toLowerCase();
  return SECTIONS.flatMap((section) => {
    const own = rows.filter((one) => one.section === section && (wanted === "" || isFound(one, wanted)));
    if (own.length === 0) return [];
    if (wanted !== "") return [{ section, shown: own, folded: [] }];
    return [{ section, shown: own.filter((one) => !one.isEqual || one.isPinned), folded: own.filter((one) => one.isEqual && !one.isPinned) }];
  });
}

function isFound(one: CompareRow, wanted: string): boolean {
  return one.name.toLowerCase().includes(wanted) || one.cells.some((cell) => cell.text !== null && cell.full.toLowerCase().includes(wanted));
}

/** Of many metrics the ones to draw first: those that several runs have and differ in, in the order of the rows. */
export function metricsOfInterest(rows: readonly CompareRow[], names: readonly string[], count: number): string[] {
  const known = new Set(names);
  const named = rows.filter((one) => one.section === "metrics" && known.has(one.name));
  const shared = (one: CompareRow): number => one.cells.filter((cell) => cell.text !== null).length;
  return named.toSorted((a, b) => Number(b.direction?.isDeclared) - Number(a.direction?.isDeclared) || Number(a.isEqual) - Number(b.isEqual) || shared(b) - shared(a)).slice(0, count).map((one) => one.name);
}

/** How a number differs from the baseline's: "+0.012 (+1.3 %)". null where nothing is to be said. */
export function deltaText(cell: CompareCell, baseline: CompareCell | undefined, section: Section): string | null {
  if (baseline === undefined || cell === baseline || cell.number === null || baseline.number === null) return null;
  const delta = cell.number - baseline.number;
  if (!Number.isFinite(delta) || delta === 0) return null;
  const isTime = section === "run" && cell.full.endsWith(" s");
  const amount = isTime ? formatDuration(Math.abs(delta)) : formatNumber(Math.abs(delta), 3);
  const signed = `${delta < 0 ? MINUS : "+"}${amount}`;
  if (section !== "metrics" || baseline.number === 0) return signed;
  const factor = cell.number / baseline.number;
  if (factor >= 10) return `${signed} (×${formatNumber(factor, 2)})`;
  const percent = (100 * Math.abs(delta)) / Math.abs(baseline.number);
  return percent < 0.1 ? `${signed} (<0.1%)` : `${signed} (${delta < 0 ? MINUS : "+"}${percent.toFixed(percent < 10 ? 1 : 0)}%)`;
}
