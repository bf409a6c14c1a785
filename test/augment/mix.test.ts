/** Mixup and CutMix: the distribution of their shares, what they do to images and targets, and that a pair gets the same of both. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { drawMix, type Mix, mixImages, mixTargets } from '../../src/augment/mix.ts';
import { RandomStream } from '../../src/core/random.ts';
import { Batches } from '../../src/engine/batches.ts';
import { buildProblem } from '../../src/engine/problem.ts';
import type { HostImages } from '../../src/engine/step/executor.ts';
import { methodNames, tinyConfig, tinyData } from '../engine/examples.ts';

type Augment = Parameters<typeof drawMix>[0];

const seeds = fc.integer({ min: 0, max: 0xffff_ffff });
const augmentOf = (changes: Partial<Augment>): Augment => ({ ...tinyConfig().augment, ...changes });
const mixed = { mixup: 0.8, cutmix: 1 };

describe('Kolmogorov and Smirnov find no fault with', () => {
  const COUNT = 20_000;
  /** Of √n times the largest distance; a true sampler exceeds it once in a thousand seeds. */
  const CRITICAL = 1.95;
  const sampled = (draw: (stream: RandomStream) => number) => {
    const stream = new RandomStream(11, 'test.shares');
    return Float64Array.from({ length: COUNT }, () => draw(stream)).sort();
  };

  for (const a of [0.1, 0.8, 1, 2]) {
    test(`Beta(${a}, ${a})`, () => {
      const draws = sampled((stream) => stream.beta(a));
      expect(draws.every((share) => share >= 0 && share <= 1)).toBe(true);
      expect(distance(draws, (x) => betaCdf(x, a), betweenZeroAndOne)).toBeLessThan(CRITICAL);
      for (const other of [0.75 * a, 1.35 * a]) {
        expect(
          distance(draws, (x) => betaCdf(x, other), betweenZeroAndOne),
          'another a is found out',
        ).toBeGreaterThan(CRITICAL);
      }
    });
  }

  for (const [a, cdf] of [
    [0.5, (x: number) => integral((t) => (2 / Math.sqrt(Math.PI)) * Math.exp(-t * t), Math.sqrt(x))],
    [1, (x: number) => 1 - Math.exp(-x)],
    [2, (x: number) => 1 - Math.exp(-x) * (1 + x)],
    [3, (x: number) => 1 - Math.exp(-x) * (1 + x + (x * x) / 2)],
  ] as const) {
    test(`Gamma(${a})`, () => {
      const above = Array.from({ length: 400 }, (_, i) => 10 ** (i / 50 - 6));
      expect(
        distance(
          sampled((stream) => stream.gamma(a)),
          cdf,
          above,
        ),
      ).toBeLessThan(CRITICAL);
      expect(
        distance(
          sampled((stream) => stream.gamma(1.1 * a)),
          cdf,
          above,
        ),
      ).toBeGreaterThan(CRITICAL);
    });
  }

  test('the exact distribution has the values that are known', () => {
    expect(betaCdf(0.3, 1)).toBeCloseTo(0.3, 5);
    expect(betaCdf(0.3, 2)).toBeCloseTo(3 * 0.3 ** 2 - 2 * 0.3 ** 3, 5);
    expect(betaCdf(0.9, 0.5)).toBeCloseTo((2 / Math.PI) * Math.asin(Math.sqrt(0.9)), 5);
  });
});

describe('CutMix', () => {
  const sides = fc.integer({ min: 1, max: 40 });
  test('has as its share exactly what its box leaves of the image', () => {
    fc.assert(
      fc.property(seeds, sides, sides, (seed, height, width) => {
        const mix = drawMix(augmentOf({ cutmix: 1 }), height, width, new RandomStream(seed, 'mix'));
        const { top, bottom, left, right } = boxOf(mix);
        expect(0 <= top && top <= bottom && bottom <= height, 'rows').toBe(true);
        expect(0 <= left && left <= right && right <= width, 'columns').toBe(true);
        expect(mix?.share).toBe(1 - ((bottom - top) * (right - left)) / (height * width));
        // Counted in the pixels: sample b of three is all b.
        const images = filled(3, height, width, (b) => b);
        const first = mixImages(images, mix as Mix).values.subarray(0, 2 * height * width);
        expect(first.filter((value) => value === 2).length).toBe(2 * (bottom - top) * (right - left));
        expect(first.filter((value) => value === 0).length).toBe(2 * Math.round((mix?.share ?? 0) * height * width));
      }),
    );
  });

  test('cuts out boxes of every place, whose area follows the share that was drawn', () => {
    const areas = Array.from({ length: 4000 }, (_, seed) => {
      const { top, bottom, left, right } = boxOf(
        drawMix(augmentOf({ cutmix: 1 }), 64, 64, new RandomStream(seed, 'mix')),
      );
      return { area: ((bottom - top) * (right - left)) / 4096, middle: (top + bottom + left + right) / 4 / 64 };
    });
    // A square of side s around an even place keeps of its length s − s²/4, and s² is uniform: E[(s − s²/4)²] = ½ − 1/5 + 1/48.
    const mean = average(areas.map(({ area }) => area));
    expect(Math.abs(mean - (1 / 2 - 1 / 5 + 1 / 48))).toBeLessThan(0.02);
    expect(Math.abs(average(areas.map(({ middle }) => middle)) - 0.5)).toBeLessThan(0.02);
  });

  test('takes from the partner what lies in the box, and nothing else', () => {
    const images = filled(4, 3, 5, (b, at) => 100 * b + at);
    const box = { top: 1, bottom: 3, left: 2, right: 4 };
    const { values, shape } = mixImages(images, { share: 11 / 15, box });
    expect(shape).toEqual(images.shape);
    values.forEach((value, i) => {
      const [b, at] = [Math.floor(i / 30), i % 30];
      const [y, x] = [Math.floor(at / 10), Math.floor(at / 2) % 5];
      const inside = y >= 1 && y < 3 && x >= 2 && x < 4;
      expect(value).toBe(100 * (inside ? 3 - b : b) + at);
    });
  });
});

test('mixup is the weighted sum of an image and its partner, and leaves what it was given alone', () => {
  fc.assert(
    fc.property(seeds, fc.double({ min: 0, max: 1, noNaN: true }), (seed, share) => {
      const stream = new RandomStream(seed, 'pixels');
      const images = filled(3, 2, 2, () => stream.normal());
      const before = images.values.slice();
      const { values } = mixImages(images, { share });
      expect(images.values).toEqual(before);
      values.forEach((value, i) => {
        const partner = before[(2 - Math.floor(i / 8)) * 8 + (i % 8)] as number;
        expect(value).toBeCloseTo(share * (before[i] as number) + (1 - share) * partner, 5);
      });
    }),
    { numRuns: 20 },
  );
});

test('targets are mixed by the share, and add up to 1', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: 1, max: 6 }), (share, batch) => {
      const target = new Float32Array(batch * 3);
      for (let b = 0; b < batch; b++) target[b * 3 + (b % 3)] = 1;
      const result = mixTargets(target, batch, { share });
      for (let b = 0; b < batch; b++) {
        const expected = [0, 0, 0];
        expected[b % 3] = share;
        const partner = (batch - 1 - b) % 3;
        expected[partner] = (expected[partner] as number) + 1 - share;
        const row = [...result.subarray(3 * b, 3 * b + 3)];
        row.forEach((value, c) => {
          expect(value).toBeCloseTo(expected[c] as number, 6);
        });
        expect(row.reduce((sum, value) => sum + value)).toBeCloseTo(1, 6);
      }
    }),
  );
});

describe('which of the two', () => {
  const COUNT = 2000;
  /** Shares of batches that are cut, that are blended, and that stay as they are. */
  const shares = (changes: Partial<Augment>) => {
    const drawn = Array.from({ length: COUNT }, (_, batch) =>
      drawMix(augmentOf(changes), 8, 8, new RandomStream(0, 'mix', 0, batch)),
    );
    const count = (is: (mix: Mix | undefined) => boolean) => drawn.filter(is).length / COUNT;
    return {
      cut: count((mix) => mix?.box !== undefined),
      blended: count((mix) => mix !== undefined && mix.box === undefined),
      left: count((mix) => mix === undefined),
    };
  };
  test.each<[string, Partial<Augment>, [cut: number, blended: number, left: number]]>([
    ['by default neither', {}, [0, 0, 1]],
    ['mixup alone', { mixup: 0.8, switchProb: 1 }, [0, 1, 0]],
    ['CutMix alone', { cutmix: 1, switchProb: 0 }, [1, 0, 0]],
    ['never CutMix', { ...mixed, switchProb: 0 }, [0, 1, 0]],
    ['always CutMix', { ...mixed, switchProb: 1 }, [1, 0, 0]],
    ['CutMix for 30 %', { ...mixed, switchProb: 0.3 }, [0.3, 0.7, 0]],
    ['of 40 % of the batches half', { ...mixed, mixProb: 0.4 }, [0.2, 0.2, 0.6]],
    ['none of the batches', { ...mixed, mixProb: 0 }, [0, 0, 1]],
  ])('%s', (_, changes, [cut, blended, left]) => {
    const got = shares(changes);
    // Four standard errors; what is certain is so without exception.
    const allowed = (share: number) => 4 * Math.sqrt((share * (1 - share)) / COUNT);
    for (const [key, share] of Object.entries({ cut, blended, left })) {
      expect(Math.abs(got[key as keyof typeof got] - share), key).toBeLessThanOrEqual(allowed(share));
    }
  });
});

describe('a batch that enters the step', () => {
  type Changes = NonNullable<Parameters<typeof tinyConfig>[0]>;
  const batchesOf = async (changes: Changes) => {
    const config = tinyConfig(changes);
    const { model, method } = buildProblem(config, tinyData);
    const batches = new Batches(config, tinyData, model, method);
    const order = batches.order(3);
    return Promise.all(Array.from({ length: batches.perEpoch }, (_, index) => batches.batch(3, index, order)));
  };
  const labelled = async (changes: Changes) =>
    (await batchesOf(changes)).map(({ input, target }) => ({ input, target }));
  const rowsOf = (target: Float32Array) =>
    Array.from({ length: 8 }, (_, i) => [...target.subarray(tinyData.classes * i, tinyData.classes * (i + 1))]);

  test('is mixed alike for the baseline and every method', async () => {
    const expected = await labelled({ method: { name: 'baseline' }, augment: mixed });
    for (const name of methodNames)
      expect(await labelled({ method: { name }, augment: mixed }), name).toEqual(expected);
    expect(expected).not.toEqual(await labelled({ method: { name: 'baseline' } }));
  });

  test('another batch is mixed otherwise, and masks stay the same', async () => {
    const [plain, changed] = [await batchesOf({}), await batchesOf({ augment: mixed })];
    expect(changed.map(({ draws }) => draws)).toEqual(plain.map(({ draws }) => draws));
    const largest = changed.map(({ target }) => Math.max(...(rowsOf(target)[0] ?? [])).toFixed(5));
    expect(new Set(largest).size).toBeGreaterThan(3);
  });

  test('has targets that add up to 1, smoothed or not', async () => {
    for (const smoothing of [0, 0.1]) {
      const batches = await batchesOf({ augment: mixed, train: { smoothing } });
      const rows = batches.flatMap(({ target }) => rowsOf(target));
      for (const row of rows) expect(row.reduce((sum, value) => sum + value)).toBeCloseTo(1, 5);
      const soft = rows.filter((row) => row.filter((value) => value > 0.1 / tinyData.classes).length === 2);
      expect(soft.length, 'most have two labels').toBeGreaterThan(rows.length / 3);
    }
  });

  test('has two ones of a mixed pair with a target threshold, as in DeiT-III', async () => {
    const train = { loss: 'bce', targetThreshold: 0 } as const;
    const hot = (await batchesOf({ augment: { mixup: 0.8 }, train })).flatMap(({ target }) => rowsOf(target));
    const soft = (await batchesOf({ augment: { mixup: 0.8 } })).flatMap(({ target }) => rowsOf(target));
    expect(new Set(hot.flat())).toEqual(new Set([0, 1]));
    const ones = hot.map((row) => row.filter((value) => value === 1).length);
    expect(ones).toEqual(soft.map((row) => row.filter((value) => value > 0).length));
    expect(new Set(ones)).toEqual(new Set([1, 2])); // 1 where both have the same label
  });

  test('keeps with a threshold of ½ the label of the larger share alone', async () => {
    const train = { loss: 'bce', targetThreshold: 0.5 } as const;
    const hot = (await batchesOf({ augment: { mixup: 0.8 }, train })).flatMap(({ target }) => rowsOf(target));
    for (const row of hot) expect(row.reduce((sum, value) => sum + value)).toBe(1);
  });
});

const average = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

function boxOf(mix: Mix | undefined) {
  if (!mix?.box) throw new Error('This is no CutMix.');
  return mix.box;
}

/** Images of two channels; `value` of sample and place in it. */
function filled(batch: number, height: number, width: number, value: (b: number, at: number) => number): HostImages {
  const size = height * width * 2;
  const values = Float32Array.from({ length: batch * size }, (_, i) => value(Math.floor(i / size), i % size));
  return { kind: 'images', values, shape: [batch, height, width, 2] };
}

/** Dense at both ends, where Beta(0.1, 0.1) has most of its mass. */
const betweenZeroAndOne = Array.from({ length: 541 }, (_, i) => 1 / (1 + Math.exp(27 - i / 10)));

/** √n times the largest distance of the distribution of `sorted` draws from `cdf`, at given points. */
function distance(sorted: Float64Array, cdf: (x: number) => number, points: readonly number[]): number {
  const distances = points.map((x) => {
    const after = sorted.findIndex((draw) => draw > x);
    return Math.abs((after < 0 ? sorted.length : after) / sorted.length - cdf(x));
  });
  return Math.sqrt(sorted.length) * Math.max(...distances);
}

/** P(X ≤ x) for Beta(a, a), symmetric around ½; with u = tᵃ the density has no pole below ½. */
function betaCdf(x: number, a: number): number {
  if (x > 0.5) return 1 - betaCdf(1 - x, a);
  const density = (u: number) => (1 - u ** (1 / a)) ** (a - 1);
  return (0.5 * integral(density, x ** a)) / integral(density, 0.5 ** a);
}

/** Of `f` from 0 to `end`, by Simpson's rule. */
function integral(f: (t: number) => number, end: number): number {
  const [pieces, width] = [400, end / 400];
  const weight = (i: number) => (i === 0 || i === pieces ? 1 : i % 2 === 0 ? 2 : 4);
  let sum = 0;
  for (let i = 0; i <= pieces; i++) sum += weight(i) * f(i * width);
  return (sum * width) / 3;
}
