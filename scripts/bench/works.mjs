/** What the step benchmark measures: models, batches, and how often each is repeated. */

/**
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
 */

const masked = { maskRatio: 0.5 };

/** @type {Record<string, Work>} */
export const works = {
  // The default experiment: the recipe `demo`.
  'vit-demo': {
    ...masked,
    imageSize: 28,
    channels: 1,
    classes: 10,
    batchSize: 32,
    model: { patchSize: 7, width: 64, depth: 4, heads: 2, mlpRatio: 2, pool: 'mean', layerScale: 1 },
    warmup: 20,
    steps: 80,
    rounds: 3,
  },
  'vit-32': {
    ...masked,
    imageSize: 32,
    channels: 3,
    classes: 10,
    batchSize: 64,
    model: { patchSize: 4, width: 192, depth: 6, heads: 3, mlpRatio: 4, pool: 'token', layerScale: 1e-4 },
    warmup: 2,
    steps: 6,
    rounds: 3,
  },
  // ViT-S/16. Touvron et al. 2021, table 1.
  'vit-s-224': {
    ...masked,
    imageSize: 224,
    channels: 3,
    classes: 1000,
    batchSize: 8,
    model: { patchSize: 16, width: 384, depth: 12, heads: 6, mlpRatio: 4, pool: 'token', layerScale: 1e-4 },
    warmup: 1,
    steps: 3,
    rounds: 2,
  },
};

/** The same works with next to no repetition: to see that everything runs, not for figures. */
export const quickWorks = Object.fromEntries(
  Object.entries(works).map(([name, work]) => [name, { ...work, warmup: 1, steps: 3, rounds: 1 }]),
);
