/** What the page Compare says of the runs that are shown. */
import { describe, expect, test } from 'vitest';
import { flattenConfig } from '../../src/core/flatten.ts';
import type { RunHandle } from '../../src/core/messages.ts';
import { noAnnotation, type RunRow } from '../../src/core/runRow.ts';
import {
  differenceView,
  groupKeys,
  groupRows,
  newsOf,
  rangeOf,
  setsOf,
  setTitles,
  stacked,
} from '../../webview/compare/model.ts';
import { amount, costText, signed } from '../../webview/compare/tables.ts';
import { applyMessage, type DashboardState, emptyState } from '../../webview/state.ts';
import { epochEvent, startEvent, stepEvent } from '../core/examples.ts';

type Seed = readonly [
  experiment: string,
  seed: number,
  ratio: number,
  baseline: readonly number[],
  method: readonly number[],
];

/** Runs that were validated after epochs 1, 2, … with those top-1. */
function stateOf(seeds: readonly Seed[], withRows = true): DashboardState {
  const runs = seeds.flatMap(([experiment, seed, ratio, baseline, method]) =>
    (['baseline', 'method'] as const).map((role) => {
      const name = role === 'method' ? 'masksub' : 'baseline';
      const pair = `${experiment}-s${seed}`;
      const handle: RunHandle = {
        id: `${pair}-${name}`,
        name: experiment,
        method: name,
        role,
        pair,
        experiment,
        seed,
        lost: false,
      };
      const maskRatio = role === 'method' ? { maskRatio: ratio } : {};
      const config = flattenConfig({ method: { name, ...maskRatio }, train: { seed } });
      const row: RunRow = { ...handle, dataset: 'd', at: '', state: 'running', config, ...noAnnotation };
      return { handle, row, top1: role === 'method' ? method : baseline };
    }),
  );
  const shown = applyMessage(emptyState, { type: 'show', runs: runs.map(({ handle }) => handle) });
  const told = runs.reduce((state, { handle, top1 }) => {
    const { id: run, seed, role, method } = handle;
    const events = [
      startEvent({ run, seed, role, method }),
      ...top1.map((value, i) => epochEvent(i + 1, { top1: value })),
      stepEvent(10 * top1.length, { flops: (role === 'method' ? 200 : 100) * top1.length }),
    ];
    return applyMessage(state, { type: 'events', run, events });
  }, shown);
  return withRows ? applyMessage(told, { type: 'rows', rows: runs.map(({ row }) => row) }) : told;
}

const near = (value: number) => expect.closeTo(value, 9);

describe('comparisons', () => {
  const state = stateOf([
    ['a', 0, 0.5, [0.5], [0.6]],
    ['a', 1, 0.5, [0.5], [0.6]],
    ['b', 0, 0.75, [0.5], [0.6]],
    ['c', 2, 0.5, [0.5], [0.6]],
  ]);
  test('are the pairs of one config, also of several experiments', () => {
    expect(setsOf(state).map(({ pairs }) => pairs.map(({ key }) => key))).toEqual([['a-s0', 'a-s1', 'c-s2'], ['b-s0']]);
    expect(setTitles(setsOf(state))).toEqual(['a: MaskSub', 'b: MaskSub']);
  });
  test('begin with that of the picked pair', () => {
    expect(setsOf({ ...state, picked: 'b-s0' })[0]?.name).toBe('b');
  });
  test('are told apart where names are equal', () => {
    const [a] = setsOf(state);
    expect(a && setTitles([a, { ...a, experiments: ['z'] }])).toEqual(['a: MaskSub (a, c)', 'a: MaskSub (z)']);
  });
  test('are none without a baseline', () => {
    expect(setsOf(emptyState)).toEqual([]);
    const alone = applyMessage(emptyState, {
      type: 'show',
      runs: state.handles.filter(({ role }) => role === 'method'),
    });
    expect(setsOf(alone)).toEqual([]);
  });
  test('need no rows of the table', () => {
    expect(setsOf(stateOf([['a', 0, 0.5, [0.5], [0.6]]], false))).toHaveLength(1);
  });
});

describe('the difference', () => {
  const [set] = setsOf(
    stateOf([
      ['a', 0, 0.5, [0.5, 0.6, 0.7], [0.6, 0.7, 0.9]],
      ['a', 1, 0.5, [0.5, 0.6], [0.6, 0.62]],
    ]),
  );
  if (!set) throw new Error('There is a comparison.');
  test('is in points, with mean, deviation and number of seeds', () => {
    const { seeds, band } = differenceView(set, 'top1', 'epoch');
    expect(seeds.map(({ seed, points }) => [seed, points.map(({ y }) => y)])).toEqual([
      [0, [near(10), near(10), near(20)]],
      [1, [near(10), near(2)]],
    ]);
    expect(band.map(({ mean, count }) => [mean, count])).toEqual([
      [near(10), 2],
      [near(6), 2],
      [near(20), 1],
    ]);
  });
  test('at equal compute ends where the baseline ends', () => {
    const { seeds } = differenceView(set, 'top1', 'flops');
    expect(seeds.map(({ points }) => points.map(({ x, y }) => [x, y]))).toEqual([[[200, near(0)]], [[200, near(0)]]]);
  });
  test('of a metric that the baseline lacks is empty', () => {
    expect(differenceView(set, 'maskedTop1', 'epoch').band).toEqual([]);
  });
  test('is drawn with 0 and the whole band in view', () => {
    const [low, high] = rangeOf(differenceView(set, 'top1', 'epoch'));
    expect(low).toBeLessThan(0);
    expect(high).toBeGreaterThan(20);
    expect(rangeOf(differenceView(set, 'trainLoss', 'epoch')).every(Number.isFinite)).toBe(true);
  });
});

describe('groups', () => {
  const state = stateOf([
    ['a', 0, 0.5, [0.5], [0.6]],
    ['a', 1, 0.5, [0.5], [0.64]],
    ['b', 0, 0.25, [0.5], []],
  ]);
  test('are by the keys in which configs differ, the method last', () => {
    expect(groupKeys(state)).toEqual(['method.maskRatio', 'method.name']);
    expect(groupKeys(emptyState)).toEqual([]);
  });
  test('have accuracy and difference to the baseline, each with its deviation and number', () => {
    const rows = groupRows(state, 'method.maskRatio');
    expect(rows.map(({ value, methodName, runs, validated }) => [value, methodName, runs, validated])).toEqual([
      [0.25, 'masksub', 1, 0],
      [0.5, 'masksub', 2, 2],
      [undefined, 'baseline', 3, 3],
    ]);
    expect(rows[1]).toMatchObject({ top1: near(0.62), differences: 2, difference: near(12) });
    expect(rows[1]?.deviation).toBeCloseTo(0.0283, 4);
    expect(rows[0]).toMatchObject({ differences: 0 });
  });
});

test('there is news when something was validated or ended, not with each step', () => {
  const state = stateOf([['a', 0, 0.5, [0.5], [0.6]]]);
  const run = 'a-s0-masksub';
  const after = (event: Parameters<typeof applyMessage>[1]) => newsOf(applyMessage(state, event));
  expect(after({ type: 'events', run, events: [stepEvent(11)] })).toBe(newsOf(state));
  expect(after({ type: 'events', run, events: [epochEvent(2)] })).not.toBe(newsOf(state));
  expect(after({ type: 'lost', run })).not.toBe(newsOf(state));
});

test('dots at one place stand on each other', () => {
  expect(stacked([0.5, 0.2, 0.51, 0.5])).toEqual([0, 0, 1, 2]);
});

test('numbers read as people write them', () => {
  expect([signed({ isAccuracy: true }, -0.123), signed({ isAccuracy: false }, 0.01234)]).toEqual(['−0.12', '+0.0123']);
  expect(amount({ isAccuracy: true }, 1)).toBe('1.00');
  expect([costText('epoch', 12), costText('epoch', 12.34), costText('time', 75)]).toEqual(['12', '12.3', '1 min 15 s']);
  expect([costText('flops', 1.5e15), costText('flops', Number.NaN)]).toEqual(['1.50 PFLOP', '–']);
});
