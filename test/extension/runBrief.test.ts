/** A language model is told of runs in numbers, and warned of what they don't show. */
import { describe, expect, test } from 'vitest';
import { briefOf, compareBrief } from '../../src/extension/runBrief.ts';
import type { RunOutline } from '../../src/extension/runOutline.ts';
import { runWith, startEvent } from '../core/examples.ts';

const outline = (role: 'baseline' | 'method', top1: number, seed = 0): RunOutline => ({
  id: `e-s${seed}-${role}`,
  folder: `/runs/e-s${seed}-${role}`,
  state: runWith(role, Object.fromEntries(Array.from({ length: 40 }, (_, i) => [i + 1, top1])), {
    seed,
    pair: `e-s${seed}`,
    epochs: 40,
  }),
});

test('of a long run some epochs, first and last among them', () => {
  const lines = briefOf(outline('method', 0.5)).split('\n');
  const epochs = lines.filter((line) => /^\d+: /.test(line));
  expect(epochs).toHaveLength(12);
  expect([epochs[0]?.split(':')[0], epochs.at(-1)?.split(':')[0]]).toEqual(['1', '40']);
});

/** The same after its end. */
const finished = (run: RunOutline): RunOutline => ({ ...run, state: { ...run.state, state: 'finished' } });

test('a pair is compared, and one seed is not enough', () => {
  const said = compareBrief([outline('baseline', 0.5), outline('method', 0.6)].map(finished));
  expect(said).toContain('MaskSub leads the baseline by 10.0 points');
  expect(said).toContain('Is it real (MaskSub, paired over seeds)? not yet.');
});

test('seeds are tested together', () => {
  const runs = [0, 1, 2, 3].flatMap((seed) => [
    outline('baseline', 0.5, seed),
    outline('method', 0.6 + seed / 1000, seed),
  ]);
  expect(compareBrief(runs.map(finished))).toContain('paired over seeds)? better.');
});

test('of pairs that still train nothing is concluded', () => {
  const runs = [0, 1, 2].flatMap((seed) => [
    outline('baseline', 0.5, seed),
    outline('method', 0.6 + seed / 1000, seed),
  ]);
  expect(compareBrief(runs)).toContain('paired over seeds)? not yet.');
});

test('runs without a pair have no difference', () => {
  expect(compareBrief([outline('method', 0.5), outline('method', 0.6, 1)])).toContain('no difference is told');
});

describe('not one test over', () => {
  const of = (name: string, role: 'baseline' | 'method', top1: number, seed: number, dataset: string): RunOutline => {
    const run = finished(outline(role, top1, seed));
    const start = run.state.start && { ...run.state.start, pair: `${name}-s${seed}`, dataset };
    const state = start ? { ...run.state, start } : run.state;
    return { ...run, id: `${name}-s${seed}-${role}`, state, config: { data: { name: dataset } } };
  };
  const both = (name: string, seed: number, dataset: string, by = 0.1 + seed / 1000) => [
    of(name, 'baseline', 0.5, seed, dataset),
    of(name, 'method', 0.5 + by, seed, dataset),
  ];
  test('data sets', () => {
    const said = compareBrief([...both('a', 0, 'mnist'), ...both('b', 1, 'cifar10')]);
    expect(said.match(/Is it real \(MaskSub of [ab], paired over seeds\)\? not yet\./g)).toHaveLength(2);
    expect(said).not.toContain('better');
  });
  test('a seed twice', () => {
    const said = compareBrief([...both('a', 0, 'mnist'), ...both('b', 0, 'mnist', 0.101)]);
    expect(said).toContain('paired over seeds)? not yet.');
    expect(said).toContain('1 more of these pairs repeat a seed');
  });
  test('unrelated runs of one seed', () => {
    const alone = both('a', 0, 'mnist').map(({ state, ...run }) => {
      const { pair: _, ...start } = state.start ?? startEvent();
      return { ...run, state: { ...state, start } };
    });
    expect(compareBrief(alone)).toContain('no difference is told');
  });
});
