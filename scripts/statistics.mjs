/** Mean and spread over seeds, for the tables of results. */

/** @param {readonly number[]} values */
export function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/**
 * Mean ± sample standard deviation.
 *
 * @param {readonly number[]} values
 */
export function spread(values) {
  const center = mean(values);
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - center) ** 2, 0) / (values.length - 1));
  return `${center.toFixed(2)} ± ${deviation.toFixed(2)}`;
}
