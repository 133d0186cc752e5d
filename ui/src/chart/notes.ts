/** What the line below a chart says: how much data stands behind it, and what it cannot show. */

import { formatCount, formatNumber } from "../lib/format.ts";
import type { Domain, Interval } from "./domain.ts";
import type { Track } from "./track.ts";

export interface Note {
  text: string;
  /** The longer explanation. */
  title: string;
  kind: "plain" | "warn";
}

const plural = (count: number, one: string, many = `${one}s`): string => `${formatCount(count)} ${count === 1 ? one : many}`;

/** How many points are behind what is drawn; with a view, behind the rows in it. */
export function coverage(tracks: readonly Track[], view: Interval | null): Note {
  let rows = 0;
  let points = 0;
  for (const { series, x, pointCount } of tracks) {
    if (!view) {
      rows += x.length;
      points += pointCount;
      continue;
    }
    for (let i = 0; i < x.length; i += 1) {
      if ((x[i] as number) < view[0] || (x[i] as number) > view[1]) continue;
      rows += 1;
      points += series.exact ? 1 : (series.count[i] as number);
    }
  }
  const where = view ? " in view" : "";
  if (rows >= points) return { text: `all ${plural(points, "point")}${where}`, title: "Every logged point is drawn.", kind: "plain" };
  return {
    text: `${formatCount(points)} points${where} in ${formatCount(rows)} buckets`,
    title:
      `${formatCount(points)} points are drawn as ${formatCount(rows)} buckets of consecutive points: the line goes through the last point of each, ` +
      "the band covers its smallest to its largest. Drag over the chart to zoom, down to the raw points.",
    kind: "plain",
  };
}

/** What is marked at the edge, or missing. */
export function exceptions(tracks: readonly Track[], domain: Domain, robust: boolean): Note[] {
  let nan = 0;
  let infinite = 0;
  let inBuckets = false;
  for (const track of tracks) {
    nan += track.nanCount;
    infinite += track.infiniteCount;
    inBuckets ||= track.infiniteCount > 0 && !track.series.exact;
  }
  const notes: Note[] = [];
  if (nan > 0) notes.push({ text: `${formatCount(nan)} NaN`, title: `${plural(nan, "value")} NaN: a cross on the baseline marks where.`, kind: "warn" });
  if (infinite > 0) {
    const count = inBuckets ? `at least ${formatCount(infinite)}` : formatCount(infinite);
    notes.push({ text: `${count} infinite`, title: "Infinite values: a triangle at the upper or lower edge marks where.", kind: "warn" });
  }
  if (domain.nonPositiveY > 0) {
    notes.push({
      text: `${formatCount(domain.nonPositiveY)} \u2264 0`,
      title: "A log axis has no place for values at or below 0: a bar on the baseline marks where they are.",
      kind: "warn",
    });
  }
  if (domain.nonPositiveX > 0) {
    notes.push({
      text: `${formatCount(domain.nonPositiveX)} at x \u2264 0`,
      title: "A log axis has no place for x at or below 0: these are not drawn.",
      kind: "warn",
    });
  }
  if (robust && domain.beyond > 0) {
    notes.push({
      text: `${formatCount(domain.beyond)} beyond the axis`,
      title: "Outliers are kept out of the y range, so some values lie above or below the chart. Switch outliers on to see them.",
      kind: "warn",
    });
  }
  return notes;
}

const NAMED_MAX_COUNT = 5;

/** For those who cannot see the canvas. */
export function describe(title: string, xName: string, tracks: readonly Track[]): string {
  const runs = new Set(tracks.map((track) => track.runId)).size;
  const lasts = tracks.slice(0, NAMED_MAX_COUNT).map((track) => {
    const name = track.labelText ? `${track.runName} ${track.labelText}` : track.runName;
    return `${name} ${formatNumber(lastValue(track))}`;
  });
  const more = tracks.length > lasts.length ? ` and ${tracks.length - lasts.length} more` : "";
  return `Line chart of ${title} by ${xName}, ${plural(runs, "run")}. Last values: ${lasts.join(", ")}${more}.`;
}

export function lastValue({ series }: Track): number {
  const values = series.exact ? series.value : series.last;
  return values[values.length - 1] ?? Number.NaN;
}
