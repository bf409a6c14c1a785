/** What the benchmarks of the step measure: models, batches, which rows of each, and how often it is repeated. */

import os from 'node:os';

/**
 * @typedef {'float32' | 'bfloat16'} Precision
 * @typedef {object} Images what an image model sees
 * @property {number} imageSize side in pixels
 * @property {number} channels
 */
/**
 * @typedef {object} Texts what BERT sees
 * @property {number} length tokens of a sequence
 */
/**
 * @typedef {object} Common
 * @property {number} classes
 * @property {number} batchSize
 * @property {number} maskRatio
 * @property {import('../../src/core/configSchema.ts').ConfigInput['model']} model as in a config; step_models.py reads it, too
 * @property {number} warmup steps before the first that counts
 * @property {number} steps steps that count, in each process
 * @property {number} rounds processes of each kind, in turn
 * @property {readonly ('compare' | 'statistics' | 'pair' | 'recording' | 'memory')[]} rows
 * @property {readonly Precision[]} precisions of the comparison with PyTorch
 * @property {readonly number[]} threads of the comparison, none more than the machine has cores
 */
/**
 * @typedef {Common & Images} ImageWork
 * @typedef {Common & Texts} TextWork
 * @typedef {ImageWork | TextWork} Work
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
  model: { name: 'vit', patchSize: 7, width: 64, depth: 4, heads: 2, mlpRatio: 2, pool: 'mean', layerScale: 1 },
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
  model: { name: 'vit', patchSize: 16, width: 384, depth: 12, heads: 6, mlpRatio: 4, pool: 'token', layerScale: 1e-4 },
  warmup: 2,
  steps: 4,
  rounds: 3,
  rows: ['compare', 'statistics', 'pair'],
  precisions: ['float32', 'bfloat16'],
};

/** ViT-B/16, from the same table. @type {Work} */
const big = { ...small, model: { ...small.model, width: 768, heads: 12 }, rows: ['recording'], precisions: [] };

/** Another family beside the ViT: steps of seconds, so few of them. */
const family = /** @type {const} */ ({
  ...base,
  classes: 1000,
  batchSize: 8,
  warmup: 2,
  steps: 4,
  rounds: 3,
  rows: ['compare'],
});

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
    model: { name: 'vit', patchSize: 4, width: 192, depth: 6, heads: 3, mlpRatio: 4, pool: 'token', layerScale: 1e-4 },
    warmup: 2,
    steps: 8,
    rounds: 3,
    rows: ['compare', 'statistics', 'pair'],
    precisions: ['float32', 'bfloat16'],
  },
  'vit-s-224': small,
  'vit-b-224': big,
  'resnet-50': { ...family, imageSize: 224, channels: 3, model: { name: 'resnet', size: '50' } },
  'swin-t': { ...family, imageSize: 224, channels: 3, model: { name: 'swin', size: 't', dropPath: 0 } },
  // Without dropout on both sides: ours takes its draws from the host, PyTorch makes its own, and that is not what is compared.
  'bert-base': { ...family, classes: 2, length: 128, model: { name: 'bert', size: 'base', dropout: 0 } },
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
