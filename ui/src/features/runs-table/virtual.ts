/** Which rows of many are in sight. Browsers cannot draw boxes of any height, so very long tables scroll in a scale. */

/** Firefox stops at 17.8 million pixels, Chromium at 33.5. */
export const MAX_HEIGHT = 15_000_000;

export interface Window {
  /** First row to draw, and the one behind the last. */
  first: number;
  end: number;
  /** Of the box that scrolls. */
  height: number;
  /** Where the first drawn row begins, within that box. */
  top: number;
}

/** `top` and `viewHeight` are of the scrolled area that rows are seen in (headers excluded). */
export function windowOf(count: number, rowHeight: number, scrollTop: number, viewHeight: number, overscan: number): Window {
  const whole = count * rowHeight;
  const height = Math.min(whole, MAX_HEIGHT);
  const at = Math.max(0, Math.min(scrollTop, Math.max(0, height - viewHeight)));
  const offset = whole > height ? (at * (whole - viewHeight)) / (height - viewHeight) : at;
  const seen = Math.floor(offset / rowHeight);
  const first = Math.max(0, seen - overscan);
  const end = Math.min(count, Math.ceil((offset + viewHeight) / rowHeight) + overscan);
  return { first, end: Math.max(first, end), height, top: at - (offset - first * rowHeight) };
}

/**
 * Rows are drawn in a ring of slots: row `index` always stands in slot `index % size`, so that scrolling by a row fills one slot
 * anew and leaves the others alone. The answer says which row each slot shows; -1 for none.
 */
export function slotsOf(first: number, end: number, size: number): number[] {
  return Array.from({ length: size }, (_, slot) => {
    const index = first + ((((slot - first) % size) + size) % size);
    return index < end ? index : -1;
  });
}

/** Where to scroll so that row `index` is in sight; the present place if it already is. */
export function scrollTopFor(index: number, count: number, rowHeight: number, scrollTop: number, viewHeight: number): number {
  const whole = count * rowHeight;
  const height = Math.min(whole, MAX_HEIGHT);
  const scale = whole > height ? (whole - viewHeight) / (height - viewHeight) : 1;
  const offset = scrollTop * scale;
  const top = index * rowHeight;
  if (top >= offset && top + rowHeight <= offset + viewHeight) return scrollTop;
  const wished = top < offset ? top : top + rowHeight - viewHeight;
  return Math.max(0, wished / scale);
}
