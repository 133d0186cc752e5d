/** Lines, bands and marks on a canvas. All lengths are CSS pixels; the caller has scaled the context. */

import { lowerBound } from "./bisect.ts";
import type { Interval } from "./domain.ts";
import { forEachMark, type MarkKind } from "./marks.ts";
import type { PixelScale } from "./scale.ts";
import type { Track } from "./track.ts";

export interface Plane {
  width: number;
  height: number;
  x: PixelScale;
  y: PixelScale;
  view: Interval;
  logY: boolean;
}

export interface PaintOptions {
  band: boolean;
  /** How many lines share the plane: the more, the thinner and fainter. */
  crowd: number;
  emphasis: boolean;
}

const DASHES: readonly number[][] = [[], [6, 3], [2, 3], [8, 3, 2, 3], [12, 4], [2, 2, 6, 2]];

export function dashOf(index: number): number[] {
  return DASHES[index % DASHES.length] ?? [];
}

function byCrowd(crowd: number, few: number, ten: number, many: number, hundred: number): number {
  if (crowd <= 3) return few;
  if (crowd <= 12) return ten;
  return crowd <= 40 ? many : hundred;
}

export function paintTracks(context: CanvasRenderingContext2D, tracks: readonly Track[], plane: Plane, options: PaintOptions): void {
  context.lineJoin = "round";
  context.lineCap = "butt";
  // Bands first: no band may hide another run's line.
  if (options.band) for (const track of tracks) paintBand(context, track, plane, options);
  for (const track of tracks) paintLine(context, track, plane, options);
  for (const track of tracks) paintMarks(context, track, plane);
}

/** Rows in sight and one beyond on each side; all of them if x goes back somewhere. */
function rowsInSight(track: Track, view: Interval): [from: number, to: number] {
  if (track.order) return [0, track.x.length];
  const from = Math.max(0, lowerBound(track.x, view[0]) - 1);
  const end = lowerBound(track.x, view[1], from);
  return [from, Math.min(track.x.length, end + 2)];
}

function paintBand(context: CanvasRenderingContext2D, track: Track, plane: Plane, options: PaintOptions): void {
  if (!track.low || !track.high) return;
  const [from, to] = rowsInSight(track, plane.view);
  const { toPixel: px } = plane.x;
  const { toPixel: py } = plane.y;
  context.globalAlpha = options.emphasis ? 0.22 : byCrowd(options.crowd, 0.18, 0.1, 0.05, 0.03);
  context.fillStyle = track.color;
  context.beginPath();
  let start = from;
  while (start < to) {
    // A piece without gaps, and without x going back.
    let end = start;
    while (end < to && !Number.isNaN(track.high[end] as number) && (end === start || (track.x[end] as number) >= (track.x[end - 1] as number))) end += 1;
    if (end > start) {
      const left = start === 0 ? px(track.startX) : Number.NaN; // the first bucket begins before its x
      if (left >= 0) context.lineTo(left, clampPixel(py(track.high[0] as number), plane.height));
      for (let i = start; i < end; i += 1) context.lineTo(px(track.x[i] as number), clampPixel(py(track.high[i] as number), plane.height));
      for (let i = end - 1; i >= start; i -= 1) context.lineTo(px(track.x[i] as number), clampPixel(py(track.low[i] as number), plane.height));
      if (left >= 0) context.lineTo(left, clampPixel(py(track.low[0] as number), plane.height));
      context.closePath();
      const next = px(track.x[end] ?? 0);
      context.moveTo(next, 0);
    }
    start = Math.max(end, start + 1);
  }
  context.fill();
  context.globalAlpha = 1;
}

/** A value that a log scale cannot place lies below the plane. Canvases also lose precision far outside. */
function clampPixel(pixel: number, height: number): number {
  return pixel > -4 * height ? Math.min(pixel, 5 * height) : Number.isNaN(pixel) ? 2 * height : -4 * height;
}

function paintLine(context: CanvasRenderingContext2D, track: Track, plane: Plane, options: PaintOptions): void {
  const width = options.emphasis ? 2 : byCrowd(options.crowd, 1.6, 1.4, 1.15, 1);
  context.strokeStyle = track.color;
  if (track.line !== track.y) {
    context.globalAlpha = options.emphasis ? 0.35 : byCrowd(options.crowd, 0.28, 0.15, 0.09, 0.06);
    context.lineWidth = 1;
    strokeValues(context, track, track.y, plane);
  }
  context.globalAlpha = options.emphasis ? 1 : byCrowd(options.crowd, 1, 0.95, 0.8, 0.65);
  context.lineWidth = width;
  context.setLineDash(dashOf(track.dash));
  const lone = strokeValues(context, track, track.line, plane);
  context.setLineDash([]);
  context.fillStyle = track.color;
  for (let i = 0; i < lone.length; i += 2) dot(context, lone[i] as number, lone[i + 1] as number, Math.max(2.5, width + 1));
  paintDots(context, track, plane, width);
  if (track.isLive) paintEnd(context, track, plane, width);
  paintSpikes(context, track, plane);
  context.globalAlpha = 1;
}

/** Strokes the pieces between gaps; answers the places of points that stand alone, which a stroke would not show. */
function strokeValues(context: CanvasRenderingContext2D, track: Track, values: Float64Array, plane: Plane): number[] {
  const [from, to] = rowsInSight(track, plane.view);
  const { toPixel: px } = plane.x;
  const { toPixel: py } = plane.y;
  const lone: number[] = [];
  const { series } = track;
  let length = 0; // of the piece so far
  let beforeX = 0;
  let beforeY = 0;
  let before = -Infinity;
  context.beginPath();
  if (from === 0 && !series.exact && track.startX < (track.x[0] ?? Number.NaN)) {
    beforeX = px(track.startX);
    beforeY = clampPixel(py(values === track.y ? (series.first[0] as number) : (values[0] as number)), plane.height);
    if (!Number.isNaN(beforeX) && Number.isFinite(series.first[0] as number)) {
      context.moveTo(beforeX, beforeY);
      before = track.startX;
      length = 1;
    }
  }
  for (let i = from; i < to; i += 1) {
    const at = track.x[i] as number;
    const x = px(at);
    const y = py(values[i] as number);
    if (Number.isNaN(y) || Number.isNaN(x)) {
      if (length === 1) lone.push(beforeX, beforeY);
      length = 0;
      continue;
    }
    const yInReach = clampPixel(y, plane.height);
    if (length > 0 && at >= before) {
      context.lineTo(x, yInReach);
      length += 1;
    } else {
      if (length === 1) lone.push(beforeX, beforeY);
      context.moveTo(x, yInReach);
      length = 1;
    }
    before = at;
    beforeX = x;
    beforeY = yInReach;
  }
  if (length === 1) lone.push(beforeX, beforeY);
  context.stroke();
  return lone;
}

const DOT_ROOM_PX = 12;

/** Raw points get dots where there is room for them. */
function paintDots(context: CanvasRenderingContext2D, track: Track, plane: Plane, width: number): void {
  if (!track.series.exact) return;
  const [from, to] = rowsInSight(track, plane.view);
  if (to - from > plane.width / DOT_ROOM_PX || to - from < 2) return;
  context.fillStyle = track.color;
  for (let i = from; i < to; i += 1) dot(context, plane.x.toPixel(track.x[i] as number), plane.y.toPixel(track.y[i] as number), width + 0.6);
}

/** A run that goes on ends in a dot. */
function paintEnd(context: CanvasRenderingContext2D, track: Track, plane: Plane, width: number): void {
  let last = track.line.length - 1;
  while (last >= 0 && Number.isNaN(track.line[last])) last -= 1;
  if (last < 0) return;
  context.fillStyle = track.color;
  dot(context, plane.x.toPixel(track.x[last] as number), plane.y.toPixel(track.line[last] as number), width + 1.5);
}

function paintSpikes(context: CanvasRenderingContext2D, track: Track, plane: Plane): void {
  if (track.spikes.length === 0) return;
  context.globalAlpha = Math.max(0.7, context.globalAlpha * 0.85);
  context.lineWidth = 1;
  context.beginPath();
  for (const { row, value } of track.spikes) {
    const x = plane.x.toPixel(track.x[row] as number);
    if (!(x >= -1 && x <= plane.width + 1)) continue;
    const foot = plane.y.toPixel(track.y[row] as number);
    context.moveTo(x, clampPixel(foot, plane.height));
    context.lineTo(x, clampPixel(plane.y.toPixel(value), plane.height));
  }
  context.stroke();
}

function dot(context: CanvasRenderingContext2D, x: number, y: number, radius: number): void {
  if (Number.isNaN(x) || Number.isNaN(y)) return;
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fill();
}

const MARK_PX = 3;
const MARK_ROOM_PX: Readonly<Record<MarkKind, number>> = { nan: 7, up: 8, down: 8, nonpositive: 2 };

/** A cross on the baseline is NaN, a triangle at an edge an infinity, a bar on the baseline a value that a log axis cannot hold. */
function paintMarks(context: CanvasRenderingContext2D, track: Track, plane: Plane): void {
  context.strokeStyle = track.color;
  context.fillStyle = track.color;
  context.lineWidth = 1.3;
  const before: Partial<Record<MarkKind, number>> = {};
  const bottom = plane.height - 1;
  forEachMark(track, plane.logY, (row, kind) => {
    const x = plane.x.toPixel(track.x[row] as number);
    if (!(x >= 0 && x <= plane.width)) return;
    const last = before[kind] ?? -Infinity;
    if (x >= last && x - last < MARK_ROOM_PX[kind]) {
      if (kind === "nan") context.fillRect(last, bottom - MARK_PX - 1.5, x - last, 1); // many in a row: crosses on a line
      return;
    }
    before[kind] = x;
    context.beginPath();
    if (kind === "nan") cross(context, x, bottom - MARK_PX - 1);
    else if (kind === "nonpositive") bar(context, x, bottom);
    else triangle(context, x, kind === "up" ? 1 : bottom, kind === "up" ? 8 : bottom - 7);
  });
}

function cross(context: CanvasRenderingContext2D, x: number, y: number): void {
  context.moveTo(x - MARK_PX, y - MARK_PX);
  context.lineTo(x + MARK_PX, y + MARK_PX);
  context.moveTo(x - MARK_PX, y + MARK_PX);
  context.lineTo(x + MARK_PX, y - MARK_PX);
  context.stroke();
}

function bar(context: CanvasRenderingContext2D, x: number, bottom: number): void {
  context.moveTo(x, bottom - 5);
  context.lineTo(x, bottom);
  context.stroke();
}

function triangle(context: CanvasRenderingContext2D, x: number, tip: number, base: number): void {
  context.moveTo(x, tip);
  context.lineTo(x - 4, base);
  context.lineTo(x + 4, base);
  context.closePath();
  context.fill();
}
