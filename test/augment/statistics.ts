/** Tests of whether numbers were drawn from a distribution, or two lists of numbers from the same one; each gives a p-value. */

/** Pearson's: counts against the probabilities that they should have. */
export function chiSquare(counts: readonly number[], probabilities: readonly number[]): number {
  const all = counts.reduce((sum, count) => sum + count, 0);
  const statistic = counts.reduce((sum, count, i) => {
    const expected = all * (probabilities[i] as number);
    return sum + (count - expected) ** 2 / expected;
  }, 0);
  return upperGamma((counts.length - 1) / 2, statistic / 2);
}

/** Kolmogorov and Smirnov's for two samples; where values occur more than once, p is too large rather than too small. */
export function kolmogorovSmirnov(first: readonly number[], second: readonly number[]): number {
  const a = Float64Array.from(first).sort();
  const b = Float64Array.from(second).sort();
  let distance = 0;
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const value = Math.min(a[i] as number, b[j] as number);
    while (i < a.length && (a[i] as number) <= value) i++;
    while (j < b.length && (b[j] as number) <= value) j++;
    distance = Math.max(distance, Math.abs(i / a.length - j / b.length));
  }
  const root = Math.sqrt((a.length * b.length) / (a.length + b.length));
  const lambda = (root + 0.12 + 0.11 / root) * distance;
  if (lambda < 0.2) return 1;
  let p = 0;
  for (let k = 1; k <= 100; k++) p += 2 * (-1) ** (k - 1) * Math.exp(-2 * k * k * lambda * lambda);
  return Math.min(1, Math.max(0, p));
}

/** Welch's difference of two means, in standard errors. */
export function meanDifference(first: readonly number[], second: readonly number[]): number {
  const [a, b] = [moments(first), moments(second)];
  return Math.abs(a.mean - b.mean) / Math.sqrt(a.variance / first.length + b.variance / second.length);
}

export function moments(values: readonly number[]): { readonly mean: number; readonly variance: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return { mean, variance: values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1) };
}

/** The regularized upper incomplete gamma function of a half-integer or whole a, by its recurrence. */
function upperGamma(a: number, x: number): number {
  const isWhole = Number.isInteger(a);
  let value = isWhole ? Math.exp(-x) : erfc(Math.sqrt(x));
  // term = x^s e^−x / Γ(s + 1), from Q(s + 1, x) = Q(s, x) + term
  let term = isWhole ? x * Math.exp(-x) : 2 * Math.sqrt(x / Math.PI) * Math.exp(-x);
  for (let s = isWhole ? 1 : 0.5; s < a; s++) {
    value += term;
    term *= x / (s + 1);
  }
  return value;
}

/** By Simpson's rule; the tail beyond is below 1e-40. */
function erfc(x: number): number {
  const steps = 2000;
  const width = 10 / steps;
  let sum = 0;
  for (let i = 0; i <= steps; i++) {
    const weight = i === 0 || i === steps ? 1 : i % 2 === 1 ? 4 : 2;
    sum += weight * Math.exp(-((x + i * width) ** 2));
  }
  return (2 / Math.sqrt(Math.PI)) * sum * (width / 3);
}
