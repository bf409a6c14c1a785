/** Pairs of one config taken together over seeds, and what is tested of them. */
import { describe, expect, test } from 'vitest';
import { flattenConfig } from '../../src/core/flatten.ts';
import { isAside, judgeSet, pairSets, pairsAmong, type SeedPair } from '../../src/core/pairSets.ts';
import type { RunState } from '../../src/core/run.ts';
import { runWith } from './examples.ts';

const config = (ratio: number, seed: number) =>
  flattenConfig({
    name: `n${seed}`,
    method: { name: 'masksub', maskRatio: ratio },
    train: { seed },
    versions: { node: seed },
  });

function pair(
  experiment: string,
  seed: number,
  change: Partial<SeedPair & { difference: number; state: RunState['state'] }> = {},
): SeedPair {
  const { difference = 0.01, state = 'finished', ...rest } = change;
  const run = (role: 'baseline' | 'method', top1: number) => ({ ...runWith(role, { 5: top1 }, { seed }), state });
  const name = experiment;
  const runs = { baseline: run('baseline', 0.8), method: run('method', 0.8 + difference) };
  return { key: `${experiment}-s${seed}`, experiment, name, methodName: 'masksub', seed, ...runs, ...rest };
}

describe('pairs belong together', () => {
  test('by experiment where their configs are not known', () => {
    const sets = pairSets([pair('b', 1), pair('a', 0), pair('b', 0)]);
    expect(sets.map(({ pairs }) => pairs.map(({ key }) => key))).toEqual([['b-s0', 'b-s1'], ['a-s0']]);
  });
  test('by config, whatever differs between seeds, names and machines', () => {
    const sets = pairSets([
      pair('a', 0, { config: config(0.5, 0) }),
      pair('later', 1, { config: config(0.5, 1) }),
      pair('other', 0, { config: config(0.75, 0) }),
    ]);
    expect(sets.map(({ experiments }) => experiments)).toEqual([['a', 'later'], ['other']]);
    expect(['train.seed', 'run.threads', 'machine.threads'].filter(isAside)).toHaveLength(3);
    expect(['run.precision', 'train.epochs', 'method.name', 'dataHash'].filter(isAside)).toEqual([]);
  });
  test('not where the data at one path were changed', () => {
    const on = (dataHash: string, seed: number) => ({ config: { ...config(0.5, seed), dataHash } });
    const sets = pairSets([pair('a', 0, on('sha256:1', 0)), pair('b', 1, on('sha256:2', 1))]);
    expect(sets.map(({ pairs }) => pairs.length)).toEqual([1, 1]);
  });
  test('with each seed once, a finished one first', () => {
    const [set] = pairSets([
      pair('a', 0, { config: config(0.5, 0) }),
      pair('again', 0, { config: config(0.5, 0), state: 'running' }),
    ]);
    expect(set?.pairs.map(({ key }) => key)).toEqual(['a-s0']);
    expect(set?.repeated).toBe(1);
  });
});

describe('a pair is', () => {
  const run = (role: 'baseline' | 'method', pairName: string | undefined, parent = '/runs') => ({
    folder: `${parent}/${role}`,
    experiment: 'e',
    state: runWith(role, { 1: 0.5 }, { pair: pairName }),
  });
  test('two runs that say so, not two of one seed', () => {
    expect(pairsAmong([run('baseline', undefined), run('method', undefined)])).toEqual([]);
    expect(pairsAmong([run('baseline', 'e-s0'), run('method', 'other-s0')])).toEqual([]);
    expect(pairsAmong([run('baseline', 'e-s0'), run('method', 'e-s0')])).toHaveLength(1);
  });
  test('of one folder where there are copies', () => {
    const runs = [run('baseline', 'e-s0', '/copy'), run('baseline', 'e-s0'), run('method', 'e-s0')];
    expect(pairsAmong(runs)[0]?.runs[0]).toBe(runs[1]);
  });
});

describe('of a set', () => {
  const differences = [0.011, 0.009, 0.012, 0.01];
  test('the finished pairs are tested, those that go on are shown', () => {
    const pairs = [
      ...differences.map((difference, seed) => pair('a', seed, { difference })),
      pair('a', 4, { difference: -0.5, state: 'running' }),
    ];
    const { reality, judged } = judgeSet({ pairs });
    expect(reality).toMatchObject({ verdict: 'better', test: { n: 4, mean: expect.closeTo(1.05, 9) } });
    expect(reality.sentences.at(-1)).toBe('1 pair that has not finished is left out.');
    expect(judged.map(({ isFinished }) => isFinished)).toEqual([true, true, true, true, false]);
  });
  test('one seed is judged by the noise of its validation set alone', () => {
    const { verdict, sentences } = judgeSet({ pairs: [pair('a', 0, { difference: 0.05 })] }).reality;
    expect(verdict).toBe('not yet');
    expect(sentences.join(' ')).toMatch(/beyond the sampling noise/);
  });
});
