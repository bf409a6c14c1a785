/** Every chart has a line for what the tables of a run hold, and none for what they don't. */
import { describe, expect, test } from 'vitest';
import { allCharts } from '../../src/core/charts.ts';
import { setLanguage } from '../../src/core/l10n.ts';
import type { MetricFacts } from '../../src/core/messages.ts';
import { charts, extraChart } from '../../webview/charts/catalog.ts';
import {
  type ChartedRun,
  chartedRunsOf,
  emptyText,
  type Facts,
  linesOf,
  scalarsOf,
} from '../../webview/charts/lines.ts';
import { applyMessage, chartedRuns, emptyState } from '../../webview/state.ts';

const facts = (names: readonly string[], rows = 10): MetricFacts => ({ names, rows, extent: { step: [1, rows] } });
const none = facts([], 0);
const oneBranch = [
  'loss.total',
  'loss.main',
  'grad.total',
  'grad.main',
  'learningRate',
  'imagesPerSecond',
  'memoryBytes',
];
const twoBranches = [...oneBranch, 'loss.sub', 'grad.sub', 'grad.cosine', 'grad.ratio', 'dataWait'];
const epochs = facts(['train.loss', 'train.top1', 'validation.top1', 'validation.maskedTop1'], 2);

const run = (role: 'baseline' | 'method', id: string, slot = 0): ChartedRun => ({
  id,
  role,
  slot,
  method: role === 'method' ? 'masksub' : 'baseline',
  label: role === 'method' ? 'MaskSub' : 'Baseline',
});
const pair = [run('method', 'm'), run('baseline', 'b')];
const tables: Facts = new Map([
  ['m', { steps: facts(twoBranches), epochs, layers: none }],
  ['b', { steps: facts(oneBranch), epochs, layers: none }],
]);
const chart = (id: string) => charts.find((one) => one.id === id) as (typeof charts)[number];
const drawn = (id: string, runs = pair, withSecond = true) =>
  linesOf(chart(id), runs, tables, withSecond).map(
    ({ label, who, second }) => `${label} | ${who}${second ? ' | second' : ''}`,
  );

describe('a pair', () => {
  for (const [id, lines] of Object.entries({
    loss: ['MaskSub main | method', 'MaskSub sub | method | second', 'Baseline | baseline'],
    accuracy: [
      'MaskSub | method',
      'MaskSub masked | method | second',
      'Baseline | baseline',
      'Baseline masked | baseline | second',
    ],
    'train-accuracy': ['MaskSub | method', 'Baseline | baseline'],
    'grad-norm': ['MaskSub main | method', 'MaskSub sub | method | second', 'Baseline | baseline'],
    'grad-ratio': ['MaskSub | method'],
    'grad-cosine': ['MaskSub | method'],
    lr: ['both runs | both'],
    throughput: ['MaskSub | method', 'Baseline | baseline'],
    'data-wait': ['MaskSub | method'],
    memory: ['MaskSub | method', 'Baseline | baseline'],
  })) {
    test(`as ${id}`, () => expect(drawn(id)).toEqual(lines));
  }
  test('the ids that others rely on are there', () => {
    const ids = ['loss', 'accuracy', 'grad-norm', 'grad-ratio', 'grad-cosine', 'lr', 'throughput'];
    expect(charts.map(({ id }) => id)).toEqual(expect.arrayContaining(ids));
  });
  test('a line of the next pair has the key of this one', () => {
    const next = [run('method', 'm2'), run('baseline', 'b2')];
    const later: Facts = new Map([...tables].map(([id, own]) => [`${id}2`, own]));
    const keys = (runs: ChartedRun[], own: Facts) => linesOf(chart('loss'), runs, own, true).map(({ key }) => key);
    expect(keys(next, later)).toEqual(keys(pair, tables));
  });
});

describe('many runs', () => {
  const runs = [run('method', 'm', 0), run('baseline', 'b', 1), run('method', 'm', 2)];
  test('have the styles of their slots, and a line of their own for what a pair shares', () => {
    expect(drawn('lr', runs)).toEqual(['MaskSub | 0', 'Baseline | 1', 'MaskSub | 2']);
  });
  test('without sub-branches there is no word of main either', () => {
    expect(drawn('loss', runs, false)).toEqual(['MaskSub | 0', 'Baseline | 1', 'MaskSub | 2']);
  });
  test('say what they differ in', () => {
    const handle = (id: string, seed: number, name: string) =>
      ({ id, name, seed, method: 'masksub', role: 'method', experiment: name, lost: false }) as const;
    const labels = (handles: ReturnType<typeof handle>[]) => {
      const state = { ...applyMessage(emptyState, { type: 'show', runs: handles }), picked: '*' as const };
      return chartedRunsOf(state, chartedRuns(state)).map(({ label }) => label);
    };
    expect(labels([handle('a', 0, 'x'), handle('b', 1, 'x')])).toEqual(['MaskSub seed 0', 'MaskSub seed 1']);
    expect(labels([handle('a', 0, 'x'), handle('b', 0, 'y')])).toEqual(['x MaskSub', 'y MaskSub']);
    expect(labels([handle('a', 0, 'x'), handle('b', 0, 'x')])).toEqual(['MaskSub', 'MaskSub (2)']);
  });
});

describe('without points', () => {
  test('there are no lines', () => {
    for (const one of charts) expect(linesOf(one, pair, new Map(), true)).toEqual([]);
  });
  test('a method with one branch is not waited for', () => {
    const alone: Facts = new Map([['m', { steps: facts(oneBranch), epochs: none, layers: none }]]);
    const text = (runs: ChartedRun[], own: Facts) => emptyText(chart('grad-ratio'), runs, own);
    expect(text(pair, alone)).toBe('MaskSub has one branch here: there is nothing to compare.');
    expect(text(pair, new Map())).toBe('Begins with the first step.');
    expect(text([run('baseline', 'b')], tables)).toMatch(/baseline has one branch/);
  });
});

test('any scalar can have a chart, also one with a hostile name', () => {
  const name = '"><script>alert(1)</script>';
  const own: Facts = new Map([['m', { steps: facts([name]), epochs: facts(['train.loss']), layers: none }]]);
  expect(scalarsOf(pair, own)).toEqual([
    { table: 'steps', name },
    { table: 'epochs', name: 'train.loss' },
  ]);
  const made = extraChart({ table: 'steps', name });
  expect(made.id).toMatch(/^extra-steps-[\w-]+$/);
  expect(linesOf(made, pair, own, true)).toHaveLength(1);
});

test('the charts speak the language that is set when they are asked for', () => {
  setLanguage({ 'Training loss': 'Trainings-Loss', 'Gradients by layer': 'Gradienten nach Schicht' });
  const titles = allCharts().map(({ title }) => title);
  setLanguage({});
  expect(titles).toEqual(expect.arrayContaining(['Trainings-Loss', 'Gradienten nach Schicht', 'Memory']));
  expect(chart('loss').title).toBe('Training loss');
});

test('numbers read as their unit wants it', () => {
  expect(chart('memory').format(1.5e9)).toBe('1.5 GB');
  expect(chart('accuracy').format(51.25)).toBe('51.3');
  expect(chart('grad-cosine').format(-0.5)).toBe('−0.50');
  expect(chart('accuracy').unit).toBe('Top-1, %');
  expect(chart('lr').unit).toBe(''); // its title says it
});
