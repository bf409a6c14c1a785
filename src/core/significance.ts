/**
 * Whether a difference over seeds is more than chance: the paired t test of Student 1908 (https://doi.org/10.1093/biomet/6.1.1), its
 * interval, the size of the effect (dz of Cohen 1988) and how many seeds it would need to be seen.
 */
import { t } from './l10n.ts';
import { incompleteBeta, logGamma, mean, standardDeviation, studentQuantile, studentTails } from './statistics.ts';

/** Below this p a difference is called real; the interval covers the rest. */
export const ALPHA = 0.05;
/** How often an experiment of the size that `seedsNeeded` names would find the effect. */
export const POWER = 0.8;
/** Nobody trains more seeds; beyond it `seedsNeeded` says Infinity. */
export const MOST_SEEDS = 10_000;

/** A paired test: of the differences of n pairs, against 0. */
export interface PairedTest {
  readonly n: number;
  readonly mean: number;
  /** Sample standard deviation (n − 1) of the differences; NaN for fewer than two. */
  readonly deviation: number;
  /** Mean over its standard error; NaN where nothing varies or there are fewer than two. */
  readonly t: number;
  readonly freedom: number;
  /** Two-sided; NaN as t is. */
  readonly p: number;
  /** 95 % confidence interval of the mean; NaN for fewer than two. */
  readonly low: number;
  readonly high: number;
  /** Cohen's dz: mean over standard deviation of the differences; NaN as t is. */
  readonly effect: number;
  /** Differences above and below 0. */
  readonly above: number;
  readonly below: number;
}

/** Differences that are not finite are no differences and don't count. */
export function pairedTest(differences: readonly number[], alpha = ALPHA): PairedTest {
  const values = differences.filter(Number.isFinite);
  const n = values.length;
  const center = n > 0 ? mean(values) : Number.NaN;
  const deviation = isConstant(values) ? 0 : standardDeviation(values);
  const error = deviation / Math.sqrt(n);
  const [ratio, freedom] = [deviation > 0 ? center / error : Number.NaN, Math.max(0, n - 1)];
  const half = n < 2 ? Number.NaN : error * studentQuantile(1 - alpha / 2, freedom);
  return {
    n,
    mean: center,
    deviation,
    t: ratio,
    freedom,
    p: Number.isNaN(ratio) ? Number.NaN : studentTails(ratio, freedom),
    low: center - half,
    high: center + half,
    effect: deviation > 0 ? center / deviation : Number.NaN,
    above: values.filter((value) => value > 0).length,
    below: values.filter((value) => value < 0).length,
  };
}

/**
 * The chance that a two-sided paired t test of n pairs finds an effect of this dz, exact up to rounding: T² is then of the
 * noncentral F distribution with 1 and n − 1 degrees of freedom and noncentrality n · dz², a sum of beta distributions weighted by
 * Poisson's (Johnson, Kotz, Balakrishnan 1995, Continuous Univariate Distributions 2, chapter 30).
 */
export function powerOfPairedTest(effect: number, n: number, alpha = ALPHA): number {
  if (n < 2 || !Number.isFinite(effect)) return Number.NaN;
  const freedom = n - 1;
  const critical = studentQuantile(1 - alpha / 2, freedom);
  const x = critical ** 2 / (freedom + critical ** 2);
  const rate = (n * effect ** 2) / 2;
  const spread = 10 * Math.sqrt(rate) + 40; // what lies outside weighs less than 1e-16
  let missed = 0;
  for (let j = Math.max(0, Math.floor(rate - spread)); j <= rate + spread; j++) {
    const weight = Math.exp(-rate + (j > 0 ? j * Math.log(rate) : 0) - logGamma(j + 1));
    missed += weight * incompleteBeta(x, j + 0.5, freedom / 2);
  }
  return Math.min(1, Math.max(0, 1 - missed));
}

/**
 * How many seeds in all a paired test needs to find a mean difference of `effect` with this power, where the differences have the
 * standard deviation `sd`; Infinity where no number up to MOST_SEEDS is enough.
 */
export function seedsNeeded(effect: number, sd: number, power = POWER, alpha = ALPHA): number {
  const size = Math.abs(effect / sd);
  if (Number.isNaN(size) || size === 0) return Number.POSITIVE_INFINITY;
  const isEnough = (n: number) => size > 1e4 || powerOfPairedTest(size, n, alpha) >= power;
  let high = 2;
  while (!isEnough(high)) {
    if (high >= MOST_SEEDS) return Number.POSITIVE_INFINITY;
    high = Math.min(MOST_SEEDS, 2 * high);
  }
  let low = Math.max(1, Math.floor(high / 2)); // one seed is never enough
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (isEnough(middle)) high = middle;
    else low = middle;
  }
  return high;
}

/** `worse` is as real as `better`; `no difference` is said of runs that agree to the last digit. */
export type Verdict = 'better' | 'worse' | 'not yet' | 'no difference';

export interface Reality {
  readonly verdict: Verdict;
  readonly test: PairedTest;
  /** Seeds in all that the effect seen would need, and hence how many more; nothing where that cannot be said. */
  readonly needed?: number;
  readonly more?: number;
  /** What it says to a person, the most important first. */
  readonly sentences: readonly string[];
}

export interface RealityOptions {
  /** Of the only pair: two standard errors of its difference in points, from the number of validation samples. */
  readonly noise?: number;
  /** Pairs that have begun and not finished: they are left out, or whoever looks often enough sees what he hopes for. */
  readonly unfinished?: number;
}

/** Whether the differences of finished pairs, in percentage points of accuracy, a seed each, are more than chance. */
export function isItReal(differences: readonly number[], options: RealityOptions = {}): Reality {
  const test = pairedTest(differences);
  const { unfinished = 0 } = options;
  const left = unfinished === 0 || test.n === 0 ? [] : [leftOut(unfinished)];
  if (test.n < 2) return { verdict: 'not yet', test, sentences: [...fewSeeds(test, options), ...left] };
  if (test.deviation === 0)
    return { ...constantReality(test), test, sentences: [...constantReality(test).sentences, ...left] };
  const needed = seedsNeeded(test.mean, test.deviation);
  const interval = t(
    '95 % interval of the mean difference: {0} to {1} points; paired t test over {2} seeds: {3}.',
    points(test.low),
    points(test.high),
    test.n,
    pStatement(test.p),
  );
  if (test.p < ALPHA) {
    const values = [points(Math.abs(test.mean)).slice(1), test.n, test.mean > 0 ? test.above : test.below] as const;
    const first =
      test.mean > 0
        ? t(
            'The method is better than its baseline by {0} points, more than chance between {1} seeds explains ({2} of {1} above 0).',
            ...values,
          )
        : t(
            'The method is worse than its baseline by {0} points, more than chance between {1} seeds explains ({2} of {1} below 0).',
            ...values,
          );
    return {
      verdict: test.mean > 0 ? 'better' : 'worse',
      test,
      needed,
      more: 0,
      sentences: [first, interval, ...left],
    };
  }
  // An effect that many seeds should have shown and did not: chance or too weak a test; one more is the least to ask for.
  const more = Math.max(1, needed - test.n);
  const sentences = [
    t(
      'The mean difference of {0} points could be chance: the seeds vary by ±{1} points.',
      points(test.mean),
      test.deviation.toFixed(2),
    ),
    interval,
    moreText(test, needed, more),
    ...left,
  ];
  return Number.isFinite(needed)
    ? { verdict: 'not yet', test, needed, more, sentences }
    : { verdict: 'not yet', test, sentences };
}

/** `< 0.001`, else two significant digits. */
export const pText = (p: number) => (p < 0.001 ? '< 0.001' : p.toPrecision(2));

/** Points with their sign: `+1.23`, `−0.40`. */
export const points = (value: number) => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(2)}`;

/** `p = 0.032`, on one line. */
const pStatement = (p: number) => `p ${p < 0.001 ? '' : '= '}${pText(p)}`.replaceAll(' ', '\u00a0');

function moreText(test: PairedTest, needed: number, more: number): string {
  if (!Number.isFinite(needed))
    return t('An effect this small would need more than {0} seeds.', MOST_SEEDS.toLocaleString('en'));
  const caution = test.n < 5 ? t(' (a rough guess: the spread is known from {0} seeds only)', test.n) : '';
  return more === 1
    ? t(
        'If it is as large as it looks, 1 more seed, {0} in all, would show it in 4 of 5 such experiments{1}.',
        test.n + 1,
        caution,
      )
    : t(
        'If it is as large as it looks, {0} more seeds, {1} in all, would show it in 4 of 5 such experiments{2}.',
        more,
        test.n + more,
        caution,
      );
}

function fewSeeds(test: PairedTest, { noise, unfinished = 0 }: RealityOptions): string[] {
  if (test.n === 0) {
    return unfinished > 0
      ? [t('No pair has finished: the difference is judged when both of its runs are done.')]
      : [t('There is no pair of a method and its baseline to judge.')];
  }
  const spread = t('One seed says nothing about how much seeds vary: at least 2 are needed, 3 to 5 are usual.');
  if (noise === undefined) return [spread];
  const difference = points(test.mean);
  return [
    spread,
    Math.abs(test.mean) < noise || test.mean === 0
      ? t(
          'Its difference of {0} points is within the sampling noise of its validation set, ±{1} (two standard errors).',
          difference,
          noise.toFixed(2),
        )
      : t(
          'Its difference of {0} points is beyond the sampling noise of its validation set, ±{1} (two standard errors); another seed may still say otherwise.',
          difference,
          noise.toFixed(2),
        ),
  ];
}

/** Where every seed has the same difference, a t test has nothing to divide by. */
function constantReality(test: PairedTest): Pick<Reality, 'verdict' | 'sentences'> {
  if (test.mean === 0) {
    return {
      verdict: 'no difference',
      sentences: [
        t('Method and baseline are equal in each of {0} seeds, to the last digit: is something switched off?', test.n),
      ],
    };
  }
  return {
    verdict: 'not yet',
    sentences: [
      t(
        'Each of {0} seeds differs by exactly {1} points. A test needs seeds that vary: are these really different runs?',
        test.n,
        points(test.mean),
      ),
    ],
  };
}

function leftOut(count: number): string {
  return count === 1
    ? t('1 pair that has not finished is left out.')
    : t('{0} pairs that have not finished are left out.', count);
}

/** By comparison, not by a deviation of 1e-17. */
const isConstant = (values: readonly number[]) =>
  values.length > 1 &&
  values.every((value) => Math.abs(value - (values[0] ?? 0)) <= 1e-12 * Math.max(1, Math.abs(value)));
