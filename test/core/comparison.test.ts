/** A method against its baseline: at the same epoch, with noise called noise. */
import { describe, expect, test } from 'vitest';
import {
  comparePair,
  compareSeeds,
  describePair,
  describeSeeds,
  type PairComparison,
  titleOf,
} from '../../src/core/comparison.ts';
import { emptyRun } from '../../src/core/run.ts';
import { accuracyDifferenceError, mean, median, standardDeviation } from '../../src/core/statistics.ts';
import { runWith } from './examples.ts';

function pair(baseline: number, method: number, samples = 10_000): PairComparison {
  const compared = comparePair(
    runWith('baseline', { 5: baseline }, {}, samples),
    runWith('method', { 5: method }, {}, samples),
  );
  if (!compared) throw new Error('There is nothing to compare.');
  return compared;
}

describe('a pair is compared', () => {
  test('at the newest epoch that both were validated at', () => {
    const compared = comparePair(
      runWith('baseline', { 5: 0.7, 10: 0.75 }),
      runWith('method', { 5: 0.71, 10: 0.77, 15: 0.9 }),
    );
    expect(compared).toMatchObject({ epoch: 10, baseline: 0.75, method: 0.77 });
    expect(compared?.difference).toBeCloseTo(2);
  });
  test('not before that', () => {
    expect(comparePair(runWith('baseline', { 5: 0.7 }), runWith('method', {}))).toBeUndefined();
    expect(comparePair(runWith('baseline', { 5: 0.7 }), runWith('method', { 10: 0.7 }))).toBeUndefined();
    expect(comparePair(emptyRun('a'), runWith('method', { 5: 0.7 }))).toBeUndefined();
  });
  test.each([
    [{}, true, true],
    [{ initHash: 'sha256:other' }, false, true],
    [{ batchHash: 'sha256:other' }, true, false],
  ])('with the proof of its start events: %o', (changes, sameWeights, sameBatches) => {
    const compared = comparePair(runWith('baseline', { 5: 0.7 }), runWith('method', { 5: 0.7 }, changes));
    expect(compared).toMatchObject({ sameWeights, sameBatches });
  });
  test('with two standard errors of the difference as its noise', () => {
    // √(0.8·0.2/10000 + 0.8·0.2/10000) = 0.00566, by hand.
    expect(pair(0.8, 0.8).noise).toBeCloseTo(2 * 0.566, 2);
    expect(pair(0.8, 0.8, 100).noise).toBeCloseTo(2 * 5.66, 1);
  });
});

describe('in words', () => {
  test('a clear lead', () => {
    expect(describePair(pair(0.8, 0.83), 'masksub')).toBe(
      'MaskSub leads the baseline by 3.0 points at epoch 5 (83.0 % against 80.0 %); noise ±1.1.',
    );
  });
  test('a clear deficit', () => {
    expect(describePair(pair(0.8, 0.75), 'masksub')).toMatch(/^MaskSub trails the baseline by 5\.0 points/);
  });
  test('a difference within noise is called level, either way', () => {
    expect(describePair(pair(0.8, 0.81), 'masksub')).toBe(
      'MaskSub and baseline are level at epoch 5 (81.0 % against 80.0 %): +1.0 points, within the noise of ±1.1.',
    );
    expect(describePair(pair(1, 1), 'masksub')).toContain('level'); // both right everywhere: no noise, no difference
    expect(describePair(pair(0.81, 0.8), 'masksub')).toMatch(/ are level .*: −1\.0 points, within the noise/);
  });
  test('the same difference is noise on few samples and a lead on many', () => {
    expect(describePair(pair(0.8, 0.83, 500), 'masksub')).toContain('level');
    expect(describePair(pair(0.8, 0.83, 50_000), 'masksub')).toContain('leads');
  });
  test('several seeds: mean ± standard deviation, and how many are above 0', () => {
    const seeds = compareSeeds([pair(0.8, 0.81), pair(0.8, 0.83), pair(0.8, 0.79)]);
    expect(describeSeeds(seeds, 'masksub')).toBe(
      'MaskSub − baseline: +1.00 ± 2.00 points over 3 seeds (2 of 3 above 0).',
    );
  });
  test('a name that the catalog does not have stands for itself', () => {
    expect(titleOf('masksub')).toBe('MaskSub');
    expect(titleOf('my-method')).toBe('my-method');
  });
});

describe('statistics', () => {
  test('agree with hand-made numbers', () => {
    expect(mean([1, 2, 6])).toBe(3);
    expect(standardDeviation([2, 4, 4, 4, 5, 5, 7, 9])).toBeCloseTo(2.138, 3);
    expect(standardDeviation([1])).toBeNaN();
    expect(median([5, 1, 3])).toBe(3);
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(accuracyDifferenceError(0.5, 0.5, 50)).toBeCloseTo(0.1);
  });
});
