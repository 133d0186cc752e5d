/** Which part of the data plane a chart shows, and what of the data it therefore cannot show. */

import { lowerBound } from "./bisect.ts";
import type { Track } from "./track.ts";

export type Interval = readonly [min: number, max: number];

export interface Zoom {
  x: Interval | null;
  y: Interval | null;
}

export interface DomainOptions {
  logX: boolean;
  logY: boolean;
  /** Leave outliers out of the y range. */
  robust: boolean;
  zoom: Zoom | null;
  /** A part of x that is shown at least, whatever was logged there. */
  span?: Interval | null;
}

export interface Domain {
  x: Interval;
  y: Interval;
  /** Rows that a log axis cannot hold: x or y at or below 0. */
  nonPositiveX: number;
  nonPositiveY: number;
  /** Rows with a value beyond the y range. */
  beyond: number;
}

const Y_PADDING = 0.05;
const ROBUST_LOW = 0.05;
const ROBUST_HIGH = 0.95;
const ROBUST_MARGIN = 0.5;
const SAMPLE_MAX_COUNT = 20_000;

export function domainOf(tracks: readonly Track[], options: DomainOptions): Domain {
  let nonPositiveX = 0;
  let minX = Infinity;
  let maxX = -Infinity;
  for (const { sortedX: xs, startX } of tracks) {
    const from = options.logX ? firstPositive(xs) : 0;
    nonPositiveX += from;
    if (from === xs.length) continue;
    minX = Math.min(minX, xs[from] as number);
    if (startX < minX && !(options.logX && startX <= 0)) minX = startX;
    maxX = Math.max(maxX, xs[xs.length - 1] as number);
  }
  if (options.span && maxX >= minX && !options.logX) [minX, maxX] = [Math.min(minX, options.span[0]), Math.max(maxX, options.span[1])];
  const x = options.zoom?.x ?? widened(minX, maxX, options.logX, 0);
  const seen = yOf(tracks, x, options.logY);
  let y = options.zoom?.y ?? widened(seen.min, seen.max, options.logY, Y_PADDING);
  if (options.robust && !options.zoom?.y) y = robustRange(seen, options.logY) ?? y;
  return { x, y, nonPositiveX, nonPositiveY: seen.nonPositive, beyond: countBeyond(tracks, x, y, options.logY) };
}

interface SeenY {
  min: number;
  max: number;
  nonPositive: number;
  sample: number[];
}

function yOf(tracks: readonly Track[], x: Interval, logY: boolean): SeenY {
  const seen: SeenY = { min: Infinity, max: -Infinity, nonPositive: 0, sample: [] };
  let rows = 0;
  for (const track of tracks) rows += track.x.length;
  const every = Math.max(1, Math.ceil((2 * rows) / SAMPLE_MAX_COUNT));
  let turn = 0;
  const take = (value: number): void => {
    if (!(value > -Infinity) || (logY && value <= 0)) return;
    if (value < seen.min) seen.min = value;
    if (value > seen.max) seen.max = value;
    turn += 1;
    if (turn % every === 0) seen.sample.push(value);
  };
  forEachRow(tracks, x, (track, row) => {
    const y = track.y[row] as number;
    if (track.low && track.high) {
      const low = track.low[row] as number;
      if (logY && low <= 0) {
        seen.nonPositive += 1;
        take(y);
      }
      take(low);
      take(track.high[row] as number);
    } else {
      if (logY && y <= 0) seen.nonPositive += 1;
      take(y);
    }
  });
  return seen;
}

function countBeyond(tracks: readonly Track[], x: Interval, y: Interval, logY: boolean): number {
  let count = 0;
  forEachRow(tracks, x, (track, row) => {
    const low = (track.low ?? track.y)[row] as number;
    const high = (track.high ?? track.y)[row] as number;
    if (high > y[1] || (low < y[0] && !(logY && low <= 0))) count += 1;
  });
  return count;
}

/** Rows whose x lies within, both ends included. */
function forEachRow(tracks: readonly Track[], x: Interval, visit: (track: Track, row: number) => void): void {
  for (const track of tracks) {
    const from = lowerBound(track.sortedX, x[0]);
    for (let i = from; i < track.sortedX.length && (track.sortedX[i] as number) <= x[1]; i += 1) {
      visit(track, track.order ? (track.order[i] as number) : i);
    }
  }
}

function robustRange(seen: SeenY, log: boolean): Interval | null {
  if (seen.sample.length < 20) return null;
  const values = Float64Array.from(seen.sample, log ? Math.log : undefined).sort();
  const low = values[Math.floor(ROBUST_LOW * (values.length - 1))] as number;
  const high = values[Math.ceil(ROBUST_HIGH * (values.length - 1))] as number;
  if (!(high > low)) return null;
  const margin = ROBUST_MARGIN * (high - low);
  const bottom = log ? Math.exp(low - margin) : low - margin;
  const top = log ? Math.exp(high + margin) : high + margin;
  return widened(Math.max(seen.min, bottom), Math.min(seen.max, top), log, Y_PADDING);
}

/** An interval that a scale can hold: never empty, padded by a share of its length. */
export function widened(min: number, max: number, log: boolean, padding: number): Interval {
  if (!(min <= max)) return log ? [1, 10] : [0, 1];
  if (log) {
    if (min === max) return [min / 2, max * 2];
    const factor = (max / min) ** padding;
    return [min / factor, max * factor];
  }
  if (min === max) {
    const half = min === 0 ? 1 : Math.abs(min) * 0.1;
    return [min - half, max + half];
  }
  const pad = (max - min) * padding;
  return [min - pad, max + pad];
}

function firstPositive(xs: Float64Array): number {
  let i = 0;
  while (i < xs.length && !((xs[i] as number) > 0)) i += 1;
  return i;
}
