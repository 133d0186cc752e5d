// A sweep's runs at a glance: which params tell them apart, and what came out.

import type { RunRow } from "../../api/shapes.ts";
import { formatParam } from "../../lib/format.ts";
import { byName, readParams, shownText } from "./params-tree.ts";

export interface ChildColumns {
  readonly params: readonly string[];
  readonly metrics: readonly string[];
}

/** Params in which the runs differ, and metrics that most of them have; the machine's own are left out. */
export function childColumns(runs: readonly RunRow[], paramCount: number, metricCount: number): ChildColumns {
  const values = new Map<string, Set<string>>();
  const holders = new Map<string, number>();
  for (const run of runs) {
    for (const [name, text] of Object.entries(run.params)) values.set(name, (values.get(name) ?? new Set()).add(text));
    for (const name of Object.keys(run.metrics)) holders.set(name, (holders.get(name) ?? 0) + 1);
  }
  const hasAll = (name: string): boolean => runs.every((run) => Object.hasOwn(run.params, name));
  const params = [...values].filter(([name, texts]) => texts.size > 1 || !hasAll(name)).map(([name]) => name);
  const metrics = [...holders].filter(([name]) => !/^(system|sys|_)\//.test(name) && !/^(epoch|step)$/.test(name));
  return {
    params: params.sort(byName).slice(0, paramCount),
    metrics: metrics.sort((a, b) => b[1] - a[1] || rankOf(a[0]) - rankOf(b[0]) || byName(a[0], b[0])).slice(0, metricCount).map(([name]) => name),
  };
}

/** What was measured on data not trained on says more. */
function rankOf(name: string): number {
  if (/(^|[/_.])test([/_.]|$)/i.test(name)) return 0;
  return /(^|[/_.])(val|valid|validation|eval)([/_.]|$)/i.test(name) ? 1 : 2;
}

const READABLE_CHARS = 10;

/** As it was said; of a long fraction the digits that matter. null where the run has no such param. */
export function paramText(run: RunRow, name: string): string | null {
  if (!Object.hasOwn(run.params, name)) return null;
  const [param] = readParams({ [name]: run.params[name] ?? "" }, Object.hasOwn(run.typed_params, name) ? { [name]: run.typed_params[name] ?? null } : {});
  if (param === undefined) return null;
  const number = param.kind === "number" ? Number(param.text) : NaN;
  const isNoisy = param.text.length > READABLE_CHARS && Number.isFinite(number) && !Number.isInteger(number);
  return isNoisy ? formatParam(number) : shownText(param);
}
