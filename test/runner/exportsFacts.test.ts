/** What an export says of a difference is what masksub compare and the dashboard say. */
import { expect, test } from 'vitest';
import { pairsByMethod, reality, verdicts } from '../../src/runner/exports/facts.ts';
import { type ExportedRun, groupRuns } from '../../src/runner/exports/runs.ts';
import { runWith } from '../core/examples.ts';

function runOf(role: 'baseline' | 'method', seed: number, top1: number, folder = '/runs'): ExportedRun {
  const state = { ...runWith(role, { 5: top1 }, { seed, pair: `e-s${seed}` }), state: 'finished' as const };
  const id = `e-s${seed}-${role}`;
  const metrics = {} as ExportedRun['metrics'];
  const config = { train: { seed } };
  return {
    ...{ id, folder: `${folder}/${id}`, state, metrics, summary: undefined, config },
    experiment: 'e',
    close() {},
  };
}

const runs = (folder?: string) =>
  [0.011, 0.009].flatMap((by, seed) => [runOf('baseline', seed, 0.8, folder), runOf('method', seed, 0.8 + by, folder)]);

test('a copied run is no further seed', () => {
  const once = [verdicts(runs()), reality(runs())];
  expect(once[0]?.join()).toContain('over 2 seeds');
  const copied = [...runs(), ...runs('/copy')];
  expect([verdicts(copied), reality(copied)]).toEqual(once);
  expect([...pairsByMethod(copied).values()].map(({ members }) => members.length)).toEqual([2]);
});

test('nor does it count in a band', () => {
  const sizes = (eachSeed: boolean) =>
    groupRuns([...runs(), ...runs('/copy')], eachSeed).map((group) => group.runs.length);
  expect(sizes(false)).toEqual([2, 2]);
  expect(sizes(true)).toHaveLength(8);
});
