/** Which points lie nearest to the pointer: the rows of the tooltip, and the run to highlight. */

import { nearestIndex } from "./bisect.ts";
import type { Interval } from "./domain.ts";
import type { PixelScale } from "./scale.ts";
import type { Track } from "./track.ts";

export interface NearRow {
  track: Track;
  row: number;
  /** Pixels between pointer and line, measured upright; Infinity where the line has no value. */
  distance: number;
}

/** One row a track that has data around this x, nearest line first. */
export function nearRows(tracks: readonly Track[], x: number, pointerY: number, xScale: PixelScale, yScale: PixelScale, view: Interval): NearRow[] {
  const rows: NearRow[] = [];
  const pointerX = xScale.toPixel(x);
  for (const track of tracks) {
    const place = nearestIndex(track.sortedX, x);
    if (place < 0) continue;
    const at = track.sortedX[place] as number;
    if (at < view[0] || at > view[1]) continue;
    // A run that ended long before this x is not near it.
    const gap = Math.abs(xScale.toPixel(at) - pointerX);
    if (gap > reach(track, place, xScale)) continue;
    const row = track.order ? (track.order[place] as number) : place;
    const value = track.line[row] as number;
    const distance = Math.abs(yScale.toPixel(value) - pointerY);
    rows.push({ track, row, distance: Number.isNaN(distance) ? Infinity : distance });
  }
  return rows.sort((a, b) => a.distance - b.distance);
}

const REACH_MIN_PX = 12;

/** How far a row can be felt: half way to its neighbours, and at least a little. */
function reach(track: Track, place: number, xScale: PixelScale): number {
  const here = xScale.toPixel(track.sortedX[place] as number);
  const left = place > 0 ? here - xScale.toPixel(track.sortedX[place - 1] as number) : 0;
  const right = place + 1 < track.sortedX.length ? xScale.toPixel(track.sortedX[place + 1] as number) - here : 0;
  return Math.max(REACH_MIN_PX, left, right);
}

export interface PointFacts {
  value: number;
  smoothed: number | null;
  step: number;
  timeMs: number;
  /** Of a bucket of several points. */
  bucket: { count: number; min: number; max: number; nanCount: number; stepMin: number } | null;
}

export function factsOf({ track, row }: { track: Track; row: number }): PointFacts {
  const { series } = track;
  const smoothed = track.line === track.y ? null : (track.line[row] as number);
  if (series.exact) {
    const [value, step, timeMs] = [series.value[row] as number, series.step[row] as number, series.timeMs[row] as number];
    return { value, smoothed, step, timeMs, bucket: null };
  }
  const count = series.count[row] as number;
  return {
    value: series.last[row] as number,
    smoothed,
    step: series.stepMax[row] as number,
    timeMs: series.timeMax[row] as number,
    bucket:
      count > 1
        ? {
            count,
            min: series.min[row] as number,
            max: series.max[row] as number,
            nanCount: series.nanCount[row] as number,
            stepMin: series.stepMin[row] as number,
          }
        : null,
  };
}
