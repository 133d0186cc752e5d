/** What a line cannot show: NaN, infinities, and values that a log axis has no place for. They are marked at the edge, at their x. */

import type { Track } from "./track.ts";

export type MarkKind = "nan" | "up" | "down" | "nonpositive";

/** Calls `visit` for every mark of the track; a bucket may have several kinds. */
export function forEachMark(track: Track, logY: boolean, visit: (row: number, kind: MarkKind) => void): void {
  if (track.nanCount === 0 && track.infiniteCount === 0 && !logY) return;
  const { series } = track;
  for (let row = 0; row < track.x.length; row += 1) {
    if (series.exact) {
      const value = series.value[row] as number;
      if (Number.isNaN(value)) visit(row, "nan");
      else if (value === Infinity) visit(row, "up");
      else if (value === -Infinity) visit(row, "down");
      else if (logY && value <= 0) visit(row, "nonpositive");
    } else {
      const min = series.min[row] as number;
      if ((series.nanCount[row] as number) > 0) visit(row, "nan");
      if (series.max[row] === Infinity) visit(row, "up");
      if (min === -Infinity) visit(row, "down");
      else if (logY && min <= 0) visit(row, "nonpositive");
    }
  }
}
