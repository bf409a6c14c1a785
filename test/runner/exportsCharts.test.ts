/** Every chart of the dashboard can be exported by the name that its button sends, and says the numbers of the runs. */
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { allCharts, differenceChart, layersChart } from '../../src/core/charts.ts';
import { encodeEvent, type RunEventOf } from '../../src/core/events.ts';
import type { MetricTable, MetricWindow, RunMetrics } from '../../src/core/metricQuery.ts';
import { emptyRun } from '../../src/core/run.ts';
import { chooseCharts } from '../../src/runner/exports/charts.ts';
import { csvLines } from '../../src/runner/exports/csv.ts';
import { differenceFigure } from '../../src/runner/exports/difference.ts';
import { layersFigure } from '../../src/runner/exports/layersFigure.ts';
import { type ExportedRun, groupRuns } from '../../src/runner/exports/runs.ts';
import { charts as shownCharts } from '../../webview/charts/catalog.ts';
import { temporaryFolder } from '../store/temporaryFolder.ts';

type Columns = Readonly<Record<string, readonly number[]>>;
type Tables = Partial<Record<MetricTable, Columns>>;

/** Scalars at x = 1, 2, 3, …, times a length of an epoch. */
function metrics(tables: Tables, unit: number): RunMetrics {
  const columnsOf = (table: MetricTable) => tables[table] ?? {};
  const rows = (table: MetricTable) => Object.values(columnsOf(table))[0]?.length ?? 0;
  return {
    names: (table) => Object.keys(columnsOf(table)),
    rows,
    extent: (table) => (rows(table) > 0 ? [unit, unit * rows(table)] : undefined),
    window: ({ table, names }): MetricWindow => {
      const x = Float64Array.from({ length: rows(table) }, (_, i) => unit * (i + 1));
      const series = names.map((name) => {
        const values = Float64Array.from(columnsOf(table)[name] ?? []);
        const notFiniteCount = values.filter((value) => !Number.isFinite(value)).length;
        const mean = values.map((value) => (Number.isFinite(value) ? value : Number.NaN));
        return {
          min: mean,
          max: mean,
          mean,
          last: mean,
          points: x.length,
          notFinite: new Float64Array(),
          notFiniteCount,
        };
      });
      return { level: 0, x0: x, x1: x, series, rows: x.length, inside: x.length };
    },
  };
}

interface Made {
  readonly seed?: number;
  readonly top1?: readonly number[];
  /** Seconds of an epoch. */
  readonly pace?: number;
}

function run(role: 'baseline' | 'method', tables: Tables, { seed = 0, top1 = [], pace = 1 }: Made = {}): ExportedRun {
  const method = role === 'method' ? 'masksub' : 'baseline';
  const id = `x-s${seed}-${method}`;
  const start = { name: 'x', role, method, seed, epochs: 4, pair: `x-s${seed}` } as RunEventOf<'start'>;
  const epochs = top1.map(
    (value, i) =>
      ({
        type: 'epoch',
        epoch: i + 1,
        step: 10 * (i + 1),
        t: pace * (i + 1),
        validation: { top1: value },
      }) as RunEventOf<'epoch'>,
  );
  const lastStep = { step: 10, images: 640, flops: 1e9 } as RunEventOf<'step'>;
  const state = { ...emptyRun(id), start, epochs, lastStep, state: 'finished' as const };
  const rest = { folder: `/${id}`, summary: undefined, config: {}, experiment: 'x', close: () => {} };
  return { id, state, metrics: metrics(tables, pace), ...rest };
}

const options = { axis: 'epoch' as const, smoothing: 0, log: false, command: '', eachSeed: false };

describe('the names', () => {
  const columns = shownCharts.flatMap(({ parts }) => parts.map(({ source }) => source));
  const of = (table: MetricTable) =>
    Object.fromEntries(columns.filter((one) => one.table === table).map(({ name }) => [name, [1, 2]]));
  const tables = { steps: of('steps'), epochs: of('epochs'), layers: { 'main.head': [1, 2] } };
  const runs = [run('baseline', tables, { top1: [0.1] }), run('method', tables, { top1: [0.2] })];

  test('of all charts that are shown are taken', () => {
    const names = [...shownCharts.map(({ id }) => id), 'layers', 'difference'];
    expect(allCharts().map(({ id }) => id)).toEqual(names);
    expect(chooseCharts(names, runs).map(({ id, title }) => [id, title])).toEqual(
      allCharts().map(({ id, title }) => [id, title]),
    );
    expect(chooseCharts([], runs)).toHaveLength(names.length);
  });
  test('of scalars and of a single number of the layers, too', () => {
    expect(chooseCharts(['validation.maskedTop1', 'main.head', 'layers-main'], runs).map(({ id }) => id)).toHaveLength(
      3,
    );
    expect(() => chooseCharts(['layers-sub'], runs)).toThrow('no values for the chart "layers-sub"');
  });
  test('of a difference without a pair are refused with the reason', () => {
    expect(() => chooseCharts(['difference'], runs.slice(1))).toThrow('There is no pair of a method and its baseline');
    const early = [run('baseline', {}), run('method', {}, { top1: [0.2] })];
    expect(() => chooseCharts(['difference'], early)).toThrow('both validated');
  });
});

describe('the layers', () => {
  const layers = (scale: number): Tables => ({
    layers: {
      'main.embed': [1 * scale, 2 * scale],
      'main.head': [4 * scale, Number.NaN],
      'sub.embed': [10 * scale, 20 * scale],
      'sub.head': [1, 1],
      'cosine.embed': [0.5, -0.5],
    },
  });
  const runs = [0, 1].map((seed) => run('method', layers(1 + 2 * seed), { seed }));
  const { scales, caption, x } = layersFigure(layersChart(), groupRuns(runs, false), options);

  test('are a panel for each number, norms under one scale, the mean over the seeds', () => {
    expect(scales.map(({ title, panels }) => [title, panels.map(({ label }) => label)])).toEqual([
      ['L2 norm', ['MaskSub main', 'MaskSub sub']],
      ['Cosine', ['MaskSub cosine']],
    ]);
    expect(scales[0]?.panels[0]?.names).toEqual(['embed', 'head']);
    expect(scales[0]?.panels[0]?.values.map((row) => Array.from(row))).toEqual([
      [2, 4],
      [8, Number.NaN],
    ]);
    expect(scales[0]?.domain).toEqual([1, 40]);
    expect(scales[1]?.domain).toEqual([-1, 1]);
    expect(caption).toContain('Mean over 2 seeds.');
  });
  test('have columns from where the rows before were recorded to their own, and say what is left out', () => {
    expect(Array.from(scales[0]?.panels[0]?.edges ?? [])).toEqual([0, 1, 2]);
    expect(x.range).toEqual([0, 2]);
    expect(caption).toContain('2 values are NaN or infinite and left out.');
  });
  test('of one branch have no word of the other', () => {
    const one = layersFigure({ ...layersChart(), numbers: ['sub'] }, groupRuns(runs, true), options);
    expect(one.scales.flatMap(({ panels }) => panels.map(({ label }) => label))).toEqual([
      'MaskSub seed 0',
      'MaskSub seed 1',
    ]);
    expect(one.caption).not.toMatch(/cosine|Mean over/);
  });
});

describe('the difference', () => {
  const pair = (seed: number, before: readonly number[], after: readonly number[]) => [
    run('baseline', {}, { seed, top1: before }),
    run('method', {}, { seed, top1: after, pace: 2 }),
  ];
  const runs = [...pair(0, [0.1, 0.2, 0.4], [0.2, 0.3, 0.5]), ...pair(1, [0.1, 0.2, 0.4], [0.1, 0.3, 0.7])];
  const at = (more: object) => differenceFigure(differenceChart(), runs, { ...options, ...more });
  const near = (values: ArrayLike<number> | undefined) => Array.from(values ?? [], (value) => Number(value.toFixed(9)));

  test('is in points, with its deviation over the seeds', () => {
    const { series, caption, reference } = at({});
    expect(series.map(({ label }) => label)).toEqual(['MaskSub − baseline']);
    expect([near(series[0]?.x), near(series[0]?.y)]).toEqual([
      [1, 2, 3],
      [5, 10, 20],
    ]);
    const { low, high } = series[0]?.band ?? {};
    expect([near(low)[0], near(high)[0]]).toEqual(near([5 - Math.sqrt(50), 5 + Math.sqrt(50)]));
    expect(reference).toBe(0);
    expect(caption).toContain('At equal epochs. Mean ± standard deviation (n − 1) over 2 seeds.');
  });
  test('at equal time is where the baseline was then', () => {
    const { series, caption } = at({ axis: 'time' });
    expect([near(series[0]?.x), near(series[0]?.y)]).toEqual([[2], [-5]]);
    expect(caption).toContain('At equal wall time, the baseline’s value interpolated linearly.');
  });
  test('at equal steps and samples is that at equal epochs', () => {
    expect(near(at({ axis: 'step' }).series[0]?.x)).toEqual([10, 20, 30]);
    expect(near(at({ axis: 'images' }).series[0]?.x)).toEqual([640, 1280, 1920]);
    expect(near(at({ axis: 'images' }).series[0]?.y)).toEqual([5, 10, 20]);
  });
  test('as CSV stands in the rows of the method, in the unit of the events', () => {
    const written = pair(0, [0.25, 0.5], [0.5, 0.625]).map((one) => {
      const folder = temporaryFolder();
      const lines = one.state.epochs.map(({ epoch, step, t, validation }) =>
        encodeEvent({
          ...{ v: 1, run: one.id, attempt: 0, t, type: 'epoch', epoch, step, train: { loss: 1, top1: 0 } },
          validation: { ...validation, loss: 1, samples: 8 },
        }),
      );
      fs.writeFileSync(path.join(folder, 'events.jsonl'), `${lines.join('\n')}\n`);
      return { ...one, folder };
    });
    const cells = [...csvLines(written, [differenceChart()])].map((line) => line.trim().split(',').slice(-2).join());
    expect(cells).toEqual(['validation.top1,difference.top1', '0.25,', '0.5,', '0.5,0.25', '0.625,0.125']);
  });
  test('is a line for each seed where that is asked for', () => {
    const { series, caption } = at({ eachSeed: true });
    expect(series.map(({ label, band }) => [label, band])).toEqual([
      ['MaskSub − baseline, seed 0', undefined],
      ['MaskSub − baseline, seed 1', undefined],
    ]);
    expect(new Set(series.map(({ slot }) => slot)).size).toBe(2);
    expect(caption).toContain('A line for each seed.');
  });
});
