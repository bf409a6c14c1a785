/** Small statistics: mean, deviation, and whether a difference is more than noise. */

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
