/** Parallel coordinates: an axis for each thing that differs, params before metrics, and where each run crosses it. */

import { logSplits, numberSplits } from "../../chart/splits.ts";
import { logTicks, numberTicks } from "../../chart/ticks.ts";
import type { CompareCell, CompareRow } from "./compare-rows.ts";

export interface Axis {
  readonly key: string;
  readonly name: string;
  readonly isMetric: boolean;
  /** Which way is better. */
  readonly arrow: "" | "↑" | "↓";
  /** 0 is the bottom, 1 the top. */
  readonly ticks: readonly { readonly text: string; readonly at: number }[];
  /** By run, in the order of the columns; null: it has no such value, or none that can be placed. */
  readonly places: readonly (number | null)[];
}

const PARAMS_MAX = 7;
const METRICS_MAX = 4;
/** More texts than these are names rather than choices. */
const TEXTS_MAX = 8;
const TICKS_MAX = 6;
const APART = 0.06;
/** From such a factor on numbers are told apart by their powers. */
const LOG_FACTOR = 50;

/** Empty where there is nothing to connect: a param and a metric at least must differ. */
export function axesOf(rows: readonly CompareRow[]): Axis[] {
  const differing = rows.filter((row) => !row.isEqual);
  const params = axesIn(differing.filter((row) => row.section === "params"), PARAMS_MAX);
  // What a person declared or what is held out tells more; rows are sorted by name.
  const metrics = differing.filter((row) => row.section === "metrics").toSorted((a, b) => weight(b) - weight(a));
  const results = axesIn(metrics, METRICS_MAX);
  return params.length > 0 && results.length > 0 ? [...params, ...results] : [];
}

function weight(row: CompareRow): number {
  return Number(row.direction?.isDeclared ?? false) + Number(/(^|[/_.-])(val|valid|validation|test|eval)([/_.-]|$)/i.test(row.name));
}

function axesIn(rows: readonly CompareRow[], most: number): Axis[] {
  const axes: Axis[] = [];
  for (const row of rows) {
    const axis = axisOf(row);
    if (axis) axes.push(axis);
    if (axes.length === most) break;
  }
  return axes;
}

function axisOf(row: CompareRow): Axis | null {
  const told = row.cells.filter((cell) => cell.text !== null);
  const scale = told.every((cell) => cell.number !== null) ? numberScale(told) : textScale(told);
  if (scale === null) return null;
  const isMetric = row.section === "metrics";
  const goal = isMetric ? row.direction?.goal : undefined;
  const places = row.cells.map((cell) => (cell.text === null ? null : scale.place(cell)));
  return { key: row.key, name: row.name, isMetric, arrow: goal === "max" ? "↑" : goal === "min" ? "↓" : "", ticks: scale.ticks, places };
}

interface Scale {
  place: (cell: CompareCell) => number | null;
  ticks: { text: string; at: number }[];
}

function numberScale(cells: readonly CompareCell[]): Scale | null {
  const numbers = [...new Set(cells.map((cell) => cell.number ?? NaN).filter(Number.isFinite))].sort((a, b) => a - b);
  const [low, high] = [numbers[0], numbers.at(-1)];
  if (low === undefined || high === undefined || !(high > low)) return null;
  const isLog = low > 0 && high / low >= LOG_FACTOR;
  const at = isLog ? (value: number) => Math.log(value / low) / Math.log(high / low) : (value: number) => (value - low) / (high - low);
  const texts = new Map(cells.map((cell) => [cell.number, cell.text ?? ""]));
  let ticks = numbers.map((value) => ({ text: texts.get(value) ?? "", at: at(value) }));
  if (ticks.length > TICKS_MAX || ticks.some((tick, i) => i > 0 && tick.at - (ticks[i - 1]?.at ?? 0) < APART)) {
    const splits = (isLog ? logSplits : numberSplits)(low, high, TICKS_MAX - 1).filter((value) => value >= low && value <= high);
    const words = (isLog ? logTicks : numberTicks)(splits);
    ticks = splits.map((value, i) => ({ text: words[i] ?? "", at: at(value) }));
  }
  return { place: ({ number }) => (number !== null && Number.isFinite(number) ? at(number) : null), ticks };
}

function textScale(cells: readonly CompareCell[]): Scale | null {
  const texts = [...new Map(cells.map((cell) => [cell.full, cell.text ?? ""]))].sort(([a], [b]) => natural.compare(a, b));
  if (texts.length < 2 || texts.length > TEXTS_MAX) return null;
  const places = new Map(texts.map(([full], i) => [full, i / (texts.length - 1)]));
  return { place: (cell) => places.get(cell.full) ?? null, ticks: texts.map(([, text], i) => ({ text, at: i / (texts.length - 1) })) };
}

const natural = new Intl.Collator("en", { numeric: true });
