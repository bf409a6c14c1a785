/** Random streams: the published Philox numbers, and draws that depend on their key alone. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { philox, RandomStream } from '../../src/core/random.ts';

// kat_vectors of the Random123 library (Salmon et al. 2011), philox4x32 with 10 rounds.
describe('philox gives the published numbers', () => {
  const words = (text: string) => text.split(' ').map((word) => Number.parseInt(word, 16));
  for (const [name, counter, key, expected] of [
    ['zeros', '0 0 0 0', '0 0', '6627e8d5 e169c58d bc57ac4c 9b00dbd8'],
    ['ones', 'ffffffff ffffffff ffffffff ffffffff', 'ffffffff ffffffff', '408f276d 41c83b0e a20bc7c6 6d5451fd'],
    ['digits of π', '243f6a88 85a308d3 13198a2e 03707344', 'a4093822 299f31d0', 'd16cfe09 94fdcceb 5001e420 24126ea1'],
  ] as const) {
    test(name, () => {
      const result = philox(words(counter) as [number, number, number, number], words(key) as [number, number]);
      expect([...result]).toEqual(words(expected));
    });
  }
});

const take = (stream: RandomStream, count: number) => Array.from({ length: count }, () => stream.uniform());
const seed = fc.integer({ min: 0, max: 0xffff_ffff });

test('a stream gives the same numbers in whatever order streams are made and read', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(50), fc.nat(1000)), { minLength: 1 }), seed, (keys, seed) => {
      const draw = ([epoch, sample]: [number, number]) => take(new RandomStream(seed, 'mask', epoch, sample), 9);
      const forwards = keys.map(draw);
      const backwards = [...keys].reverse().map(draw).reverse();
      expect(backwards).toEqual(forwards);
    }),
  );
});

test('seed, purpose, epoch and sample each make another stream', () => {
  const streams = [
    new RandomStream(0, 'mask', 0, 0),
    new RandomStream(1, 'mask', 0, 0),
    new RandomStream(0x1_0000, 'mask', 0, 0),
    new RandomStream(0, 'shuffle', 0, 0),
    new RandomStream(0, 'dropPath.main', 0, 0),
    new RandomStream(0, 'dropPath.sub', 0, 0),
    new RandomStream(0, 'mask', 1, 0),
    new RandomStream(0, 'mask', 0, 1),
  ];
  const numbers = streams.flatMap((stream) => take(stream, 100));
  expect(new Set(numbers).size).toBeGreaterThan(797); // 32 bits: a coincidence is no reason to fail
});

test('the streams of two purposes do not correlate', () => {
  const [a, b] = ['augment', 'mask'].map((purpose) =>
    Array.from({ length: 4000 }, (_, sample) => new RandomStream(3, purpose, 0, sample).uniform() - 0.5),
  ) as [number[], number[]];
  const correlation = (12 / a.length) * a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);
  expect(Math.abs(correlation)).toBeLessThan(0.06); // four standard errors
});

test('uniform numbers lie in [0, 1), below(n) in 0 … n − 1', () => {
  fc.assert(
    fc.property(seed, fc.integer({ min: 1, max: 2 ** 32 }), (seed, n) => {
      const stream = new RandomStream(seed, 'x');
      for (const value of take(stream, 20)) {
        expect(value).toBeGreaterThanOrEqual(0);
        expect(value).toBeLessThan(1);
      }
      const value = stream.below(n);
      expect(Number.isInteger(value) && value >= 0 && value < n).toBe(true);
    }),
  );
});

test('below(n) takes every value about equally often', () => {
  const stream = new RandomStream(1, 'dice');
  const counts = new Array<number>(6).fill(0);
  for (let i = 0; i < 6000; i++) {
    const value = stream.below(6);
    counts[value] = (counts[value] ?? 0) + 1;
  }
  for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(150);
});

test('a permutation holds each number once', () => {
  fc.assert(
    fc.property(seed, fc.nat(300), (seed, n) => {
      const order = [...new RandomStream(seed, 'shuffle').permutation(n)];
      expect(order.sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i));
    }),
  );
});

test('every order of three comes up about equally often', () => {
  const counts = new Map<string, number>();
  for (let sample = 0; sample < 6000; sample++) {
    const order = new RandomStream(0, 'shuffle', 0, sample).permutation(3).join('');
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  expect(counts.size).toBe(6);
  for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(150);
});

test('normal numbers have mean 0 and deviation 1; truncated ones stay within ±2', () => {
  const stream = new RandomStream(4, 'normal');
  const values = Array.from({ length: 20_000 }, () => stream.normal());
  const mean = values.reduce((sum, value) => sum + value) / values.length;
  const variance = values.reduce((sum, value) => sum + value * value, 0) / values.length;
  expect(Math.abs(mean)).toBeLessThan(0.03);
  expect(Math.abs(variance - 1)).toBeLessThan(0.05);
  const wide = Array.from({ length: 1000 }, () => stream.truncatedNormal(3));
  expect(Math.max(...wide.map(Math.abs))).toBeLessThanOrEqual(2);
  expect(wide.some((value) => Math.abs(value) > 1.8)).toBe(true);
});

describe('dropout factors', () => {
  const factors = (sample: number, size = 100_000, rate = 0.3) => {
    const out = new Float32Array(size);
    new RandomStream(5, 'dropout', 1, sample).fillDropout(out, rate, 1 / (1 - rate));
    return out;
  };
  test('are 0 at the rate, else the given factor', () => {
    for (const rate of [0.01, 0.3, 0.9]) {
      const out = factors(0, 200_000, rate);
      expect(new Set(out).size).toBe(2);
      const dropped = out.filter((factor) => factor === 0).length / out.length;
      expect(Math.abs(dropped - rate)).toBeLessThan(4 * Math.sqrt((rate * (1 - rate)) / out.length));
    }
  });
  test('do not follow each other: neighbours, both halves of a word, and samples are independent', () => {
    const [a, b] = [factors(0), factors(1)];
    const together = (x: Float32Array, y: Float32Array, shift: number) => {
      let both = 0;
      for (let i = 0; i + shift < x.length; i++) if (x[i] === 0 && y[i + shift] === 0) both++;
      return both / x.length;
    };
    for (const shift of [1, 2, 3, 4, 8]) expect(Math.abs(together(a, a, shift) - 0.09)).toBeLessThan(0.005);
    expect(Math.abs(together(a, b, 0) - 0.09)).toBeLessThan(0.005);
  });
  test('are the same for the same key, and a longer array begins the same', () => {
    expect(factors(7, 1000)).toEqual(factors(7, 2000).subarray(0, 1000));
  });
});
