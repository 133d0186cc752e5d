/** What a metric's name says of its unit. */

import { formatBytes, formatNumber } from "../lib/format.ts";

/** `memory_bytes`, `read_bytes_per_s`: as the machine's series are called. */
export function countsBytes(metric: string): boolean {
  return /(^|[_/.])bytes(_per_s)?$/.test(metric);
}

export function valueText(metric: string, value: number, digits = 5): string {
  if (!countsBytes(metric) || !(value >= 0) || value === Infinity) return formatNumber(value, digits);
  return metric.endsWith("_per_s") ? `${formatBytes(Math.round(value))}/s` : formatBytes(Math.round(value));
}
