/** The lines of a figure from windows of scalars: thinning, gaps, smoothing and seeds, and that the caption says each of them. */
import { describe, expect, test } from 'vitest';
import { lineCharts } from '../../src/core/charts.ts';
import type { RunEventOf } from '../../src/core/events.ts';
import type { MetricWindow, RunMetrics, WindowQuery } from '../../src/core/metricQuery.ts';
import { emptyRun } from '../../src/core/run.ts';
import { figureOf } from '../../src/runner/exports/figureOf.ts';
import { type ExportedRun, groupRuns } from '../../src/runner/exports/runs.ts';

const chart = (id: string) => lineCharts().find((one) => one.id === id) as ReturnType<typeof lineCharts>[number];
const [loss, ratio] = [chart('loss'), chart('grad-ratio')];

type Columns = Readonly<Record<string, readonly number[]>>;

/** Scalars at x = 0, 1, 2, …, or buckets of them. */
function metrics(columns: Columns, level = 0, asked: WindowQuery[] = []): RunMetrics {
  const rows = Object.values(columns)[0]?.length ?? 0;
  const width = 2 ** level;
  return {
    names: (table) => (table === 'steps' ? Object.keys(columns) : []),
    rows: () => rows,
    extent: () => [0, rows - 1],
    window: (query): MetricWindow => {
      asked.push(query);
      const buckets = Math.ceil(rows / width);
      const x0 = Float64Array.from({ length: buckets }, (_, i) => i * width);
      return {
        level,
        x0,
        x1: x0.map((x) => Math.min(rows, x + width) - 1),
        rows,
        inside: rows,
        series: query.names.map((name) => {
          const values = columns[name] ?? [];
          const bucket = (i: number) => values.slice(i * width, (i + 1) * width).filter(Number.isFinite);
          const each = (of: (finite: readonly number[]) => number) =>
            Float64Array.from({ length: buckets }, (_, i) => (bucket(i).length === 0 ? Number.NaN : of(bucket(i))));
          const broken = values.flatMap((value, i) => (Number.isFinite(value) ? [] : [i]));
          return {
            min: each((finite) => Math.min(...finite)),
            max: each((finite) => Math.max(...finite)),
            mean: each((finite) => finite.reduce((sum, value) => sum + value, 0) / finite.length),
            last: each((finite) => finite.at(-1) ?? Number.NaN),
            points: values.length,
            notFinite: Float64Array.from(broken),
            notFiniteCount: broken.length,
          };
        }),
      };
    },
  };
}

function run(
  columns: Columns,
  { seed = 0, role = 'method' as 'method' | 'baseline', level = 0, asked = [] as WindowQuery[] } = {},
): ExportedRun {
  const id = `x-s${seed}-${role}`;
  const start = {
    name: 'x',
    role,
    method: role === 'method' ? 'masksub' : 'baseline',
    seed,
    epochs: 4,
  } as RunEventOf<'start'>;
  const state = { ...emptyRun(id), start, state: 'finished' as const };
  const rest = { folder: `/${id}`, summary: undefined, config: {}, experiment: 'x', close: () => {} };
  return { id, state, metrics: metrics(columns, level, asked), ...rest };
}

const options = { axis: 'step' as const, smoothing: 0, log: false, command: '' };
const figure = (runs: ExportedRun[], more: object = {}, chart = loss) =>
  figureOf(chart, groupRuns(runs, false), { ...options, ...more });

describe('one run', () => {
  test('each value is a point, each branch a line', () => {
    const { series, caption } = figure([run({ 'loss.main': [3, 2, 1], 'loss.sub': [4, 3, 2] })]);
    expect(series.map(({ label, dashed }) => [label, dashed])).toEqual([
      ['MaskSub main', false],
      ['MaskSub sub', true],
    ]);
    expect([series[0]?.x, series[0]?.y]).toEqual([
      [0, 1, 2],
      [3, 2, 1],
    ]);
    expect(series[0]?.band).toBeUndefined();
    expect(caption).toContain('One seed (0).');
  });

  test('thinned, its spikes stay in a band, and the caption says so', () => {
    const { series, caption } = figure([run({ 'loss.main': [1, 9, 1, 1, 2, 2, 2, 2] }, { level: 2 })]);
    expect(series[0]).toMatchObject({ x: [1.5, 5.5], y: [3, 2], band: { low: [1, 2], high: [9, 2] } });
    expect(caption).toContain(
      'A point is the mean of up to 4 logged steps; the band spans their lowest and highest value.',
    );
  });

  test('a ratio of thinned values is the mean of the ratios, between the lowest and the highest', () => {
    const { series } = figure([run({ 'grad.ratio': [2, 1] }, { level: 1 })], {}, ratio);
    expect(series[0]).toMatchObject({ y: [1.5], band: { low: [1], high: [2] } });
  });

  test('a value that is not finite is a gap and a cross', () => {
    const { series, caption } = figure([run({ 'loss.main': [3, Number.NaN, 1, Number.POSITIVE_INFINITY, 1] })]);
    expect(series[0]?.y).toEqual([3, Number.NaN, 1, Number.NaN, 1]);
    expect(Array.from(series[0]?.notFinite ?? [])).toEqual([1, 3]);
    expect(caption).toContain('Crosses: 2 values of MaskSub NaN or infinite.');
  });

  test('smoothed, the values stay behind, and the average knows what came before the view', () => {
    const asked: WindowQuery[] = [];
    const values = Array.from({ length: 101 }, (_, i) => i % 2);
    const { series, caption } = figure([run({ 'loss.main': values }, { asked })], { smoothing: 0.1, from: 50 });
    expect(series[0]?.raw).toEqual(values);
    expect(asked[0]?.from).toBe(50 - 4 * 0.1 * 50);
    expect(series[0]?.y[60]).toBeGreaterThan(0.3);
    expect(series[0]?.y[60]).toBeLessThan(0.7);
    expect(caption).toContain('Exponential moving average over 10 % of the range, the values themselves faint behind.');
    expect(caption).toContain('Shown from 50 to 100.');
  });
});

describe('seeds', () => {
  const three = [
    [1, 2, 3],
    [2, 2, 5],
    [3, 2, 7],
  ].map((values, seed) => run({ 'loss.main': values }, { seed }));

  test('are their mean and standard deviation, and their number is said', () => {
    const { series, caption } = figure(three);
    expect(series).toHaveLength(1);
    expect(series[0]).toMatchObject({ label: 'MaskSub', y: [2, 2, 5], band: { low: [1, 2, 3], high: [3, 2, 7] } });
    expect(caption).toContain('Mean ± standard deviation (n − 1) over 3 seeds.');
  });

  test('one that ends early leaves the mean to the others, and that is said', () => {
    const { series, caption } = figure([...three.slice(0, 2), run({ 'loss.main': [3, 2] }, { seed: 2 })]);
    expect(series[0]?.y).toEqual([2, 2, 4]);
    expect(caption).toContain('From where one of the runs ends early, of fewer.');
  });

  test('of different number are counted in the labels', () => {
    const { series, caption } = figure([run({ 'loss.main': [1, 1] }, { role: 'baseline' }), ...three]);
    expect(series.map(({ label, slot }) => [label, slot])).toEqual([
      ['Baseline (1 seed)', 0],
      ['MaskSub (3 seeds)', 1],
    ]);
    expect(caption).toContain('as the labels count them');
  });
});

test('the method alone keeps its colour', () => {
  expect(groupRuns([run({})], false)[0]?.slot).toBe(1);
  expect(groupRuns([run({}, { role: 'baseline' })], false)[0]?.slot).toBe(0);
});

test('a run that has not finished is said to', () => {
  const failed = run({ 'loss.main': [1] });
  const { caption } = figure([{ ...failed, state: { ...failed.state, state: 'failed' } }]);
  expect(caption).toContain('x-s0-method: failed after 0 of 4 epochs.');
});

test('more than twelve lines are refused', () => {
  const runs = Array.from({ length: 13 }, (_, seed) => run({}, { seed }));
  expect(() => groupRuns(runs, true)).toThrow('at most 12');
  expect(groupRuns(runs, false)).toHaveLength(1);
});
