/** Which columns tell most about these runs, before anybody has chosen: metrics that vary, params that differ. */

import type { RunRow } from "../../api/shapes.ts";
import { fieldText } from "./columns.ts";

export const AUTO_METRICS = 3;
export const AUTO_PARAMS = 6;

/** Held out results say more than training ones, and quality more than bookkeeping. */
const HELD_OUT = /(^|[/_.-])(val|valid|validation|test|eval|dev|holdout)([/_.-]|$)/i;
const QUALITY = /acc|f1|auc|loss|error|score|rmse|mae|mse|r2|precision|recall|perplexity|reward|return|bleu|iou|dice|map/i;
const BOOKKEEPING = /^(sys|system|gpu|cpu|mem|memory|disk|net)([/_.-]|$)|(^|[/_.-])(epoch|step|steps|iter|iteration|lr|learning_rate|time|seconds|throughput|grad_norm)$/i;

export function autoColumns(rows: readonly RunRow[], manyExperiments: boolean): string[] {
  return [
    "status",
    ...(manyExperiments ? ["experiment"] : []),
    ...tellingMetrics(rows).map((name) => fieldText("metric", name)),
    ...differingParams(rows).map((name) => fieldText("param", name)),
    "start_time",
    "duration",
  ];
}

/** The same columns where two or three are in sight: what somebody looks for first, where it belongs last. */
export function numbersFirst(ids: readonly string[]): string[] {
  return [...ids.filter((id) => id !== "experiment"), ...ids.filter((id) => id === "experiment")];
}

export function tellingMetrics(rows: readonly RunRow[]): string[] {
  return ranked(
    // Nobody asked for the machine's numbers: a run that has no others shows none.
    tally(rows, (row) => Object.fromEntries(Object.entries(row.metrics).filter(([name]) => !name.startsWith("system/")))),
    (name, { count, values }) => {
      const varies = values.size > 1 || rows.length === 1 || count === 1;
      let score = count / rows.length + (varies ? 1 : 0);
      if (HELD_OUT.test(name)) score += 0.6;
      if (QUALITY.test(name)) score += 0.4;
      if (BOOKKEEPING.test(name)) score -= 2;
      return score;
    },
  ).slice(0, AUTO_METRICS);
}

export function differingParams(rows: readonly RunRow[]): string[] {
  const counts = tally(rows, (row) => row.params);
  if (rows.length > 1) for (const [name, one] of counts) if (one.values.size < 2 && one.count * 2 > rows.length) counts.delete(name);
  return ranked(counts, (_, { count, values }) => {
    // As many values as runs is an identity (a seed, a path) rather than a choice.
    const identity = rows.length > 8 && values.size === count ? 0.3 : 0;
    return count / rows.length + (values.size > 1 ? 0.5 : 0) - identity;
  }).slice(0, AUTO_PARAMS);
}

interface Tally {
  count: number;
  values: Set<unknown>;
}

function tally(rows: readonly RunRow[], pick: (row: RunRow) => Record<string, unknown>): Map<string, Tally> {
  const counts = new Map<string, Tally>();
  for (const row of rows) {
    for (const [name, value] of Object.entries(pick(row))) {
      const one = counts.get(name) ?? { count: 0, values: new Set<unknown>() };
      one.count += 1;
      one.values.add(value);
      counts.set(name, one);
    }
  }
  return counts;
}

function ranked(counts: Map<string, Tally>, score: (name: string, one: Tally) => number): string[] {
  return [...counts]
    .map(([name, one]) => ({ name, score: score(name, one) }))
    .sort((a, b) => b.score - a.score || (a.name < b.name ? -1 : 1))
    .map((one) => one.name);
}
