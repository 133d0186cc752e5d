/** Finding rows by x. */

/** The first index whose x is at least `at`; `length` if there is none. `xs` must not fall. */
export function lowerBound(xs: ArrayLike<number>, at: number, from = 0, to = xs.length): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((xs[middle] as number) < at) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The index nearest to `at`, the earlier one on a tie; -1 if there are none. `xs` must not fall. */
export function nearestIndex(xs: ArrayLike<number>, at: number): number {
  if (xs.length === 0) return -1;
  const next = lowerBound(xs, at);
  if (next === 0) return 0;
  if (next === xs.length) return next - 1;
  return at - (xs[next - 1] as number) <= (xs[next] as number) - at ? next - 1 : next;
}

export function isRising(xs: ArrayLike<number>): boolean {
  for (let i = 1; i < xs.length; i += 1) {
    if (!((xs[i] as number) >= (xs[i - 1] as number))) return false;
  }
  return true;
}

/** Rows in order of x, rows of equal x as they were; null if they are in that order already. */
export function orderOf(xs: Float64Array): Uint32Array | null {
  if (isRising(xs)) return null;
  const order = Uint32Array.from(xs.keys());
  return order.sort((a, b) => (xs[a] as number) - (xs[b] as number) || a - b);
}
