/** The split keeps the shares of the classes, is the same every time, and leaves no class of two without validation. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { stratifiedSplit } from '../../src/data/split.ts';

const labels = (...counts: number[]) => Int32Array.from(counts.flatMap((count, label) => Array(count).fill(label)));

const countsOf = (labels: Int32Array, rows: Int32Array) => {
  const counts: number[] = [];
  for (const row of rows) counts[labels[row] as number] = (counts[labels[row] as number] ?? 0) + 1;
  return [...counts].map((count) => count ?? 0);
};

test('each class gives its share, and at least one of two', () => {
  const given = labels(1000, 200, 14, 2, 1);
  const { train, validation } = stratifiedSplit(given, 0.1);
  expect(countsOf(given, validation)).toEqual([100, 20, 1, 1]);
  expect(countsOf(given, train)).toEqual([900, 180, 13, 1, 1]);
});

test('a large share leaves one of each class to train on', () => {
  const given = labels(10, 2, 1);
  expect(countsOf(given, stratifiedSplit(given, 0.99).train)).toEqual([1, 1, 1]);
});

test('it is drawn at random, and the same every time', () => {
  const given = labels(100);
  const { validation } = stratifiedSplit(given, 0.2);
  expect([...validation]).toEqual([...stratifiedSplit(given, 0.2).validation]);
  // As stored runs have it: another draw would make them incomparable.
  expect([...validation]).toEqual([10, 17, 21, 27, 31, 33, 36, 39, 48, 58, 59, 64, 67, 68, 71, 81, 83, 89, 95, 98]);
});

test('classes of one size draw on their own', () => {
  const rows = [...stratifiedSplit(labels(100, 100), 0.2).validation];
  expect(rows.slice(0, 20)).not.toEqual(rows.slice(20).map((row) => row - 100));
});

test('a class draws the same, whatever other classes there are', () => {
  const alone = stratifiedSplit(labels(50, 3), 0.2).validation.filter((row) => row < 50);
  const beside = stratifiedSplit(labels(50, 8, 20), 0.2).validation.filter((row) => row < 50);
  expect([...alone]).toEqual([...beside]);
});

test('every sample is in one part, in its order', () => {
  const some = fc.array(fc.nat(5), { maxLength: 200 });
  fc.assert(
    fc.property(some, fc.double({ min: 0.01, max: 0.99, noNaN: true }), (given, share) => {
      const { train, validation } = stratifiedSplit(Int32Array.from(given), share);
      for (const part of [train, validation]) expect([...part]).toEqual([...part].toSorted((a, b) => a - b));
      expect([...train, ...validation].toSorted((a, b) => a - b)).toEqual([...given.keys()]);
    }),
    { numRuns: 50 },
  );
});
