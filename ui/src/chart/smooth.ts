/**
 * Smoothing by an exponential average over x, not over the row number: what a point weighs depends on how far behind it lies,
 * so uneven steps, summed-up buckets and zoomed ranges give the same curve. The average of what has been seen is divided by
 * the weight of what has been seen, so the start is not pulled towards zero. NaN and infinities are stepped over and stay gaps;
 * where x goes back (another attempt), it starts anew.
 */

/** Which length of x is forgotten to 1/e: slider 0.6 forgets within 0.2 % of the span, 0.99 within 10 %, 0.999 within all of it. */
export function timeConstant(smoothing: number, span: number): number {
  if (!(smoothing > 0) || !(span > 0)) return 0;
  return (-span / 1000) / Math.log(Math.min(smoothing, 0.9999));
}

/** `y` smoothed, as a new array; `y` itself if `tau` is 0. */
export function smooth(x: Float64Array, y: Float64Array, tau: number): Float64Array {
  if (!(tau > 0)) return y;
  const out = new Float64Array(y.length);
  let sum = 0;
  let weight = 0;
  let before = Number.NaN;
  for (let i = 0; i < y.length; i += 1) {
    const at = x[i] as number;
    const value = y[i] as number;
    if (!Number.isFinite(value)) {
      out[i] = value;
      continue;
    }
    const kept = at >= before ? Math.exp((before - at) / tau) : 0;
    sum = sum * kept + value;
    weight = weight * kept + 1;
    before = at;
    out[i] = sum / weight;
  }
  return out;
}
