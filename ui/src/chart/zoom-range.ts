/** Which steps to ask for when a part of x is looked at. */

import type { Interval } from "./domain.ts";
import type { StepRange } from "./loader.ts";
import type { Track, XKind } from "./track.ts";

const MARGIN = 0.1;

/**
 * A range a little wider than the view, so that lines reach its edges. By time, the server still wants steps: those of the rows in
 * sight. null: everything is there already.
 */
export function stepRangeOf(view: Interval, kind: XKind, whole: readonly Track[]): StepRange | null {
  if (whole.every((track) => track.series.exact || track.series.count.every((count) => count === 1))) return null;
  if (kind === "step") return widenedSteps(view[0], view[1]);
  let min = Infinity;
  let max = -Infinity;
  for (const { series, x } of whole) {
    for (let i = 0; i < x.length; i += 1) {
      // Rows that touch the view: the one before the first and the one after the last belong to it.
      const start = i > 0 ? (x[i - 1] as number) : (x[i] as number);
      if ((x[i] as number) < view[0] || start > view[1]) continue;
      min = Math.min(min, (series.exact ? series.step : series.stepMin)[i] as number);
      max = Math.max(max, (series.exact ? series.step : series.stepMax)[i] as number);
    }
  }
  return min <= max ? [min, max] : null;
}

function widenedSteps(min: number, max: number): StepRange {
  const margin = (max - min) * MARGIN;
  return [Math.floor(min - margin), Math.ceil(max + margin)];
}
