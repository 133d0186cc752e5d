// A curve in a few pixels: as an SVG path. A spike within a bucket is drawn, gaps stay gaps.

import type { Series } from "../../api/series.ts";

export const SPARK_WIDTH = 132;
export const SPARK_HEIGHT = 22;
const INSET = 2;

/** "" where there is nothing to draw: fewer than two finite values. */
export function sparkPath(series: Series): string {
  const points = pointsOf(series);
  const finite = points.filter(([, y]) => Number.isFinite(y));
  if (finite.length < 2) return "";
  const [xMin, xMax] = spanOf(finite.map(([x]) => x));
  const [yMin, yMax] = spanOf(finite.map(([, y]) => y));
  if (!Number.isFinite(xMax - xMin)) return "";
  const xOf = (x: number): number => (xMax === xMin ? SPARK_WIDTH / 2 : INSET + ((x - xMin) / (xMax - xMin)) * (SPARK_WIDTH - 2 * INSET));
  // Halved first: the span of two huge numbers would be infinite.
  const half = yMax / 2 - yMin / 2;
  const yOf = (y: number): number => (half === 0 ? SPARK_HEIGHT / 2 : SPARK_HEIGHT - INSET - ((y / 2 - yMin / 2) / half) * (SPARK_HEIGHT - 2 * INSET));
  let path = "";
  let isDown = false;
  for (const [x, y] of points) {
    if (Number.isFinite(y)) path += `${isDown ? "L" : "M"}${xOf(x).toFixed(1)} ${yOf(y).toFixed(1)}`;
    isDown = Number.isFinite(y);
  }
  return path;
}

function pointsOf(series: Series): [x: number, y: number][] {
  const points: [number, number][] = [];
  if (series.exact) {
    series.step.forEach((step, i) => points.push([step, series.value[i] ?? NaN]));
  } else {
    series.stepMin.forEach((step, i) => {
      const [low, high] = [series.min[i] ?? NaN, series.max[i] ?? NaN];
      // In the order in which the bucket runs, so that a falling curve begins at its top.
      const isFalling = (series.first[i] ?? NaN) > (series.last[i] ?? NaN);
      points.push([step, isFalling ? high : low]);
      if (low !== high) points.push([series.stepMax[i] ?? step, isFalling ? low : high]);
    });
  }
  return points;
}

function spanOf(values: readonly number[]): [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}
