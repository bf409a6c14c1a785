/** A method against its baseline: the difference as it stands, per pair and over seeds, in numbers and in words. */
import { backends, datasets, methods } from './catalog.ts';
import type { RunEventOf } from './events.ts';
import { t } from './l10n.ts';
import type { RunState } from './run.ts';
import { accuracyDifferenceError, mean, standardDeviation } from './statistics.ts';

/** Where a pair stands: the newest epoch at which both runs were validated. */
export interface PairComparison {
  readonly pair: string;
  readonly seed: number;
  readonly epoch: number;
  /** Top-1, fractions. */
  readonly baseline: number;
  readonly method: number;
  /** Method minus baseline, in percentage points. */
  readonly difference: number;
  /** Two standard errors of the difference, in points, from the number of validation samples. */
  readonly noise: number;
  readonly sameWeights: boolean;
  readonly sameBatches: boolean;
}

/** Compares the two runs of a pair, or nothing before both were validated at one epoch. */
export function comparePair(baseline: RunState, method: RunState): PairComparison | undefined {
  if (!baseline.start || !method.start) return undefined;
  const ofBaseline = new Map(baseline.epochs.map((event) => [event.epoch, event.validation]));
  for (const event of [...method.epochs].reverse()) {
    const a = ofBaseline.get(event.epoch);
    const b = event.validation;
    if (!a || !b) continue;
    const samples = Math.min(a.samples, b.samples);
    return {
      pair: method.start.pair ?? method.id,
      seed: method.start.seed,
      epoch: event.epoch,
      baseline: a.top1,
      method: b.top1,
      difference: 100 * (b.top1 - a.top1),
      noise: 200 * accuracyDifferenceError(a.top1, b.top1, samples),
      sameWeights: baseline.start.initHash === method.start.initHash,
      sameBatches: baseline.start.batchHash === method.start.batchHash,
    };
  }
  return undefined;
}

/** The difference of one pair as a sentence. */
export function describePair(comparison: PairComparison, methodName: string): string {
  const title = titleOf(methodName);
  const { difference, noise, epoch } = comparison;
  const at = [epoch, percent(comparison.method), percent(comparison.baseline)];
  if (Math.abs(difference) < noise || difference === 0) {
    const values = [title, signed(difference, 1), noise.toFixed(1), ...at];
    return t(
      '{0} and baseline are level at epoch {3} ({4} against {5}): {1} points, within the noise of ±{2}.',
      ...values,
    );
  }
  const values = [title, Math.abs(difference).toFixed(1), noise.toFixed(1), ...at];
  return difference > 0
    ? t('{0} leads the baseline by {1} points at epoch {3} ({4} against {5}); noise ±{2}.', ...values)
    : t('{0} trails the baseline by {1} points at epoch {3} ({4} against {5}); noise ±{2}.', ...values);
}

/** Paired differences over seeds: mean ± standard deviation in points, and how many are above 0. */
export interface SeedsComparison {
  readonly pairs: readonly PairComparison[];
  readonly meanDifference: number;
  /** NaN with fewer than two seeds. */
  readonly deviation: number;
  readonly wins: number;
}

export function compareSeeds(pairs: readonly PairComparison[]): SeedsComparison {
  const differences = pairs.map((pair) => pair.difference);
  return {
    pairs,
    meanDifference: mean(differences),
    deviation: standardDeviation(differences),
    wins: differences.filter((difference) => difference > 0).length,
  };
}

export function describeSeeds(comparison: SeedsComparison, methodName: string): string {
  const { pairs, meanDifference, deviation, wins } = comparison;
  return t(
    '{0} − baseline: {1} ± {2} points over {3} seeds ({4} of {3} above 0).',
    titleOf(methodName),
    signed(meanDifference, 2),
    deviation.toFixed(2),
    pairs.length,
    wins,
  );
}

/** On what a run computes: `TensorFlow, recorded, float32`. */
export function computesOn({ backend, executor, precision }: RunEventOf<'start'>): string {
  return [titleOf(backend), executor, precision].join(', ');
}

/** The label of a method, data set or backend; the name itself where the catalog has none. */
export function titleOf(name: string): string {
  return { ...methods, ...datasets, ...backends }[name as keyof typeof methods]?.title ?? name;
}

/** A fraction as a percentage with one decimal; its space does not break. */
export const percent = (fraction: number) => `${(100 * fraction).toFixed(1)}\u00a0%`;
const signed = (value: number, digits: number) => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(digits)}`;
