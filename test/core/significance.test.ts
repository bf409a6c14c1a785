/** Paired statistics against SciPy and statsmodels (scripts/reference/significance.py), and what they say to a person. */
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { isItReal, pairedTest, powerOfPairedTest, seedsNeeded } from '../../src/core/significance.ts';
import { logGamma, studentCdf, studentQuantile, studentTails } from '../../src/core/statistics.ts';

interface Paired {
  readonly differences: number[];
  readonly t: number;
  readonly freedom: number;
  readonly p: number;
  readonly low: number;
  readonly high: number;
}
const file = path.join(import.meta.dirname, 'significance.json');
const reference = JSON.parse(fs.readFileSync(file, 'utf8')) as {
  readonly paired: Readonly<Record<string, Paired>>;
} & Readonly<Record<'cdf' | 'quantile' | 'power' | 'needed', readonly (readonly number[])[]>>;

describe('Student t', () => {
  test('P(T ≤ t) within 1e-11 of SciPy', () => {
    for (const [t = 0, freedom = 0, p = 0] of reference.cdf) {
      expect(Math.abs(studentCdf(t, freedom) - p), `t ${t}, ${freedom}`).toBeLessThan(1e-11);
    }
  });
  test('the quantile within 1e-10 of SciPy, relative', () => {
    for (const [p = 0, freedom = 0, t = 0] of reference.quantile) {
      expect(Math.abs(studentQuantile(p, freedom) / t - 1), `p ${p}, ${freedom}`).toBeLessThan(1e-10);
    }
  });
  test('at the edges', () => {
    expect([studentQuantile(0, 3), studentQuantile(0.5, 3), studentQuantile(1, 3)]).toEqual([-Infinity, 0, Infinity]);
    expect([studentTails(Infinity, 3), studentTails(0, 3), studentTails(Number.NaN, 3)]).toEqual([0, 1, Number.NaN]);
    expect(studentCdf(1, 0)).toBeNaN();
    expect(logGamma(1)).toBeCloseTo(0, 14);
    expect(logGamma(0.5)).toBeCloseTo(Math.log(Math.PI) / 2, 13);
  });
});

describe('the paired t test', () => {
  test.each(Object.entries(reference.paired))('%s', (_name, { differences, t, freedom, p, low, high }) => {
    const result = pairedTest(differences);
    expect(result.freedom).toBe(freedom);
    expect(result.t / t).toBeCloseTo(1, 10);
    expect(result.p / p).toBeCloseTo(1, 9);
    expect(result.low).toBeCloseTo(low, 10);
    expect(result.high).toBeCloseTo(high, 10);
    expect(result.effect * Math.sqrt(differences.length)).toBeCloseTo(t, 8);
  });
  test('counts seeds on either side of 0', () => {
    expect(pairedTest([1, -2, 0, 3])).toMatchObject({ n: 4, above: 2, below: 1 });
  });
  test('says nothing where nothing can be said', () => {
    expect(pairedTest([])).toMatchObject({ n: 0, mean: Number.NaN, p: Number.NaN });
    expect(pairedTest([1])).toMatchObject({ n: 1, mean: 1, p: Number.NaN, low: Number.NaN });
    expect(pairedTest([0.1, 0.1, 0.1])).toMatchObject({ deviation: 0, t: Number.NaN, p: Number.NaN });
    expect(pairedTest([Number.NaN, 1, 2]).n).toBe(2);
  });
});

describe('power', () => {
  test('within 1e-9 of statsmodels', () => {
    for (const [effect = 0, n = 0, power = 0] of reference.power) {
      expect(Math.abs(powerOfPairedTest(effect, n) - power), `dz ${effect}, n ${n}`).toBeLessThan(1e-9);
    }
  });
  test('without an effect is alpha, of one seed nothing', () => {
    expect(powerOfPairedTest(0, 7)).toBeCloseTo(0.05, 12);
    expect(powerOfPairedTest(1, 1)).toBeNaN();
    expect(powerOfPairedTest(50, 30)).toBeCloseTo(1, 12);
  });
  test('the seeds needed are those of statsmodels, rounded up', () => {
    for (const [effect = 0, n = 0] of reference.needed) expect(seedsNeeded(effect, 1)).toBe(Math.ceil(n));
  });
  test('no number of seeds shows an effect that is not there', () => {
    expect(seedsNeeded(0, 1)).toBe(Infinity);
    expect(seedsNeeded(0, 0)).toBe(Infinity);
    expect(seedsNeeded(1e-4, 1)).toBe(Infinity);
    expect(seedsNeeded(1, 0)).toBe(2);
  });
});

describe('is it real?', () => {
  const said = (differences: number[], options = {}) => {
    const { verdict, sentences } = isItReal(differences, options);
    return `${verdict}: ${sentences.join(' ')}`;
  };
  test('no with one seed; what its validation set says is said as that', () => {
    expect(said([])).toMatch(/^not yet: There is no pair/);
    expect(said([], { unfinished: 2 })).toMatch(/^not yet: No pair has finished/);
    expect(said([1.2], { noise: 0.8 })).toMatch(/^not yet: One seed says nothing.*beyond the sampling noise.*±0\.80/);
    expect(said([0.2], { noise: 0.8 })).toMatch(/^not yet: .*within the sampling noise/);
  });
  test('not yet where it could be chance, with how many more seeds', () => {
    const { verdict, test: tested, needed, more } = isItReal([0.5, -0.3, 0.2, 0.9, -0.1]);
    expect(verdict).toBe('not yet');
    expect(needed).toBe(seedsNeeded(tested.mean, tested.deviation));
    expect(more).toBe((needed ?? 0) - 5);
    expect(said([0.5, -0.3, 0.2, 0.9, -0.1])).toMatch(/could be chance.*−0\.35 to \+0\.83.*p.=.0\.32.*\d+ more seeds/);
    expect(isItReal([1, -1]).needed).toBeUndefined();
  });
  test('yes, and which way', () => {
    expect(said([0.7, 1.1, 0.4, 0.8])).toMatch(/^better: .* by 0\.75 points.*4 of 4 above 0/);
    expect(said([1, 1.01, 0.99, 1.02])).toMatch(/4 seeds: p.<.0\.001\./);
    expect(said([-1.2, -0.8, -1.9, -1.1])).toMatch(/^worse: .* by 1\.25 points.*4 of 4 below 0/);
  });
  test('seeds that do not vary prove nothing', () => {
    expect(said([0, 0, 0])).toMatch(/^no difference: /);
    expect(said([0.1, 0.1])).toMatch(/^not yet: Each of 2 seeds differs by exactly \+0\.10/);
  });
  test('pairs that have not finished are left out, and that is said', () => {
    expect(said([0.7, 1.1, 0.4, 0.8], { unfinished: 1 })).toMatch(/1 pair that has not finished is left out\.$/);
    expect(said([0.1, 0.1], { unfinished: 3 })).toMatch(/3 pairs that have not finished are left out\.$/);
  });
});
