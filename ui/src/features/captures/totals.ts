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
  add("Read", resources.diskReadBytes, formatBytes);
  add("Written", resources.diskWrittenBytes, formatBytes);
  add("Received", resources.networkReceivedBytes, formatBytes);
  add("Sent", resources.networkSentBytes, formatBytes);
  add("Energy", resources.energyWh, (wattHours) => (wattHours >= 1000 ? `${formatNumber(wattHours / 1000, 3)} kWh` : `${formatNumber(wattHours, 3)} Wh`));
  if (resources.cost !== null) totals.push({ name: "Cost", value: `${resources.cost.amount.toFixed(2)} ${resources.cost.currency}`.trim() });
  return totals;
}
