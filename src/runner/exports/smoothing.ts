/** Smoothing for figures: an exponential moving average over the x axis, each value weighed by its distance from here. */

/**
 * The average of the values so far with weights exp(−distance / span), so that unevenly spaced values count as they should and the
 * first values are not pulled towards 0. Values that are not finite stay and count for nothing.
 */
export function smooth(x: ArrayLike<number>, y: ArrayLike<number>, span: number): number[] {
  let [sum, weight, before] = [0, 0, x[0] ?? 0];
  return Array.from(y, (value, i) => {
    const at = x[i] ?? before;
    const kept = Math.exp((before - at) / span);
    before = at;
    sum *= kept;
    weight *= kept;
    if (!Number.isFinite(value)) return value;
    sum += value;
    weight += 1;
    return sum / weight;
  });
}
