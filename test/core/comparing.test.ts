/** Runs compared at equal epochs, time and compute, over seeds, by levels and by configs. */
import { describe, expect, test } from 'vitest';
import {
  bandOver,
  type ComparedRun,
  diffColumns,
  differenceOver,
  groupBy,
  levelRows,
  pointsOf,
  reaches,
  roundLevels,
  valueAt,
} from '../../src/core/comparing.ts';
import { flattenConfig } from '../../src/core/flatten.ts';
import { epochEvent, stepEvent } from './examples.ts';

/** Top-1 after epochs 1, 2, …; an epoch takes ten steps, so many seconds and operations each. */
function run(top1: readonly number[], seconds = 10, flops = 100): ComparedRun {
  return {
    epochs: top1.map((value, i) => ({ ...epochEvent(i + 1, { top1: value }), t: seconds * (i + 1) })),
    lastStep: stepEvent(20, { flops: 20 * flops }),
  };
}
const points = (...values: (readonly [number, number])[]) => values.map(([x, y]) => ({ x, y }));

describe('the points of a run', () => {
  const two = run([0.5, 0.6], 7, 3);
  test('lie at epochs, seconds and operations', () => {
    expect(pointsOf(two, 'top1', 'epoch')).toEqual(points([1, 0.5], [2, 0.6]));
    expect(pointsOf(two, 'top1', 'time')).toEqual(points([7, 0.5], [14, 0.6]));
    expect(pointsOf(two, 'trainLoss', 'flops')).toEqual(points([30, 1], [60, 1]));
  });
  test('are none where the metric was not measured or is no number', () => {
    expect(pointsOf(two, 'maskedTop1', 'epoch')).toEqual([]);
    expect(pointsOf({ epochs: [epochEvent(1)] }, 'top1', 'epoch')).toEqual([]);
    expect(pointsOf({ epochs: [epochEvent(1, { loss: Number.NaN })] }, 'loss', 'epoch')).toEqual([]);
    expect(pointsOf({ epochs: two.epochs }, 'top1', 'flops')).toEqual([]);
  });
});

describe('the difference', () => {
  const baseline = points([1, 0.5], [2, 0.6], [4, 1]);
  test('is taken where both have data, the baseline on its line', () => {
    const method = points([0.5, 9], [1, 0.6], [1.5, 0.6], [3, 1], [5, 9]);
    const found = differenceOver(baseline, method);
    expect(found.map(({ x }) => x)).toEqual([1, 1.5, 3]);
    expect(found.map(({ y }) => y)).toEqual([0.1, 0.05, 0.2].map((y) => expect.closeTo(y, 12)));
  });
  test('is nothing without a baseline', () => {
    expect(differenceOver([], baseline)).toEqual([]);
    expect(valueAt(points([1, 2]), 1)).toBe(2);
    expect(valueAt(points([1, 2]), 2)).toBeUndefined();
  });
  test('at equal compute is not that at equal epochs for a method whose step is dearer', () => {
    const [plain, dear] = [run([0.1, 0.2, 0.3, 0.4], 10, 100), run([0.2, 0.3, 0.4, 0.5], 15, 200)];
    const at = (axis: 'epoch' | 'flops') => differenceOver(pointsOf(plain, 'top1', axis), pointsOf(dear, 'top1', axis));
    expect(at('epoch').map(({ y }) => y)).toEqual([0.1, 0.1, 0.1, 0.1].map((y) => expect.closeTo(y, 12)));
    expect(at('flops').map(({ y }) => y)).toEqual([0, -0.1].map((y) => expect.closeTo(y, 12)));
  });
});

test('a band is mean, sample deviation and count at each x of any series', () => {
  const band = bandOver([points([1, 0], [3, 2]), points([1, 2], [2, 3], [3, 4]), points([3, 9])]);
  expect(band).toEqual([
    { x: 1, mean: 1, deviation: Math.SQRT2, count: 2 },
    { x: 2, mean: 2, deviation: Math.SQRT2, count: 2 },
    { x: 3, mean: 5, deviation: expect.closeTo(3.6056, 4), count: 3 },
  ]);
  expect(bandOver([points([1, 4])])).toEqual([{ x: 1, mean: 4, deviation: Number.NaN, count: 1 }]);
  expect(bandOver([])).toEqual([]);
});

describe('levels', () => {
  const pair = { baseline: run([0.31, 0.42, 0.5, 0.55], 10, 100), method: run([0.3, 0.52, 0.61, 0.6], 15, 200) };
  test('are reached at the first point that has them', () => {
    expect(reaches(points([1, 0.4], [2, 0.6], [3, 0.5]), 0.5)).toBe(2);
    expect(reaches(points([1, 0.4]), 0.5)).toBeUndefined();
  });
  test('are round percentages that both reach, and the highest that both reach', () => {
    expect(roundLevels([pair])).toEqual([0.35, 0.4, 0.45, 0.5, 0.55]);
    expect(roundLevels([{ baseline: run([0.1, 0.93]), method: run([0.2, 0.97]) }])).toEqual([0.4, 0.6, 0.8, 0.93]);
    expect(roundLevels([{ baseline: run([]), method: run([0.9]) }])).toEqual([]);
    expect(roundLevels([])).toEqual([]);
  });
  test('cost each run epochs, time and compute', () => {
    const [row] = levelRows([pair], [0.5]);
    expect(row).toMatchObject({ level: 0.5, both: 1, pairs: 1 });
    expect(row?.reach).toEqual({
      epoch: { baseline: 3, method: 2, ratio: 1.5 },
      time: { baseline: 30, method: 30, ratio: 1 },
      flops: { baseline: 3000, method: 4000, ratio: 0.75 },
    });
  });
  test('are means over the pairs that reach them with both runs, and how many do', () => {
    const other = { baseline: run([0.5]), method: run([0.4, 0.4, 0.4, 0.5]) };
    const short = { baseline: run([0.5]), method: run([0.4]) };
    const [row] = levelRows([pair, other, short], [0.5]);
    expect(row).toMatchObject({ both: 2, pairs: 3, baselines: 3, methods: 2 });
    expect(row?.reach?.epoch).toEqual({ baseline: 2, method: 3, ratio: expect.closeTo(2 / 3, 12) });
    expect(levelRows([short], [0.5])[0]?.reach).toBeUndefined();
  });
});

describe('configs', () => {
  const config = (value: unknown) => ({ config: flattenConfig(value) });
  const rows = [config({ a: { b: 10 } }), config({ a: { b: 9 } }), config({}), config({ a: { b: 10 } })];
  test('group runs by a key, numbers as numbers, those without it last', () => {
    const groups = groupBy(rows, 'a.b');
    expect(groups.map(({ value, rows: members }) => [value, members.length])).toEqual([
      [9, 1],
      [10, 2],
      [undefined, 1],
    ]);
    expect(groupBy(rows, 'constructor')).toHaveLength(1);
  });
  test('differ in the keys whose values are not all the same', () => {
    const flat = [
      { a: 1, b: { c: 'x', d: [1] } },
      { a: 1, b: { c: 'y', d: [1] }, e: true },
    ].map(flattenConfig);
    expect(diffColumns(flat)).toEqual(['b.c', 'e']);
    expect(diffColumns([flattenConfig({ a: 1 }), flattenConfig({ a: '1' })])).toEqual(['a']);
    expect(diffColumns([flattenConfig({}), flattenConfig(JSON.parse('{"__proto__":1,"toString":2}'))])).toEqual([
      '__proto__',
      'toString',
    ]);
    expect(diffColumns([])).toEqual([]);
  });
});
