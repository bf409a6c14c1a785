/** Small statistics: mean, deviation, whether a difference is more than noise, and the distributions that a t test needs. */

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Sample standard deviation (n − 1); NaN for fewer than two values. */
export function standardDeviation(values: readonly number[]): number {
  if (values.length < 2) return Number.NaN;
  const center = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - center) ** 2, 0) / (values.length - 1));
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

/**
 * Standard error of the difference of two accuracies (fractions) measured on n samples each, taken as independent.
 * On the same samples the true error is smaller, so this calls too much noise rather than too little.
 */
export function accuracyDifferenceError(a: number, b: number, samples: number): number {
  return Math.sqrt((a * (1 - a) + b * (1 - b)) / samples);
}

/** P(T ≤ t) of Student's t distribution with so many degrees of freedom. */
export function studentCdf(t: number, freedom: number): number {
  if (Number.isNaN(t) || !(freedom > 0)) return Number.NaN;
  const tail = studentTails(t, freedom) / 2;
  return t > 0 ? 1 - tail : tail;
}

/** P(|T| ≥ |t|): the p of a two-sided t test, without the loss of digits of 1 − P(|T| < |t|). */
export function studentTails(t: number, freedom: number): number {
  if (!Number.isFinite(t)) return Number.isNaN(t) ? Number.NaN : 0;
  return incompleteBeta(freedom / (freedom + t * t), freedom / 2, 0.5);
}

/** The t with P(T ≤ t) = p, for p in (0, 1): Newton's steps inside a bracket that each of them narrows. */
export function studentQuantile(p: number, freedom: number): number {
  if (!(p > 0 && p < 1 && freedom > 0)) return p === 0 ? -Infinity : p === 1 ? Infinity : Number.NaN;
  if (p === 0.5) return 0;
  if (p < 0.5) return -upperQuantile(2 * p, freedom);
  return upperQuantile(2 * (1 - p), freedom);
}

/** Iₓ(a, b), the regularized incomplete beta function, by its continued fraction (DLMF 8.17.22, https://dlmf.nist.gov/8.17). */
export function incompleteBeta(x: number, a: number, b: number): number {
  if (!(x > 0)) return Number.isNaN(x) ? Number.NaN : 0;
  if (x >= 1) return 1;
  // The fraction converges fast below the mean only.
  return x > (a + 1) / (a + b + 2) ? 1 - betaFraction(1 - x, b, a) : betaFraction(x, a, b);
}

/** ln Γ(x) for x > 0: Stirling's series (DLMF 5.11.1) where x is large, carried down by Γ(x + 1) = x Γ(x). */
export function logGamma(x: number): number {
  let [shift, large] = [0, x];
  for (; large < 15; large++) shift += Math.log(large);
  const inverse = 1 / (large * large);
  const series =
    (1 / 12 + inverse * (-1 / 360 + inverse * (1 / 1260 + inverse * (-1 / 1680 + inverse / 1188)))) / large;
  return (large - 0.5) * Math.log(large) - large + 0.5 * Math.log(2 * Math.PI) + series - shift;
}

/** The t > 0 with P(|T| ≥ t) = tails. */
function upperQuantile(tails: number, freedom: number): number {
  let [low, high] = [0, 1];
  while (studentTails(high, freedom) > tails) [low, high] = [high, 2 * high];
  const scale = logGamma((freedom + 1) / 2) - logGamma(freedom / 2) - 0.5 * Math.log(freedom * Math.PI);
  let t = (low + high) / 2;
  for (let round = 0; round < 200; round++) {
    const error = studentTails(t, freedom) - tails;
    if (error > 0) low = t;
    else high = t;
    const density = Math.exp(scale - ((freedom + 1) / 2) * Math.log1p((t * t) / freedom));
    const newton = t + error / (2 * density);
    const next = newton > low && newton < high ? newton : (low + high) / 2;
    if (Math.abs(next - t) <= 1e-15 * t) return next;
    t = next;
  }
  return t;
}

function betaFraction(x: number, a: number, b: number): number {
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x)) / a;
  const least = 1e-300; // keeps a denominator from 0, as Lentz's method asks
  let [c, d] = [1, 1 - ((a + b) * x) / (a + 1)];
  d = 1 / (Math.abs(d) < least ? least : d);
  let fraction = d;
  for (let m = 1; m < 10_000; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    let change = 1;
    for (const term of [even, odd]) {
      d = 1 + term * d;
      c = 1 + term / c;
      d = 1 / (Math.abs(d) < least ? least : d);
      if (Math.abs(c) < least) c = least;
      change = c * d;
      fraction *= change;
    }
    if (Math.abs(change - 1) < 1e-15) break;
  }
  return front * fraction;
}
