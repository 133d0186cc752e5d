/** uPlot draws scales, axes and grid; lines, pointer and highlight are drawn by us on canvases above it. */

import type uPlot from "uplot";
import type { Domain } from "./domain.ts";
import type { Plane } from "./paint.ts";
import type { ChartTheme } from "./theme.ts";
import { bytesSplits, durationSplits, logSplits, numberSplits, stepSplits } from "./splits.ts";
import { bytesTicks, durationTicks, logTicks, numberTicks, timeTicks } from "./ticks.ts";
import type { XKind } from "./track.ts";

export interface AxesOptions {
  width: number;
  height: number;
  xKind: XKind;
  logX: boolean;
  logY: boolean;
  /** Values are numbers of bytes. */
  isBytes: boolean;
  theme: ChartTheme;
  domain: Domain;
  drawn: (chart: uPlot) => void;
}

/** uPlot is given nothing to draw. */
export const NO_DATA: uPlot.AlignedData = [
  [0, 1],
  [null, null],
];

const X_TICK_ROOM_PX = 56;
const TIME_TICK_ROOM_PX = 72;
const Y_TICK_ROOM_PX = 36;
const Y_WIDTH_MIN_PX = 44;
const X_HEIGHT_PX = 26;

export function axesOptions(options: AxesOptions): uPlot.Options {
  const { theme, xKind, logX, logY, isBytes, domain } = options;
  const shared = { stroke: theme.faint, font: theme.font, grid: { stroke: theme.grid, width: 1 }, ticks: { show: false } };
  const isTime = xKind === "time" && !logX;
  const xValues = logX ? logTicks : xKind === "relative" ? durationTicks : numberTicks;
  const xAxis: uPlot.Axis = { ...shared, scale: "x", side: 2, size: X_HEIGHT_PX, gap: 6, space: isTime ? TIME_TICK_ROOM_PX : X_TICK_ROOM_PX, grid: { show: false } };
  if (!isTime) {
    xAxis.values = (_chart, splits) => xValues(splits);
    xAxis.splits = (chart, _axis, min, max) =>
      (logX ? logSplits : xKind === "relative" ? durationSplits : stepSplits)(min, max, Math.floor((chart.width - Y_WIDTH_MIN_PX) / X_TICK_ROOM_PX));
  } else {
    xAxis.size = 40;
    xAxis.values = (_chart, splits, _axis, _room, step) => timeTicks(splits, step);
  }
  const yAxis: uPlot.Axis = {
    ...shared,
    scale: "y",
    side: 3,
    gap: 6,
    splits: (chart, _axis, min, max) => (logY ? logSplits : isBytes ? bytesSplits : numberSplits)(min, max, Math.floor((chart.height - X_HEIGHT_PX) / Y_TICK_ROOM_PX)),
    values: (_chart, splits) => (logY ? logTicks : isBytes ? bytesTicks : numberTicks)(splits),
    size: (chart, values, axis, cycle) => yWidth(chart, values, axis, cycle),
    // uPlot's own filter of log ticks would drop what is chosen here
    filter: (_chart, splits) => splits,
  };
  xAxis.filter = (_chart, splits) => splits;
  return {
    width: options.width,
    height: options.height,
    ms: 1,
    legend: { show: false },
    cursor: { show: false },
    pxAlign: 1,
    padding: [8, isTime ? 26 : 16, 0, 0],
    scales: {
      // Its range functions would round a log scale to whole decades, away from where the lines are drawn.
      x: { time: isTime, auto: false, distr: logX ? 3 : 1, min: domain.x[0], max: domain.x[1], range: asGiven },
      y: { auto: false, distr: logY ? 3 : 1, min: domain.y[0], max: domain.y[1], range: asGiven },
    },
    axes: [xAxis, yAxis],
    series: [{}, { show: true, scale: "y", points: { show: false } }],
    hooks: { draw: [options.drawn] },
  };
}

function asGiven(_chart: uPlot, min: number, max: number): uPlot.Range.MinMax {
  return [min, max];
}

function yWidth(chart: uPlot, values: string[] | null, axis: number, cycle: number): number {
  const before = (chart.axes[axis] as { _size?: number } | undefined)?._size;
  if (cycle > 1 && before !== undefined) return before;
  const longest = (values ?? []).reduce((text, value) => (value !== null && value.length > text.length ? value : text), "");
  chart.ctx.save();
  chart.ctx.font = (chart.axes[axis] as { font?: [string] } | undefined)?.font?.[0] ?? "11px sans-serif";
  const width = chart.ctx.measureText(longest).width / devicePixelRatio;
  chart.ctx.restore();
  return Math.max(Y_WIDTH_MIN_PX, Math.ceil(width) + 14);
}

/** What uPlot keeps of an axis and does not declare; its version is pinned. */
interface DrawnAxis {
  _splits?: (number | null)[] | null;
  _values?: (string | null)[] | null;
}

/** The axes that uPlot has drawn, once more, for a picture of another resolution. The context's origin is the plane's corner. */
export function paintAxes(context: CanvasRenderingContext2D, chart: uPlot, plane: Plane, theme: ChartTheme): void {
  const [x, y] = chart.axes as DrawnAxis[];
  context.font = theme.font;
  context.lineWidth = 1;
  context.strokeStyle = theme.grid;
  context.fillStyle = theme.faint;
  context.textAlign = "right";
  context.textBaseline = "middle";
  forEachTick(y, (value, text) => {
    const at = Math.round(plane.y.toPixel(value)) + 0.5;
    context.beginPath();
    context.moveTo(0, at);
    context.lineTo(plane.width, at);
    context.stroke();
    context.fillText(text, -6, at);
  });
  context.textAlign = "center";
  context.textBaseline = "top";
  forEachTick(x, (value, text) => {
    text.split("\n").forEach((line, row) => context.fillText(line, plane.x.toPixel(value), plane.height + 7 + 16 * row));
  });
}

function forEachTick(axis: DrawnAxis | undefined, visit: (value: number, text: string) => void): void {
  axis?._splits?.forEach((value, i) => {
    const text = axis._values?.[i];
    if (value !== null && text) visit(value, text);
  });
}
