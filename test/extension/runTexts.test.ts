/** The run list tells how each run stands, and how method and baseline stand to each other. */
import { describe, expect, test } from 'vitest';
import { emptyRun, reduceRunAll } from '../../src/core/run.ts';
import { experimentDescription, runDescription, type Standing } from '../../src/extension/runTexts.ts';
import type { RunListing } from '../../src/store/runReader.ts';
import { epochEvent, startEvent, stepEvent } from '../core/examples.ts';

const run = (role: 'baseline' | 'method', seed: number, state: RunListing['state']): RunListing => ({
  id: `e-s${seed}-${role}`,
  folder: `/runs/e-s${seed}-${role}`,
  name: 'e',
  method: role === 'baseline' ? 'baseline' : 'masksub',
  role,
  pair: `e-s${seed}`,
  seed,
  dataset: 'fashion-mnist-mini',
  at: '2026-01-31T12:00:00.000Z',
  state,
});
/** Validated after each epoch with these top-1, and at a step of the next. */
const living = (...top1: number[]) =>
  reduceRunAll(emptyRun('a'), [
    startEvent(),
    ...top1.map((value, i) => epochEvent(i + 1, { top1: value })),
    stepEvent(25, { t: 50 }),
  ]);

describe('a run', () => {
  for (const [title, state, standing, said] of [
    [
      'that lives: progress, time left, newest top-1',
      'running',
      { living: living(0.5, 0.6) },
      /^Running · epoch 3 of 10, 2 min 30 s left · 60\.0.%$/,
    ],
    ['before its first step', 'starting', {}, /^Starting$/],
    ['that is over: what it came to', 'finished', { top1: 0.804 }, /^Finished · 80\.4.%$/],
    ['that failed before it was validated', 'failed', {}, /^Failed$/],
  ] as const) {
    test(title, () => expect(runDescription({ state }, standing)).toMatch(said));
  }
});

describe('an experiment', () => {
  const describeRuns = (state: RunListing['state'], standings: ReadonlyMap<RunListing, Standing>) =>
    experimentDescription({ state, runs: [...standings.keys()] }, (one) => standings.get(one) ?? {});

  test('that is over: method minus baseline', () => {
    const standings = new Map([
      [run('baseline', 0, 'finished'), { top1: 0.8 }],
      [run('method', 0, 'finished'), { top1: 0.788 }],
    ]);
    expect(describeRuns('finished', standings)).toBe('Finished · −1.2 points');
  });

  test('whose difference rounds to nothing: neither sign', () => {
    const standings = new Map([
      [run('baseline', 0, 'finished'), { top1: 0.8 }],
      [run('method', 0, 'finished'), { top1: 0.7999 }],
    ]);
    expect(describeRuns('finished', standings)).toBe('Finished · ±0.0 points');
  });

  test('of several seeds: the mean over its pairs', () => {
    const standings = new Map(
      [0, 1].flatMap((seed) => [
        [run('baseline', seed, 'finished'), { top1: 0.8 }] as const,
        [run('method', seed, 'finished'), { top1: 0.81 + 0.01 * seed }] as const,
      ]),
    );
    expect(describeRuns('finished', standings)).toBe('Finished · +1.5 points over 2 seeds');
  });

  test('that lives: at the newest epoch that both have reached', () => {
    const standings = new Map([
      [run('baseline', 0, 'running'), { living: living(0.5) }],
      [run('method', 0, 'running'), { living: living(0.52, 0.9) }],
    ]);
    expect(describeRuns('running', standings)).toMatch(/ · \+2\.0 points$/);
  });

  test('of which one run is ahead of the other: no difference', () => {
    const standings = new Map([
      [run('baseline', 0, 'finished'), { top1: 0.8 }],
      [run('method', 0, 'running'), { living: living(0.5) }],
    ]);
    expect(describeRuns('running', standings)).not.toContain('points');
  });
});
