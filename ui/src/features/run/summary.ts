// The summary table: a row for each series of a run.

import type { MetricDefinition, SeriesSummary, WireNumber } from "../../api/shapes.ts";
import { byName } from "./params-tree.ts";

type Num = WireNumber | null;

export interface SummaryRow {
  readonly key: string;
  readonly series: SeriesSummary;
  /** "train/" of "train/loss". */
  readonly prefix: string;
  readonly leaf: string;
  readonly labels: string;
  readonly goal: "min" | "max" | null;
  readonly unit: string | null;
}

export type SummaryColumn = "name" | "last" | "min" | "max" | "mean" | "count" | "last_step";

export function summaryRows(series: readonly SeriesSummary[], definitions: Readonly<Record<string, MetricDefinition>>): SummaryRow[] {
  // A metric that was logged as whole numbers and as others is two series: their types tell them apart.
  const counts = new Map<string, number>();
  const nameOf = (one: SeriesSummary): string => JSON.stringify([one.name, one.labels]);
  for (const one of series) counts.set(nameOf(one), (counts.get(nameOf(one)) ?? 0) + 1);
  return series.map((one) => {
    const cut = one.name.lastIndexOf("/") + 1;
    const definition = Object.hasOwn(definitions, one.name) ? definitions[one.name] : undefined;
    const labels = [...Object.entries(one.labels).map(([key, value]) => `${key}=${value}`), ...((counts.get(nameOf(one)) ?? 0) > 1 ? [one.value_type] : [])].join(", ");
    return {
      key: JSON.stringify([one.name, labels, one.value_type]),
      series: one,
      prefix: one.name.slice(0, cut),
      leaf: one.name.slice(cut) || one.name,
      labels,
      goal: definition?.goal === "min" || definition?.goal === "max" ? definition.goal : null,
      unit: definition?.unit ?? null,
    };
  });
}

/** Metrics of the model before those of the machine: nobody opens a run for its free disk space. */
export function sortRows(rows: readonly SummaryRow[], column: SummaryColumn, descending: boolean): SummaryRow[] {
  const sign = descending ? -1 : 1;
  return [...rows].sort((a, b) => {
    const isName = column === "name";
    const order = isName ? Number(isOfSystem(a)) - Number(isOfSystem(b)) : compareNumbers(a.series[column], b.series[column], sign);
    return order || (isName ? sign : 1) * byName(a.series.name, b.series.name) || byName(a.labels, b.labels);
  });
}

function isOfSystem(row: SummaryRow): boolean {
  return /^(system|sys|_)\b/.test(row.prefix);
}

/** The few metrics whose curves answer "how did it go": declared ones first, then the model's, curves rather than single points. */
export function headlineMetrics(series: readonly SeriesSummary[], definitions: Readonly<Record<string, MetricDefinition>>, count: number): string[] {
  const rows = sortRows(summaryRows(series, definitions), "name", false).filter((row) => !isOfSystem(row) && row.series.count > 1 && !/^(epoch|step|global_step|time)$/.test(row.series.name));
  const ranked = rows.toSorted((a, b) => Number(a.goal === null) - Number(b.goal === null));
  return [...new Set(ranked.map((row) => row.series.name))].slice(0, count);
}

/** Values without a number stand last whichever way the others are sorted. */
function compareNumbers(a: Num, b: Num, sign: number): number {
  const [x, y] = [asNumber(a), asNumber(b)];
  if (Number.isNaN(x) || Number.isNaN(y)) return Number(Number.isNaN(x)) - Number(Number.isNaN(y));
  return x === y ? 0 : sign * (x < y ? -1 : 1);
}

export function asNumber(value: Num | undefined): number {
  return value === null || value === undefined ? NaN : Number(value);
}

/** Series whose name or labels contain every word of the search. */
export function searchRows(rows: readonly SummaryRow[], search: string): SummaryRow[] {
  const words = search.toLowerCase().split(/\s+/).filter((word) => word !== "");
  return rows.filter((row) => {
    const text = `${row.series.name} ${row.labels}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}
