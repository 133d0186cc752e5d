/** Totals of what a run took, in words. What was not measured is not shown as nothing. */

import { formatBytes, formatDuration, formatNumber } from "../../lib/format.ts";
import type { Resources } from "./captures.ts";

export interface Total {
  name: string;
  value: string;
}

export function totalsOf(resources: Resources): Total[] {
  const totals: Total[] = [];
  const add = (name: string, value: number | null, text: (value: number) => string): void => {
    if (value !== null) totals.push({ name, value: text(value) });
  };
  const hours = (value: number): string => formatDuration(value * 3600);
  add("CPU time", resources.cpuHours, hours);
  add("GPU time", resources.gpuHours, hours);
  add("Peak memory", resources.peakMemoryBytes, formatBytes);
  add("Peak GPU memory", resources.peakGpuMemoryBytes, formatBytes);
  add("GPU idle", resources.gpuIdleShare, (share) => `${formatNumber(share * 100, 2)} %`);
  // Nothing read and nothing sent is no news.
  const moved = (name: string, bytes: number | null): void => add(name, bytes || null, formatBytes);
  moved("Read", resources.diskReadBytes);
  moved("Written", resources.diskWrittenBytes);
  moved("Received", resources.networkReceivedBytes);
  moved("Sent", resources.networkSentBytes);
  add("Energy", resources.energyWh, (wattHours) => (wattHours >= 1000 ? `${formatNumber(wattHours / 1000, 3)} kWh` : `${formatNumber(wattHours, 3)} Wh`));
  if (resources.costs.length > 0) totals.push({ name: "Cost", value: resources.costs.map(({ amount, currency }) => `${amount.toFixed(2)} ${currency}`.trim()).join(" and ") });
  return totals;
}
