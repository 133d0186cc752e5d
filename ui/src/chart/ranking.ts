/** Metrics that were logged once a run: values to compare, not curves. */

import { lastValue } from "./notes.ts";
import type { Track } from "./track.ts";

export interface Ranked {
  track: Track;
  value: number;
  /** Where it lies between the smallest and the largest, 0 to 1; NaN if it lies nowhere. */
  place: number;
}

/** Whether a line chart would be a cloud of dots: every run has one point, and none is going on. */
export function isRanking(tracks: readonly Track[]): boolean {
  return tracks.length > 0 && tracks.every((track) => track.pointCount === 1 && !track.isLive);
}

/** Largest first; what is no number last. */
export function rankingOf(tracks: readonly Track[]): Ranked[] {
  const all = tracks.map((track) => ({ track, value: lastValue(track), place: Number.NaN }));
  const finite = all.map(({ value }) => value).filter(Number.isFinite);
  const min = Math.min(...finite);
  const span = Math.max(...finite) - min;
  for (const one of all) if (Number.isFinite(one.value)) one.place = span > 0 ? (one.value - min) / span : 0.5;
  return all.sort((a, b) => order(b.value) - order(a.value) || a.track.runName.localeCompare(b.track.runName, "en", { numeric: true }));
}

function order(value: number): number {
  return Number.isNaN(value) ? -Number.MAX_VALUE : Math.max(-Number.MAX_VALUE / 2, Math.min(value, Number.MAX_VALUE));
}
