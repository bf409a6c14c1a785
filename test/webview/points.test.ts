/** A line shows what the numbers say, however many there are. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { gaps, nearest, type Points, smooth, thin } from '../../webview/charts/points.ts';

const value = fc.oneof(
  { weight: 20, arbitrary: fc.double({ min: -1e6, max: 1e6, noNaN: true }) },
  { weight: 1, arbitrary: fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY) },
);
const line = fc.array(value, { minLength: 1, maxLength: 3000 }).map((y): Points => ({ x: y.map((_, i) => i / 10), y }));

describe('thinning', () => {
  test('keeps at most two points a pixel, in order', () => {
    fc.assert(
      fc.property(line, fc.integer({ min: 2, max: 400 }), (points, pixels) => {
        const thinned = thin(points, 0, points.x.at(-1) ?? 0, pixels);
        expect(thinned.length).toBeLessThanOrEqual(2 * pixels);
        const x = thinned.map((point) => point.x);
        expect(x).toEqual([...x].sort((a, b) => a - b));
      }),
    );
  });

  test('keeps the lowest, the highest and the last value', () => {
    fc.assert(
      fc.property(line, (points) => {
        const finite = points.y.filter(Number.isFinite);
        fc.pre(finite.length > 0);
        const y = thin(points, 0, points.x.at(-1) ?? 0, 50).map((point) => point.y);
        const drawn = y.filter(Number.isFinite);
        expect(Math.min(...drawn)).toBe(Math.min(...finite));
        expect(Math.max(...drawn)).toBe(Math.max(...finite));
        expect(drawn.at(-1)).toBe(finite.at(-1));
      }),
    );
  });

  test('leaves a gap in the line wherever a value is not finite', () => {
    const y = Array.from({ length: 2000 }, (_, i) => (i === 700 ? Number.NaN : Math.sin(i)));
    const points = { x: y.map((_, i) => i), y };
    const thinned = thin(points, 0, 1999, 100);
    expect(thinned.filter((point) => Number.isNaN(point.y))).toEqual([{ x: 700, y: Number.NaN }]);
    expect(gaps(points)).toEqual([700]);
  });

  test('an infinity is no point', () => {
    expect(thin({ x: [0, 1], y: [Number.POSITIVE_INFINITY, 1] }, 0, 1, 100)).toEqual([
      { x: 0, y: Number.NaN },
      { x: 1, y: 1 },
    ]);
  });
});

describe('smoothing', () => {
  test('a constant stays the constant', () => {
    const { y } = smooth({ x: [0, 1, 2, 3], y: [3, 3, 3, 3] }, 5);
    for (const value of y) expect(value).toBeCloseTo(3, 12);
  });

  test('after one half-life the older values weigh as much as the newer', () => {
    // Half-life 1: weights 1, ½, ¼ back from the newest.
    const { y } = smooth({ x: [0, 1, 2], y: [0, 0, 7] }, 1);
    expect(y[2]).toBeCloseTo(4, 12);
  });

  test('nothing bleeds over a value that is not finite', () => {
    const { y } = smooth({ x: [0, 1, 2], y: [100, Number.NaN, 1] }, 5);
    expect(y).toEqual([100, Number.NaN, 1]);
  });
});

test('the nearest point', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 99 }), { minLength: 1 }),
      fc.integer({ min: -5, max: 105 }),
      (xs, at) => {
        const x = [...xs].sort((a, b) => a - b);
        const distances = x.map((value) => Math.abs(value - at));
        expect(distances[nearest(x, at)]).toBe(Math.min(...distances));
      },
    ),
  );
  expect(nearest([], 1)).toBe(-1);
});
