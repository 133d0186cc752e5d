/** Values to pixels and back, linear or logarithmic. */

import type { Interval } from "./domain.ts";

export interface PixelScale {
  toPixel: (value: number) => number;
  toValue: (pixel: number) => number;
}

/** `from` and `to` are the pixels of the interval's ends. On a log scale a value at or below 0 has the pixel NaN. */
export function pixelScale([min, max]: Interval, from: number, to: number, log: boolean): PixelScale {
  if (log) {
    const low = Math.log(min);
    const factor = (to - from) / (Math.log(max) - low);
    return {
      toPixel: (value) => (value > 0 ? from + (Math.log(value) - low) * factor : Number.NaN),
      toValue: (pixel) => Math.exp(low + (pixel - from) / factor),
    };
  }
  const factor = (to - from) / (max - min);
  return { toPixel: (value) => from + (value - min) * factor, toValue: (pixel) => min + (pixel - from) / factor };
}

/** The interval moved by a number of pixels. */
export function shifted(interval: Interval, pixels: number, length: number, log: boolean): Interval {
  const scale = pixelScale(interval, 0, length, log);
  return [scale.toValue(-pixels), scale.toValue(length - pixels)];
}
