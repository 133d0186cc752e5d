/** The sparklines of the rows on show, fetched together and again as the run changes. */

import { isAbort, postForBytes } from "../../api/client.ts";
import { decodeSeries, SERIES_TYPE } from "../../api/series.ts";
import { SPARK_WIDTH, sparkPath } from "./sparkline.ts";

/** As many as the narrowest curve has pixels: shorter ones come point by point. */
const MAX_POINTS = SPARK_WIDTH;
const NAMES_AT_ONCE = 100;

export function sparkKey(name: string, labels: Readonly<Record<string, string>>): string {
  const sorted = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
  return sorted.length === 0 ? name : `${name} ${JSON.stringify(sorted)}`;
}

/** Keys to paths, of the series named; a name that fails has none. */
export async function readSparks(runId: string, series: readonly { name: string; labels: Record<string, string> }[], signal: AbortSignal): Promise<Map<string, string>> {
  const paths = new Map<string, string>();
  for (let at = 0; at < series.length; at += NAMES_AT_ONCE) {
    const wanted = series.slice(at, at + NAMES_AT_ONCE).map(({ name, labels }) => ({ name, labels }));
    try {
      const bytes = await postForBytes("/runs/series", { run_ids: [runId], series: wanted, max_points: MAX_POINTS }, SERIES_TYPE, { signal });
      for (const one of decodeSeries(bytes)) paths.set(sparkKey(one.name, one.labels), sparkPath(one));
    } catch (error) {
      if (isAbort(error)) throw error;
      return paths; // a table without curves is still a table
    }
  }
  return paths;
}
