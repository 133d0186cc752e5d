// What a chart shows, read from its pixels.
import type { Locator } from "@playwright/test";

export interface Ink {
  /** Coloured pixels, over all layers of the chart; grids, axes and text are grey. */
  count: number;
  /** Of the coloured pixels, as parts of the canvas: 0 is left or top, 1 right or bottom. */
  left: number;
  right: number;
  top: number;
  bottom: number;
  /** Where, between leftmost (0) and rightmost (1), the topmost one is. */
  peak: number;
}

export function inkOf(chart: Locator): Promise<Ink> {
  return chart.evaluate((element) => {
    let count = 0;
    let [left, right, top, bottom, peakX] = [1, 0, 1, 0, 0];
    for (const canvas of element.querySelectorAll("canvas")) {
      const { width, height } = canvas;
      if (!width || !height) continue;
      const data = canvas.getContext("2d")!.getImageData(0, 0, width, height).data;
      for (let at = 0; at < data.length; at += 4) {
        const [red, green, blue, alpha] = [data[at]!, data[at + 1]!, data[at + 2]!, data[at + 3]!];
        if (alpha < 40 || Math.max(red, green, blue) - Math.min(red, green, blue) < 40) continue;
        count += 1;
        const x = ((at / 4) % width) / width;
        const y = Math.floor(at / 4 / width) / height;
        left = Math.min(left, x);
        right = Math.max(right, x);
        bottom = Math.max(bottom, y);
        if (y < top) [top, peakX] = [y, x];
      }
    }
    return { count, left, right, top, bottom, peak: (peakX - left) / (right - left) };
  });
}

/** How many pixels of a chart have this CSS colour, or nearly. */
export function pixelsOf(chart: Locator, color: string): Promise<number> {
  return chart.evaluate((element, wanted) => {
    const probe = document.createElement("canvas").getContext("2d")!;
    probe.fillStyle = wanted;
    probe.fillRect(0, 0, 1, 1);
    const [red, green, blue] = probe.getImageData(0, 0, 1, 1).data as unknown as [number, number, number];
    let count = 0;
    for (const canvas of element.querySelectorAll("canvas")) {
      if (!canvas.width || !canvas.height) continue;
      const data = canvas.getContext("2d")!.getImageData(0, 0, canvas.width, canvas.height).data;
      for (let at = 0; at < data.length; at += 4) {
        const distance = Math.abs(data[at]! - red) + Math.abs(data[at + 1]! - green) + Math.abs(data[at + 2]! - blue);
        if (data[at + 3]! > 200 && distance < 24) count += 1;
      }
    }
    return count;
  }, color);
}
