/** A line shows what the windows say: no spike lost, nothing bridged, and the same average at every resolution. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { MetricWindow, SeriesWindow } from '../../src/core/metricQuery.ts';
import { boundsOf } from '../../webview/charts/bounds.ts';
import { chosen, pointsHeld } from '../../webview/charts/chartLine.ts';
import { type Curve, curveOf, nearest } from '../../webview/charts/curve.ts';
import { identityOf, identityText, withEarlier } from '../../webview/charts/identity.ts';
import { smoothed } from '../../webview/charts/smoothing.ts';
import { twinTable } from '../../webview/charts/tableTwin.ts';

type Value = number | undefined;

/** A window over rows at x = 0, 1, 2, …; undefined: the row has no value. */
function windowOf(columns: readonly (readonly Value[])[], level = 0, from = 0): MetricWindow {
  const rows = columns[0]?.length ?? 0;
  const size = 2 ** level;
  const buckets = Array.from({ length: Math.ceil(rows / size) }, (_, i) => i * size);
  const end = (begin: number) => Math.min(rows, begin + size);
  return {
    level,
    x0: Float64Array.from(buckets, (begin) => from + begin),
    x1: Float64Array.from(buckets, (begin) => from + end(begin) - 1),
    series: columns.map((column): SeriesWindow => {
      const of = (pick: (values: number[]) => number) =>
        Float64Array.from(buckets, (begin) => {
          const finite = column
            .slice(begin, end(begin))
            .filter((v): v is number => v !== undefined && Number.isFinite(v));
          return finite.length > 0 ? pick(finite) : Number.NaN;
        });
      const broken = column.flatMap((v, i) => (v !== undefined && !Number.isFinite(v) ? [from + i] : []));
      return {
        min: of((values) => Math.min(...values)),
        max: of((values) => Math.max(...values)),
        mean: of((values) => values.reduce((a, b) => a + b, 0) / values.length),
        last: of((values) => values.at(-1) ?? Number.NaN),
        points: column.filter((v) => v !== undefined).length,
        notFinite: Float64Array.from(broken),
        notFiniteCount: broken.length,
      };
    }),
    rows,
    inside: rows,
  };
}

function curve(values: readonly Value[], level = 0, from = 0): Curve {
  const window = windowOf([values], level, from);
  return curveOf(window, window.series[0] as SeriesWindow, from, from + values.length - 1);
}

const { NaN: nan, POSITIVE_INFINITY: infinity } = Number;

describe('a curve', () => {
  test('breaks where a value is not finite, and goes on where there is none', () => {
    expect([...curve([1, nan, 3]).mean]).toEqual([1, nan, 3]);
    expect([...curve([1, infinity, 3]).mean]).toEqual([1, nan, 3]);
    expect([...curve([1, undefined, 3]).mean]).toEqual([1, 3]);
  });
  test('breaks also where a bucket has other values', () => {
    expect([...curve([1, 1, 2, nan, 3, 3], 1).mean]).toEqual([1, nan, 2, 3]);
  });
  test('percent', () => {
    const window = windowOf([[0.25]]);
    expect([...curveOf(window, window.series[0] as SeriesWindow, 0, 0, 100).mean]).toEqual([25]);
  });
  test('the nearest point', () => {
    const xs = fc.uniqueArray(fc.integer({ min: 0, max: 99 }), { minLength: 1 }).map((x) => x.sort((a, b) => a - b));
    fc.assert(
      fc.property(xs, fc.integer({ min: -5, max: 105 }), (x, at) => {
        const places = Float64Array.from(x);
        const found = nearest({ x0: places, x1: places, mean: places }, at);
        expect(Math.abs((x[found] ?? nan) - at)).toBe(Math.min(...x.map((value) => Math.abs(value - at))));
      }),
    );
    expect(nearest(curve([]), 1)).toBe(-1);
  });
});

describe('the average', () => {
  test('of a constant is the constant, from the first point on', () => {
    for (const value of smoothed(curve([3, 3, 3, 3]), 2).y) expect(value).toBeCloseTo(3, 12);
  });
  test('weighs what is one half-life older half as much', () => {
    // Weights 1, ½, ¼ back from the newest: 7 / (1 + ½ + ¼).
    expect(smoothed(curve([0, 0, 7]), 1).y[2]).toBeCloseTo(4, 12);
  });
  test('begins anew behind a value that is not finite', () => {
    expect([...smoothed(curve([100, nan, 1]), 5).y]).toEqual([100, nan, 1]);
  });
  test('is nearly the same from buckets as from rows', () => {
    const values = Array.from({ length: 4096 }, (_, i) => Math.sin(i / 300) + ((i * 7919) % 13) / 13);
    const rows = smoothed(curve(values), 200);
    const buckets = smoothed(curve(values, 4), 200);
    for (let i = 8; i < buckets.y.length; i++) {
      expect(Math.abs((buckets.y[i] ?? nan) - (rows.y[16 * i + 15] ?? nan))).toBeLessThan(0.02);
    }
  });
  test('of a part goes on from that of the whole, so that a zoom does not change the line', () => {
    const values = Array.from({ length: 4096 }, (_, i) => (i < 2000 ? 1 : 2));
    const whole = curve(values, 4);
    const average = smoothed(whole, 500);
    const part = smoothed(curve(values.slice(2048, 2304), 0, 2048), 500, { curve: whole, average });
    const exact = smoothed(curve(values), 500);
    for (const i of [0, 100, 255]) expect(part.y[i]).toBeCloseTo(exact.y[2048 + i] ?? nan, 2);
    expect(smoothed(curve(values.slice(2048, 2304), 0, 2048), 500).y[0]).toBe(2); // what it would be
  });
});

describe('the y axis', () => {
  const range = { from: 0, to: 99 };
  const values = Array.from({ length: 100 }, (_, i) => (i === 50 ? 1000 : 1 + (i % 10) / 10));
  const bounds = (log: boolean, clip: boolean, of = values) => boundsOf([{ curve: curve(of) }], range, { log, clip });
  test('reaches to every spike', () => {
    expect(bounds(false, false).max).toBeGreaterThan(1000);
    expect(bounds(false, false).outside).toBe(0);
  });
  test('without outliers, says how many there are', () => {
    const clipped = bounds(false, true);
    expect(clipped.max).toBeLessThan(3);
    expect(clipped).toMatchObject({ outside: 1, exact: true });
  });
  test('of what is in view only', () => {
    const { max } = boundsOf([{ curve: curve(values) }], { from: 0, to: 40 }, { log: false, clip: false });
    expect(max).toBeLessThan(3);
  });
  test('of a logarithmic axis is above 0, and says what is not', () => {
    const found = bounds(true, false, [-1, 0, 0.01, 10]);
    expect(found.min).toBeGreaterThan(0);
    expect(found.min).toBeLessThanOrEqual(0.01);
    expect(found.notPositive).toBe(2);
  });
  test('has a height where all values are the same, or there are none', () => {
    for (const of of [[2, 2], [0], []]) {
      const { min, max } = bounds(false, false, of);
      expect(max).toBeGreaterThan(min);
    }
  });
});

describe('what is drawn of a zoom', () => {
  const numbers = (from: number, to: number, level: number) => ({
    curve: { ...curve([1, 2]), from, to, level },
    average: undefined,
  });
  const whole = numbers(0, 100, 3);
  test('is the part where it covers the view, else the coarse whole until the part has come', () => {
    const part = numbers(20, 40, 0);
    expect(chosen({ whole, part }, { from: 25, to: 35 })).toBe(part);
    expect(chosen({ whole, part }, { from: 10, to: 35 })).toBe(whole);
    expect(chosen({ whole, part: undefined }, { from: 10, to: 35 })).toBe(whole);
  });
});

test('points held: those of the newest window and the rows that came since', () => {
  expect(pointsHeld([undefined], 7)).toBe(7);
  expect(pointsHeld([curve([1, 2, 3])], 5)).toBe(5);
  expect(pointsHeld([curve([1, undefined, 3])], 5)).toBe(2); // not every row has one
});

describe('total = (1 − w)·main + w·sub', () => {
  const [main, sub] = [
    [2, 3, 4],
    [1, 1, 2],
  ];
  const check = (weights: readonly number[], known?: number, broken = false) => {
    const total = main.map((value, i) => (1 - (weights[i] ?? 0)) * value + (weights[i] ?? 0) * (sub[i] ?? 0));
    const window = windowOf([total, broken ? [2, nan, 4] : main, sub], broken ? 1 : 0);
    const [a, b, c] = window.series as [SeriesWindow, SeriesWindow, SeriesWindow];
    const found = identityOf(window, { total: a, main: b, sub: c }, known);
    return found && identityText(found);
  };
  test('holds', () => {
    expect(check([0.5, 0.5, 0.5], 0.5)).toEqual({
      text: 'total = ½ main + ½ sub ✓ (largest deviation 0)',
      look: 'holds',
    });
    expect(check([0.25, 0.25, 0.25], 0.25)?.text).toMatch(/^total = 0.75 main \+ 0.25 sub ✓/);
  });
  test('is found where the config is not known', () => expect(check([0.3, 0.3, 0.3])?.text).toMatch(/0.7 main .* ✓/));
  test('stays broken after a window in which it holds', () => {
    const of = (deviation: number, holds: boolean) => ({ weight: 0.5, isKnown: true, deviation, holds });
    expect(withEarlier(of(3e-4, true), of(2e-4, false))).toEqual(of(3e-4, false));
    expect(withEarlier(of(1e-9, true), of(2e-8, true))).toEqual(of(2e-8, true));
    expect(withEarlier(of(2e-4, false), of(3e-4, true))).toEqual(of(3e-4, false));
  });
  test('is broken by one row', () => {
    expect(check([0.5, 0.6, 0.5], 0.5)).toMatchObject({ look: 'broken', text: expect.stringMatching(/✗ .*0\.2/) });
  });
  test('says nothing against weights that it was not told', () => {
    expect(check([0.2, 0.5, 0.9])?.look).toBe('unknown');
  });
  test('leaves out a bucket with a value that is not finite', () => {
    expect(check([0.5, 0.5, 0.5], 0.5, true)?.look).toBe('holds');
  });
});

describe('the table beside a chart', () => {
  const x = { title: 'Step', format: String };
  test('has every point in view', () => {
    const lines = [{ label: 'a', curve: curve([1, 2, 3, 4]) }];
    const { columns, rows, isThinned } = twinTable(lines, { from: 1, to: 2 }, x, String);
    expect(columns).toEqual(['Step', 'a']);
    expect(rows).toEqual([
      ['1', '2'],
      ['2', '3'],
    ]);
    expect(isThinned).toBe(false);
  });
  test('has 200 rows at most, and the spread of what each stands for', () => {
    const lines = [
      {
        label: 'a',
        curve: curve(
          Array.from({ length: 5000 }, (_, i) => i % 4),
          2,
        ),
      },
    ];
    const { rows, isThinned } = twinTable(lines, { from: 0, to: 4999 }, x, String);
    expect(rows.length).toBeLessThanOrEqual(200);
    expect(rows[0]?.[1]).toBe('1.5 (0 … 3)');
    expect(isThinned).toBe(true);
  });
  test('says where a line has nothing', () => {
    const short = curve([9]);
    const { rows } = twinTable(
      [
        { label: 'a', curve: curve([1, 2, 3]) },
        { label: 'b', curve: short },
      ],
      { from: 0, to: 2 },
      x,
      String,
    );
    expect(rows.at(-1)).toEqual(['2', '3', '–']);
  });
});
