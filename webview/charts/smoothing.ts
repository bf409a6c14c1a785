/** An exponential moving average in which time, not the number of points, is what fades: the same line at every resolution. */
import { type Curve, firstAt } from './curve.ts';

/** The average after each bucket, at the bucket's last x; NaN where the curve breaks. */
export interface Smoothed {
  readonly halfLife: number;
  readonly y: Float64Array;
  /** What the average consists of there: weighted sum is y · weight. */
  readonly weight: Float64Array;
}

/**
 * The average of a curve, over x. Each bucket's mean counts with the distance from the bucket before it, so that a bucket of many rows
 * counts as much as its rows would; divided by the weight so far, so that the first values are not drawn to 0. Behind a break it begins
 * anew. `before` is a coarser curve that began earlier: the average goes on from its state, or a zoom would change the line.
 */
export function smoothed(curve: Curve, halfLife: number, before?: { curve: Curve; average: Smoothed }): Smoothed {
  const n = curve.mean.length;
  const y = new Float64Array(n);
  const weight = new Float64Array(n);
  const rate = -Math.LN2 / halfLife;
  let [sum, total, at] = stateBefore(curve, before);
  const typical = typicalDistance(curve);
  for (let i = 0; i < n; i++) {
    const mean = curve.mean[i] ?? Number.NaN;
    const end = curve.x1[i] ?? 0;
    if (Number.isNaN(mean)) {
      [sum, total, at] = [0, 0, Number.NaN];
      [y[i], weight[i]] = [Number.NaN, 0];
      continue;
    }
    const distance = Number.isNaN(at) ? Math.max(typical, end - (curve.x0[i] ?? 0)) : end - at;
    // 1 − e^(rate · distance), exact also where that is tiny.
    const share = distance > 0 ? -Math.expm1(rate * distance) : -Math.expm1(rate * typical);
    sum += share * (mean - sum);
    total += share * (1 - total);
    at = end;
    [y[i], weight[i]] = [sum / total, total];
  }
  return { halfLife, y, weight };
}

type State = [sum: number, weight: number, at: number];
const fresh: State = [0, 0, Number.NaN];

/** The state of the coarser average where the curve begins; a fresh one where they don't meet. */
function stateBefore(curve: Curve, before: { curve: Curve; average: Smoothed } | undefined): State {
  const begin = curve.x0[0];
  if (!before || begin === undefined || before.average.halfLife <= 0) return fresh;
  const i = firstAt(before.curve.x1, begin, false) - 1;
  const [y, weight] = [before.average.y[i], before.average.weight[i]];
  if (i < 0 || y === undefined || weight === undefined || Number.isNaN(y)) return fresh;
  return [y * weight, weight, before.curve.x1[i] ?? begin];
}

/** The distance that a first bucket stands for: the mean one. */
function typicalDistance({ x0, x1 }: Curve): number {
  const n = x1.length;
  const span = (x1[n - 1] ?? 0) - (x0[0] ?? 0);
  return n > 1 && span > 0 ? span / (n - 1) : 1;
}
