/** Whoever is asked to start an experiment is told what it costs, by runs of the same model. */
import { expect, test } from 'vitest';
import { describeCost, earlierCosts } from '../../src/extension/costEstimate.ts';
import type { RunListing } from '../../src/store/runReader.ts';
import { temporaryFolder } from '../store/temporaryFolder.ts';
import { summaryOf, writeRunFolder } from './runFolders.ts';

const config = {
  name: 'e',
  method: { name: 'masksub' },
  compare: { baseline: true, seeds: [0, 1] },
  data: { dataset: 'fashion-mnist-mini' },
  model: { name: 'vit', width: 64 },
  train: { epochs: 20, batchSize: 32 },
};
const earlier = (model: object): RunListing[] => {
  const out = temporaryFolder();
  return (['baseline', 'method'] as const).map((role) => ({
    id: role,
    folder: writeRunFolder(out, role, { config: { ...config, model }, summary: summaryOf(0.8) }),
    name: 'e',
    method: role,
    role,
    pair: 'p',
    seed: 0,
    dataset: 'fashion-mnist-mini',
    at: '',
    state: 'finished',
  }));
};

test('from earlier runs: samples, time and operations', () => {
  const said = describeCost(config, earlierCosts(config, earlier({ width: 64, name: 'vit' })));
  expect(said).toContain('Trains 4 runs (Baseline, MaskSub; seeds 0, 1) for 20 epochs each');
  expect(said).toContain('1,000 samples');
  // 50 s for 10 epochs of a pair: 20 epochs for each of two seeds; 2·10¹² for 10 epochs of a run, four times 20.
  expect(said).toContain('3 min 20 s');
  expect(said).toContain('1.6·10¹³ FLOP');
});

test('another model tells nothing', () => {
  const said = describeCost(config, earlierCosts(config, earlier({ name: 'vit', width: 32 })));
  expect(said).toContain('No earlier run of this model tells');
});
