/** A zoom as the address holds it: x0~x1~y0~y1~metric; an empty pair of places where nothing is narrowed. */

import type { Interval, Zoom } from "./domain.ts";

/** Of the range: a ten thousandth, less than a pixel of the widest chart. */
const PLACES = 4;

export function zoomToText(metric: string, zoom: Zoom): string {
  return [...textOf(zoom.x), ...textOf(zoom.y), metric].join("~");
}

/** null: not a zoom (typed by hand). */
export function zoomFromText(text: string): [[string, Zoom]] | null {
  const [x0 = "", x1 = "", y0 = "", y1 = "", ...rest] = text.split("~");
  const x = intervalOf(x0, x1);
  const y = intervalOf(y0, y1);
  return rest.length > 0 && (x || y) ? [[rest.join("~"), { x, y }]] : null;
}

function textOf(interval: Interval | null): [string, string] {
  if (!interval) return ["", ""];
  const [low, high] = interval;
  // So many digits that both ends stay where they are, whatever their distance from zero.
  const span = Math.log10(Math.max(Math.abs(low), Math.abs(high)) / (high - low));
  const digits = Math.min(17, Math.max(1, Math.ceil(span) + PLACES));
  return [String(Number(low.toPrecision(digits))), String(Number(high.toPrecision(digits)))];
}

function intervalOf(low: string, high: string): Interval | null {
  if (low === "" || high === "") return null;
  const found: Interval = [Number(low), Number(high)];
  return Number.isFinite(found[0]) && Number.isFinite(found[1]) && found[1] > found[0] ? found : null;
}
