/** Numbers reach the dashboard as they are, those that JSON lacks too. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { MetricWindow } from '../../src/core/metricQuery.ts';
import { fromWire, inOneBuffer, toWire } from '../../src/core/wire.ts';

test('NaN and infinities arrive as numbers, texts of that name as texts', () => {
  const message = { loss: Number.NaN, grads: [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0.5], name: 'NaN' };
  expect(fromWire(toWire(message))).toEqual(message);
});

test('an object that looks like a number of ours stays an object', () => {
  const config = { $number: 'x', name: 'hostile', inner: { $number: 'NaN', more: 1 } };
  expect(fromWire(toWire(config))).toEqual(config);
});

test('any number arrives', () => {
  fc.assert(
    fc.property(fc.double(), (value) => {
      const [got] = fromWire(toWire([value])) as [number];
      expect(got).toBe(Object.is(value, -0) ? 0 : value); // JSON knows no −0
    }),
  );
});

test('windows keep their numbers in one buffer, however many arrays they have', () => {
  const array = (...values: number[]) => Float64Array.from(values);
  const series = { min: array(1, 2), max: array(3, 4), mean: array(Number.NaN, 5), last: array(6, 7) };
  const window: MetricWindow = {
    level: 3,
    x0: array(0, 8),
    x1: array(7, 15),
    series: Array.from({ length: 100 }, () => ({ ...series, points: 2, notFinite: array(9), notFiniteCount: 1 })),
    rows: 16,
    inside: 16,
  };
  const packed = inOneBuffer([window, null, window]);
  expect(packed).toEqual([window, null, window]);
  const arrays = packed.flatMap((one) => one?.series.flatMap(({ min, max, notFinite }) => [min, max, notFinite]) ?? []);
  expect(new Set(arrays.map(({ buffer }) => buffer)).size).toBe(1);
});
