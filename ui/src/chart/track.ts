/** A series turned into what a chart draws: one line, its band, and counts of what a line cannot show. */

import { rowCount, type Series } from "../api/series.ts";
import { orderOf } from "./bisect.ts";
import { smooth, timeConstant } from "./smooth.ts";

export type XKind = "step" | "time" | "relative";

export interface Track {
  /** Run and labels: what tells the lines of one chart apart. */
  key: string;
  runId: string;
  runName: string;
  /** "rank=0", empty without labels. */
  labelText: string;
  color: string;
  /** Which dash pattern; 0 is a full line. */
  dash: number;
  series: Series;
  x: Float64Array;
  /** x of the very first point, which lies before that of the first bucket. */
  startX: number;
  /** What was logged (last of a bucket); NaN where there is no finite value. */
  y: Float64Array;
  /** y smoothed; y itself without smoothing. */
  line: Float64Array;
  /** Finite extremes of a bucket, NaN where there are none; null if every row is a point. */
  low: Float64Array | null;
  high: Float64Array | null;
  spikes: readonly Spike[];
  /** Rows in order of x; null if they are so already. `sortedX` is x in that order. */
  order: Uint32Array | null;
  sortedX: Float64Array;
  /** Points that are NaN; rows that hold an infinity (in a bucket there may be several). */
  nanCount: number;
  infiniteCount: number;
  pointCount: number;
  isLive: boolean;
}

export interface TrackStyle {
  runName: string;
  color: string;
  dash: number;
  isLive: boolean;
  /** Milliseconds of the run's start, for relative time; null: the series' own first time. */
  startMs: number | null;
  /** The x length that smoothing refers to, so that a zoomed range keeps the curve; null: of the rows at hand. */
  span: number | null;
}

/** A bucket whose extreme stands far out of the line: drawn as a stroke, since a faint band would hide it. */
export interface Spike {
  row: number;
  value: number;
}

export function labelText(labels: Readonly<Record<string, string>>): string {
  return Object.keys(labels)
    .sort()
    .map((name) => `${name}=${labels[name]}`)
    .join(" ");
}

export function trackKey(series: Series): string {
  return `${series.runId}\u0000${labelText(series.labels)}\u0000${series.valueType}`;
}

/** x of every row: of the point, or of the last point of a bucket. Seconds for relative time, milliseconds for wall time. */
export function xOf(series: Series, kind: XKind, startMs: number | null): Float64Array {
  if (kind === "step") return series.exact ? series.step : series.stepMax;
  const times = series.exact ? series.timeMs : series.timeMax;
  if (kind === "time") return times;
  const start = startMs ?? firstTime(series);
  return times.map((time) => (time - start) / 1000);
}

function firstTime(series: Series): number {
  return (series.exact ? series.timeMs : series.timeMin)[0] ?? 0;
}

function startOf(series: Series, kind: XKind, startMs: number | null): number {
  if (kind === "step") return (series.exact ? series.step : series.stepMin)[0] ?? Number.NaN;
  return kind === "time" ? firstTime(series) : (firstTime(series) - (startMs ?? firstTime(series))) / 1000;
}

export function makeTrack(series: Series, kind: XKind, smoothing: number, style: TrackStyle): Track {
  return withSmoothing(makeRawTrack(series, kind, style), smoothing, style.span);
}

/** The same line smoothed otherwise; `span` as in TrackStyle. */
export function withSmoothing(track: Track, smoothing: number, span: number | null): Track {
  return { ...track, line: smooth(track.x, track.y, timeConstant(smoothing, span ?? spanOf(track.x, track.order))) };
}

export function makeRawTrack(series: Series, kind: XKind, style: TrackStyle): Track {
  const x = xOf(series, kind, style.startMs);
  const rows = rowCount(series);
  const y = new Float64Array(rows);
  let low: Float64Array | null = null;
  let high: Float64Array | null = null;
  let nanCount = 0;
  let infiniteCount = 0;
  if (series.exact) {
    for (let i = 0; i < rows; i += 1) {
      const value = series.value[i] as number;
      const finite = Number.isFinite(value);
      y[i] = finite ? value : Number.NaN;
      if (finite) continue;
      if (Number.isNaN(value)) nanCount += 1;
      else infiniteCount += 1;
    }
  } else {
    low = new Float64Array(rows);
    high = new Float64Array(rows);
    for (let i = 0; i < rows; i += 1) {
      const last = series.last[i] as number;
      const first = series.first[i] as number;
      const min = series.min[i] as number;
      const max = series.max[i] as number;
      nanCount += series.nanCount[i] as number;
      if (!Number.isFinite(min - max) && !Number.isNaN(min)) infiniteCount += 1;
      y[i] = Number.isFinite(last) ? last : Number.isFinite(first) ? first : middle(min, max);
      const value = y[i] as number;
      low[i] = Number.isFinite(min) ? min : Number.isFinite(first) ? Math.min(first, value) : value;
      high[i] = Number.isFinite(max) ? max : Number.isFinite(first) ? Math.max(first, value) : value;
    }
  }
  const order = orderOf(x);
  return {
    key: trackKey(series),
    runId: series.runId,
    runName: style.runName,
    labelText: labelText(series.labels),
    color: style.color,
    dash: style.dash,
    series,
    x,
    startX: startOf(series, kind, style.startMs),
    y,
    line: y,
    low,
    high,
    spikes: low && high ? findSpikes(y, low, high) : [],
    order,
    sortedX: order ? x.map((_, i) => x[order[i] as number] as number) : x,
    nanCount,
    infiniteCount,
    pointCount: series.pointCount,
    isLive: style.isLive,
  };
}

function middle(min: number, max: number): number {
  if (Number.isFinite(min)) return Number.isFinite(max) ? (min + max) / 2 : min;
  return Number.isFinite(max) ? max : Number.NaN;
}

const SPIKE_FACTOR = 4;

/** Extremes that lie beyond the line's neighbourhood by four times the usual (median) height of a bucket. */
export function findSpikes(y: Float64Array, low: Float64Array, high: Float64Array): Spike[] {
  const heights = new Float64Array(y.length);
  let known = 0;
  for (let i = 0; i < y.length; i += 1) {
    const height = (high[i] as number) - (low[i] as number);
    if (height >= 0) heights[known++] = height;
  }
  if (known === 0) return [];
  const usual = heights.subarray(0, known).sort()[known >> 1] as number;
  const spikes: Spike[] = [];
  for (let i = 0; i < y.length; i += 1) {
    const here = y[i] as number;
    const left = y[i - 1] ?? here;
    const right = y[i + 1] ?? here;
    const above = (high[i] as number) - Math.max(here, left, right);
    const below = Math.min(here, left, right) - (low[i] as number);
    if (above > SPIKE_FACTOR * usual) spikes.push({ row: i, value: high[i] as number });
    if (below > SPIKE_FACTOR * usual) spikes.push({ row: i, value: low[i] as number });
  }
  return spikes;
}

/** The length of x that the rows cover. */
export function spanOf(x: Float64Array, order: Uint32Array | null): number {
  if (x.length < 2) return 0;
  const first = order ? (order[0] as number) : 0;
  const last = order ? (order[order.length - 1] as number) : x.length - 1;
  return (x[last] as number) - (x[first] as number);
}
