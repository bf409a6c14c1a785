/** The mask ratio of a config: a number, a schedule or a range. */
import type { Config } from './config.ts';
import { scheduledValue } from './schedules.ts';

type MaskRatio = Config['method']['maskRatio'];

/** Whether a mask ratio is drawn from a range, for each batch or sample. */
export function isRange(ratio: MaskRatio): ratio is Extract<MaskRatio, { per: unknown }> {
  return typeof ratio !== 'number' && 'per' in ratio;
}

/** Kept units at a mask ratio: ⌊L · (1 − ratio)⌋, as in MAE and MaskSub; rounded up only where a config says so. */
export function keptTokens(
  units: number,
  maskRatio: number,
  rounding: Config['method']['maskRounding'] = 'down',
): number {
  const kept = units * (1 - maskRatio);
  return rounding === 'up' ? Math.ceil(kept) : Math.floor(kept);
}

/** The ratio that stands for a config where one is wanted: in validation, and for what a step costs. A schedule's last, a range's middle. */
export function typicalRatio({ method: { maskRatio }, train: { epochs } }: Pick<Config, 'method' | 'train'>): number {
  if (isRange(maskRatio)) return (maskRatio.min + maskRatio.max) / 2;
  return scheduledValue(maskRatio, epochs, epochs);
}

/** The ratio by which the length of sequences goes whose hidden tokens leave: one drawn for each sample is filled up to the least. */
export function lengthRatio(config: Pick<Config, 'method' | 'train'>): number {
  const { maskRatio } = config.method;
  return isRange(maskRatio) && maskRatio.per === 'sample' ? maskRatio.min : typicalRatio(config);
}

/** The largest ratio of a config. */
export function largestRatio({ method: { maskRatio } }: Pick<Config, 'method'>): number {
  if (typeof maskRatio === 'number') return maskRatio;
  if (isRange(maskRatio)) return maskRatio.max;
  return 'steps' in maskRatio
    ? Math.max(...maskRatio.steps.map(([, ratio]) => ratio))
    : Math.max(maskRatio.from, maskRatio.to);
}
