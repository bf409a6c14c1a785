/** Runs find together again that were started together. */
import { describe, expect, test } from 'vitest';
import { experimentOf, newExperimentId } from '../../src/core/experiment.ts';
import { expectedRuns, groupExperiments, handleOf } from '../../src/extension/experiments.ts';
import type { RunListing } from '../../src/store/runReader.ts';

const listing = (id: string, changes: Partial<RunListing> = {}): RunListing => ({
  id,
  folder: `/runs/${id}`,
  name: 'fashion-vit',
  method: 'masksub',
  role: 'method',
  pair: undefined,
  seed: 0,
  dataset: 'fashion-mnist-mini',
  at: '2026-01-31T12:00:00.000Z',
  state: 'finished',
  ...changes,
});

const config = (method: string, baseline: boolean, seeds: readonly number[]) => ({
  name: 'fashion-vit',
  method: { name: method },
  compare: { baseline, seeds },
});

describe('the runs to expect of a config', () => {
  for (const [title, given, ids] of [
    ['a pair', config('masksub', true, [3]), ['e-s3-baseline', 'e-s3-masksub']],
    [
      'a pair for each seed',
      config('masksub', true, [0, 1]),
      ['e-s0-baseline', 'e-s0-masksub', 'e-s1-baseline', 'e-s1-masksub'],
    ],
    ['a method alone', config('masksub', false, [0]), ['e-s0-masksub']],
    ['a baseline alone', config('baseline', true, [0]), ['e-s0-baseline']],
  ] as const) {
    test(title, () => {
      const runs = expectedRuns('e', given);
      expect(runs.map(({ id }) => id)).toEqual(ids);
      // However they are found later, they belong to the same experiment.
      for (const { id, pair } of runs) expect(experimentOf({ id, pair })).toBe('e');
      for (const { id } of runs) expect(experimentOf({ id, pair: undefined })).toBe('e');
    });
  }
});

describe('groups', () => {
  const id = '20260131-120000-fashion-s2-vit'; // a name may look like a seed
  const runs = [
    listing(`${id}-s1-masksub`, { seed: 1, pair: `${id}-s1`, state: 'running', at: '2026-01-31T12:05:00.000Z' }),
    listing(`${id}-s0-masksub`, { pair: `${id}-s0` }),
    listing(`${id}-s0-baseline`, { pair: `${id}-s0`, role: 'baseline', method: 'baseline' }),
    listing('20260201-120000-other-s0-masksub', { at: '2026-02-01T12:00:00.000Z', state: 'failed' }),
  ];
  const [newest, older] = groupExperiments(runs);

  test('the newest experiment comes first', () => {
    expect([newest?.id, older?.id]).toEqual(['20260201-120000-other', id]);
  });

  test('its runs stand by seed, the baseline first', () => {
    expect(older?.runs.map((run) => run.id.slice(id.length))).toEqual(['-s0-baseline', '-s0-masksub', '-s1-masksub']);
  });

  test('it began with its first run, and lives while one of them does', () => {
    expect(older).toMatchObject({ at: '2026-01-31T12:00:00.000Z', state: 'running' });
  });
});

test('only a lost run is told of as lost', () => {
  expect(handleOf(listing('a', { state: 'lost' })).lost).toBe(true);
  expect(handleOf(listing('a', { state: 'failed' })).lost).toBe(false);
});

test('an id sorts by time and holds no character that a folder may not', () => {
  expect(newExperimentId('Fashion ViT / ½', new Date('2026-01-31T23:59:59.999Z'))).toBe('20260131-235959-fashion-vit');
  expect(newExperimentId('★', new Date('2026-01-31T23:59:59Z'))).toBe('20260131-235959');
});
