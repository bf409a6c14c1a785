/** What the benchmarks of the step measure: models, batches, which rows of each, and how often it is repeated. */

import os from 'node:os';

/**
 * @typedef {'float32' | 'bfloat16'} Precision
 * @typedef {object} Work
 * @property {number} imageSize side of the images, in pixels
 * @property {number} channels
 * @property {number} classes
 * @property {number} batchSize
 * @property {number} maskRatio
 * @property {{patchSize: number, width: number, depth: number, heads: number, mlpRatio: number, pool: 'token' | 'mean', layerScale: number}} model
 * @property {number} warmup steps before the first that counts
 * @property {number} steps steps that count, in each process
 * @property {number} rounds processes of each kind, in turn
 * @property {readonly ('compare' | 'statistics' | 'pair' | 'recording' | 'memory')[]} rows
 * @property {readonly Precision[]} precisions of the comparison with PyTorch
 * @property {readonly number[]} threads of the comparison, none more than the machine has cores
 */

const cores = os.availableParallelism();
const base = /** @type {const} */ ({ maskRatio: 0.5, precisions: ['float32'], threads: [cores] });

/** The default experiment: the recipe `demo`. @type {Work} */
const demo = {
  ...base,
  imageSize: 28,
  channels: 1,
  classes: 10,
  batchSize: 32,
  model: { patchSize: 7, width: 64, depth: 4, heads: 2, mlpRatio: 2, pool: 'mean', layerScale: 1 },
  warmup: 20,
  steps: 80,
  rounds: 3,
  rows: ['compare', 'statistics', 'pair', 'recording', 'memory'],
  // In a pair each run has its share of the cores.
  threads: cores > 1 ? [1, cores] : [1],
};

/** ViT-S/16. Touvron et al. 2021 (https://arxiv.org/abs/2012.12877), table 1. @type {Work} */
const small = {
  ...base,
  imageSize: 224,
  channels: 3,
  classes: 1000,
  batchSize: 8,
  model: { patchSize: 16, width: 384, depth: 12, heads: 6, mlpRatio: 4, pool: 'token', layerScale: 1e-4 },
  warmup: 2,
  steps: 4,
  rounds: 3,
  rows: ['compare', 'statistics', 'pair'],
  precisions: ['float32', 'bfloat16'],
};

/** ViT-B/16, from the same table. @type {Work} */
const big = { ...small, model: { ...small.model, width: 768, heads: 12 }, rows: ['recording'], precisions: [] };

/** @type {Record<string, Work>} */
export const works = {
  'vit-demo': demo,
  'vit-demo-8': { ...demo, batchSize: 8, rows: ['compare'] },
  'vit-32': {
    ...base,
    imageSize: 32,
    channels: 3,
    classes: 10,
    batchSize: 64,
    model: { patchSize: 4, width: 192, depth: 6, heads: 3, mlpRatio: 4, pool: 'token', layerScale: 1e-4 },
    warmup: 2,
    steps: 8,
    rounds: 3,
    rows: ['compare', 'statistics', 'pair'],
    precisions: ['float32', 'bfloat16'],
  },
  'vit-s-224': small,
  'vit-b-224': big,
};

const onGpu = /** @type {const} */ ({
  batchSize: 128,
  warmup: 10,
  steps: 50,
  rows: ['compare'],
  precisions: ['bfloat16'],
});

/** What a GPU is measured with. @type {Record<string, Work>} */
export const gpuWorks = { 'vit-s-224': { ...small, ...onGpu }, 'vit-b-224': { ...big, ...onGpu } };

/**
 * A work with next to no repetition: to see that everything runs, not for figures.
 *
 * @param {Work} work
 * @returns {Work}
 */
export const quick = (work) => ({ ...work, warmup: 1, steps: 3, rounds: 1 });
