/**
 * What augmentations draw has the distribution it should have: where it is known by Pearson's test, else by Kolmogorov and Smirnov's
 * against as many draws of torchvision and timm (scripts/reference/augment.py). All seeds are fixed.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { gaussianBlur } from '../../src/augment/blur.ts';
import { grayscale, solarize } from '../../src/augment/color.ts';
import { jitterColors } from '../../src/augment/colorJitter.ts';
import { drawErasure, erase } from '../../src/augment/erase.ts';
import type { Pixels } from '../../src/augment/pixels.ts';
import {
  applyRandAugment,
  drawRandAugment,
  increasingRandAugmentOps,
  randAugmentOps,
} from '../../src/augment/randAugment.ts';
import { crop, resize } from '../../src/augment/resize.ts';
import { drawResizedCrop, testGeometry } from '../../src/augment/resizedCrop.ts';
import { threeAugment } from '../../src/augment/threeAugment.ts';
import type { RandAugment } from '../../src/core/augmentConfig.ts';
import { RandomStream } from '../../src/core/random.ts';
import { pythonWith } from '../support/python.ts';
import { difference, packages, photo, reference } from './reference.ts';
import { chiSquare, kolmogorovSmirnov, meanDifference, moments } from './statistics.ts';

const COUNT = 20_000;
/** Below it a distribution counts as wrong. */
const LEAST_P = 1e-4;
const fill = [124, 116, 104];
const small = photo(24, 24, 3);
const increasing: RandAugment = { ops: 2, magnitude: 9, std: 0.5, increasing: true };
const standard: RandAugment = { ops: 2, magnitude: 7, std: 0.5, increasing: false };

/** As many draws, each from the stream of its own sample, as in training. */
function draws<T>(count: number, draw: (stream: RandomStream) => T): T[] {
  return Array.from({ length: count }, (_, sample) => draw(new RandomStream(5, 'test.draws', 0, sample)));
}

const countsOf = (names: readonly string[], drawn: readonly string[]) =>
  names.map((name) => drawn.reduce((count, other) => count + (other === name ? 1 : 0), 0));

/** Between the quartiles of the standard normal distribution. */
function quarterCounts(values: readonly number[]): number[] {
  return [-Infinity, -0.674489750196, 0, 0.674489750196].map(
    (from, i, all) => values.filter((value) => value >= from && value < (all[i + 1] ?? Infinity)).length,
  );
}

describe('3-Augment', () => {
  test('does one of three, each with probability ⅓', () => {
    const image = photo(5, 5, 3);
    const seen = draws(COUNT, (stream) => {
      const result = threeAugment(image, stream);
      if (difference(result, grayscale(image)).most === 0) return 'grey';
      return difference(result, solarize(image, 128)).most === 0 ? 'solarized' : 'blurred';
    });
    const counts = countsOf(['grey', 'solarized', 'blurred'], seen);
    expect(chiSquare(counts, [1 / 3, 1 / 3, 1 / 3])).toBeGreaterThan(LEAST_P);
  });

  test('blurs with a radius uniform in 0.1 … 2', () => {
    // A black half and a white one: how much white comes over says how wide the blur was.
    const image: Pixels = { values: new Uint8Array(40).fill(255, 20), height: 1, width: 40, channels: 1 };
    const crossed = ({ values }: Pixels) => values.subarray(0, 20).reduce((sum, value) => sum + value, 0);
    const seen = draws(COUNT, (stream) => crossed(threeAugment(image, stream))).filter((sum) => sum > 0);
    const quarters = [0.1, 0.575, 1.05, 1.525, 2].map((radius) => crossed(gaussianBlur(image, radius)));
    const counts = [0, 1, 2, 3].map((i) => {
      const [from = 0, to = 0] = [quarters[i], quarters[i + 1]];
      return seen.filter((sum) => sum >= from && (sum < to || (i === 3 && sum === to))).length;
    });
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(seen.length);
    expect(chiSquare(counts, [1 / 4, 1 / 4, 1 / 4, 1 / 4])).toBeGreaterThan(LEAST_P);
  });

  test('leaves a grey image with one channel', () => {
    const channels = draws(20, (stream) => threeAugment(photo(6, 6, 1), stream).channels);
    expect(new Set(channels)).toEqual(new Set([1]));
  });
});

describe('RandAugment', () => {
  for (const [config, table] of [
    [increasing, increasingRandAugmentOps],
    [standard, randAugmentOps],
  ] as const) {
    const names = table.map(({ name }) => name);
    const drawn = draws(COUNT, (stream) => drawRandAugment(config, stream));

    test(`draws each of ${config.increasing ? 'the increasing' : 'the'} operations equally often`, () => {
      const counts = countsOf(
        names,
        drawn.flat().map(({ op }) => op.name),
      );
      expect(chiSquare(counts, Array(15).fill(1 / 15))).toBeGreaterThan(LEAST_P);
    });

    test('applies each with probability ½, whatever became of the other', () => {
      const counts = [0, 1, 2].map((length) => drawn.filter((ops) => ops.length === length).length);
      expect(chiSquare(counts, [1 / 4, 1 / 2, 1 / 4])).toBeGreaterThan(LEAST_P);
    });

    test('draws with replacement', () => {
      const pairs = drawn.filter((ops) => ops.length === 2);
      const same = pairs.filter(([first, second]) => first?.op === second?.op).length;
      expect(chiSquare([same, pairs.length - same], [1 / 15, 14 / 15])).toBeGreaterThan(LEAST_P);
    });

    test('turns every sign both ways', () => {
      for (const name of ['Rotate', 'ShearX', 'ShearY', 'TranslateXRel', 'TranslateYRel']) {
        const levels = drawn.flat().flatMap(({ op, level }) => (op.name === name ? [level] : []));
        const positive = levels.filter((level) => level > 0).length;
        expect(chiSquare([positive, levels.length - positive], [1 / 2, 1 / 2]), name).toBeGreaterThan(LEAST_P);
      }
    });
  }

  test('draws magnitudes from a normal distribution', () => {
    const magnitudes = draws(COUNT, (stream) => drawRandAugment(standard, stream)).flat();
    const counts = quarterCounts(magnitudes.map(({ magnitude }) => (magnitude - standard.magnitude) / standard.std));
    expect(chiSquare(counts, [1 / 4, 1 / 4, 1 / 4, 1 / 4])).toBeGreaterThan(LEAST_P);
  });

  test('keeps magnitudes within 0 and 10', () => {
    const magnitudes = draws(500, (stream) => drawRandAugment({ ...increasing, magnitude: 5, std: 20 }, stream)).flat();
    expect(Math.min(...magnitudes.map(({ magnitude }) => magnitude))).toBe(0);
    expect(Math.max(...magnitudes.map(({ magnitude }) => magnitude))).toBe(10);
  });

  test('the first operation of three is that of one', () => {
    const first = (ops: number) => draws(50, (stream) => drawRandAugment({ ...increasing, ops }, stream)[0]);
    const [one, three] = [first(1), first(3)];
    expect(one.filter((drawn) => drawn).length).toBeGreaterThan(10);
    for (const [i, drawn] of one.entries()) if (drawn) expect(three[i]).toEqual(drawn);
  });
});

describe('random erasing', () => {
  test('with the probability asked for', () => {
    for (const probability of [0, 0.25, 1]) {
      const erased = draws(COUNT, (stream) => drawErasure(probability, 32, 32, stream)).filter((area) => area).length;
      if (probability === 0) expect(erased).toBe(0);
      else if (probability === 1) expect(erased).toBe(COUNT);
      else expect(chiSquare([erased, COUNT - erased], [probability, 1 - probability])).toBeGreaterThan(LEAST_P);
    }
  });

  test('fills the area, and nothing else, with standard normal noise', () => {
    const shape = { height: 60, width: 70, channels: 3 };
    const size = 60 * 70 * 3;
    const values = new Float32Array(3 * size).fill(7);
    erase(values, size, shape, { top: 5, left: 20, height: 55, width: 50 }, new RandomStream(1, 'test.noise'));
    const isErased = (i: number) => {
      const [y, x] = [Math.floor((i - size) / 210), (Math.floor(i / 3) - size / 3) % 70];
      return i >= size && i < 2 * size && y >= 5 && x >= 20;
    };
    const kept = values.filter((_, i) => !isErased(i));
    expect(kept.every((value) => value === 7)).toBe(true);
    const noise = [...values.filter((_, i) => isErased(i))];
    expect(noise).toHaveLength(55 * 50 * 3);
    const { mean, variance } = moments(noise);
    expect(Math.abs(mean) * Math.sqrt(noise.length)).toBeLessThan(4);
    expect((Math.abs(variance - 1) * Math.sqrt(noise.length)) / Math.SQRT2).toBeLessThan(4);
    // Each pixel and channel by itself.
    expect(chiSquare(quarterCounts(noise), [1 / 4, 1 / 4, 1 / 4, 1 / 4])).toBeGreaterThan(LEAST_P);
    expect(new Set(noise).size).toBeGreaterThan(noise.length * 0.999);
  });
});

describe('crops', () => {
  test('lie inside of the image and keep the share of its area', () => {
    for (const [height, width] of [
      [375, 500],
      [28, 28],
      [1, 1],
      [2, 300],
      [300, 2],
    ] as const) {
      for (const { top, left, ...size } of draws(500, (stream) =>
        drawResizedCrop(height, width, { minScale: 0.08 }, stream),
      )) {
        expect(top >= 0 && left >= 0 && size.height >= 1 && size.width >= 1).toBe(true);
        expect(top + size.height <= height && left + size.width <= width).toBe(true);
      }
    }
    const whole = draws(200, (stream) => drawResizedCrop(64, 64, { minScale: 1 }, stream));
    expect(whole.every(({ height, width }) => Math.abs(height * width - 64 * 64) < 150)).toBe(true);
  });

  test('of an image that is too long for any are the largest in its middle', () => {
    const stream = new RandomStream(1, 'test.crop');
    expect(drawResizedCrop(10, 301, { minScale: 0.9 }, stream)).toEqual({ top: 0, left: 144, height: 10, width: 13 });
    expect(drawResizedCrop(400, 12, { minScale: 0.9 }, stream)).toEqual({ top: 192, left: 0, height: 16, width: 12 });
  });

  test('of test images are what the reference crops', () => {
    expect(testGeometry(375, 500, 224, 0.875)).toEqual({
      resize: { height: 256, width: 341 },
      area: { top: 16, left: 58, height: 224, width: 224 },
    });
    expect(testGeometry(300, 300, 224, 1)).toEqual({
      resize: { height: 224, width: 224 },
      area: { top: 0, left: 0, height: 224, width: 224 },
    });
  });
});

const python = pythonWith(...packages);

describe.skipIf('missing' in python)(`as the reference${'missing' in python ? `: ${python.missing}` : ''}`, () => {
  const MEANS = 4000;
  const sizes = [
    [375, 500],
    [60, 150],
    [32, 32],
  ] as const;
  /** Brighter first, then with less contrast, its white is cut off; the other way round it need not be: the order shows. */
  const twoTones: Pixels = { values: Uint8Array.of(0, 0, 0, 200, 200, 200), height: 1, width: 2, channels: 3 };
  const means = { image: 0, count: MEANS };
  const samples = [
    ...sizes.map(([height, width]) => ({ of: 'resizedCrops', count: COUNT, height, width, scale: 0.08 })),
    { of: 'erasures', count: COUNT, height: 96, width: 80, probability: 0.25 },
    { of: 'erasures', count: COUNT, height: 16, width: 48, probability: 1 },
    { of: 'magnitudes', count: COUNT, magnitude: 9, std: 0.5 },
    { of: 'threeAugment', ...means },
    { of: 'randAugment', ...means, config: 'rand-m9-mstd0.5-inc1' },
    { of: 'randAugment', ...means, config: 'rand-m7-mstd0.5' },
    { of: 'colorJitter', ...means, strength: 0.3 },
    { of: 'resizedCrop', ...means, scale: 0.08, side: 16 },
    { of: 'colorJitter', image: 1, count: MEANS, strength: 0.5 },
  ];
  let found: Awaited<ReturnType<typeof reference>>['samples'];
  beforeAll(async () => {
    if ('command' in python) found = (await reference(python, { images: [small, twoTones], samples })).samples;
  });
  const rowsOf = (i: number) => (found[i] ?? []).map((row) => (Array.isArray(row) ? row : [row]));
  const numbersOf = (i: number) => rowsOf(i).map(([value]) => value as number);
  const expectSame = (own: readonly number[], other: readonly number[], what: string) => {
    expect(own.length).toBeGreaterThan(3000);
    const p = kolmogorovSmirnov(own, other);
    expect(p, what).toBeGreaterThan(LEAST_P);
  };

  for (const [i, [height, width]] of sizes.entries()) {
    test(`random resized crops of ${height}×${width}`, () => {
      const own = draws(COUNT, (stream) => drawResizedCrop(height, width, { minScale: 0.08 }, stream)).map((area) => [
        area.top,
        area.left,
        area.height,
        area.width,
      ]);
      expectSameAreas(own, rowsOf(i));
    });
  }

  for (const [i, height, width, probability] of [
    [3, 96, 80, 0.25],
    [4, 16, 48, 1],
  ] as const) {
    test(`erased areas of ${height}×${width}`, () => {
      const own = draws(COUNT, (stream) => drawErasure(probability, height, width, stream)).flatMap((area) =>
        area ? [[area.top, area.left, area.height, area.width]] : [],
      );
      const other = rowsOf(i).filter((row) => row.length > 0);
      const [a, b] = [own.length / COUNT, other.length / COUNT];
      expect(Math.abs(a - b)).toBeLessThanOrEqual(4 * Math.sqrt((2 * a * (1 - a)) / COUNT));
      expectSameAreas(own, other);
    });
  }

  function expectSameAreas(own: readonly number[][], other: readonly number[][]) {
    for (const [what, of] of Object.entries({
      top: ([top = 0]: readonly number[]) => top,
      left: ([, left = 0]: readonly number[]) => left,
      area: ([, , height = 0, width = 0]: readonly number[]) => height * width,
      'log ratio': ([, , height = 0, width = 0]: readonly number[]) => Math.log(width / height),
    })) {
      expectSame(own.map(of), other.map(of), what);
    }
  }

  test('magnitudes', () => {
    const own = draws(2 * COUNT, (stream) => drawRandAugment({ ...increasing, ops: 1 }, stream)).flat();
    expectSame(
      own.map(({ magnitude }) => magnitude),
      numbersOf(5),
      'magnitude',
    );
  });

  for (const [i, name, transform] of [
    [6, '3-Augment', threeAugment],
    [7, 'RandAugment, increasing', (image, stream) => applyRandAugment(image, increasing, fill, stream)],
    [8, 'RandAugment', (image, stream) => applyRandAugment(image, standard, fill, stream)],
    [9, 'colour jitter', (image, stream) => jitterColors(image, 0.3, stream)],
    [11, 'colour jitter in any order', (_, stream) => jitterColors(twoTones, 0.5, stream)],
    [
      10,
      'random resized crop',
      (image, stream) => {
        const area = drawResizedCrop(image.height, image.width, { minScale: 0.08 }, stream);
        return resize(crop(image, area), 16, 16);
      },
    ],
  ] as const satisfies readonly [number, string, (image: Pixels, stream: RandomStream) => Pixels][]) {
    test(`mean of the pixels after ${name}`, () => {
      const own = draws(MEANS, (stream) => moments([...transform(small, stream).values]).mean);
      expect(meanDifference(own, numbersOf(i))).toBeLessThan(4);
      expectSame(own, numbersOf(i), name);
    });
  }
});

test('the statistical tests know their tables', () => {
  // Critical values of χ² at 5 %: 3.841, 5.991 and 23.685 with 1, 2 and 14 degrees of freedom.
  const p = (statistic: number, freedom: number) => {
    const shift = Math.sqrt((statistic * 1000) / 2);
    return chiSquare(
      [1000 + shift, 1000 - shift, ...Array(freedom - 1).fill(1000)],
      Array(freedom + 1).fill(1 / (freedom + 1)),
    );
  };
  expect(p(3.841, 1)).toBeCloseTo(0.05, 4);
  expect(p(5.991, 2)).toBeCloseTo(0.05, 4);
  expect(p(23.685, 14)).toBeCloseTo(0.05, 4);
  const grid = Array.from({ length: 1000 }, (_, i) => i);
  // D = 0.0607 = 1.358 · √(2 / 1000) is the critical value at 5 %.
  expect(
    kolmogorovSmirnov(
      grid,
      grid.map((value) => value + 60.7),
    ),
  ).toBeCloseTo(0.05, 2);
  expect(
    kolmogorovSmirnov(
      grid,
      grid.map((value) => value + 100),
    ),
  ).toBeLessThan(LEAST_P);
});
