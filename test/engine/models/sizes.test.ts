/** The parameters of every named size, as published or counted by hand. */
import { describe, expect, test } from 'vitest';
import type { ConfigInput } from '../../../src/core/configSchema.ts';
import { type ModelName, modelSizes, resolveModel } from '../../../src/core/modelConfig.ts';
import { models } from '../../../src/engine/models/index.ts';
import type { ImageShape, Model } from '../../../src/engine/models/model.ts';
import { sizeOf } from '../../../src/engine/parameters.ts';

/** At 1000 classes and images of 224 × 224 in color; BERT at 2 classes. */
const published: { readonly [Name in ModelName]: Readonly<Record<keyof (typeof modelSizes)[Name], number>> } = {
  // timm, deit3_{small,base,large,huge}_patch{16,14}_224; there is no deit3_tiny: counted by `deit3` below.
  vit: {
    'ti/16': 5_721_832,
    's/16': 22_059_496,
    'b/16': 86_585_320,
    'l/16': 304_374_760,
    'h/14': 632_126_440,
  },
  // torchvision and timm, resnet{50,101,152}.
  resnet: { '50': 25_557_032, '101': 44_549_160, '152': 60_192_808 },
  // timm, swin_{tiny,small,base}_patch4_window7_224, and the mask token, which is as wide as the first stage.
  swin: { t: 28_288_354 + 96, s: 49_606_258 + 96, b: 87_768_224 + 128 },
  // transformers, BertForSequenceClassification of google-bert/bert-base-uncased and google/bert_uncased_L-4_H-512_A-8.
  bert: { base: 109_483_778, small: 28_764_674 },
};

describe.each(Object.keys(published) as ModelName[])('%s', (name) => {
  test('has a number for every named size', () => {
    expect(Object.keys(published[name])).toEqual(Object.keys(modelSizes[name]));
  });

  test.each(Object.entries(published[name]))(`${name} %s`, (size, parameters) => {
    expect(parametersOf(named(name, size))).toBe(parameters);
  });
});

describe('the Vision Transformer, counted term by term,', () => {
  test.each(Object.entries(modelSizes.vit))('%s', (size, sizes) => {
    const ofForm = (keys: Partial<ConfigInput['model']>) => parametersOf(named('vit', size, keys));
    expect(published.vit[size as keyof typeof modelSizes.vit], 'the table').toBe(deit3(sizes));
    expect(ofForm({}), 'deit3').toBe(deit3(sizes));
    const { width, depth, heads, patchSize } = sizes;
    const patches = (224 / patchSize) ** 2;
    const scales = 2 * width * depth;
    // No class token.
    expect(ofForm({ pool: 'mean' }), 'deit3 with mean pooling').toBe(deit3(sizes) - width);
    // A position for the class token, no layer scale.
    const mae = deit3(sizes) + width - scales;
    expect(ofForm({ form: 'mae' }), 'mae').toBe(mae);
    // A norm before the blocks, and no bias of the patch embedding.
    expect(ofForm({ form: 'clip' }), 'clip').toBe(mae + 2 * width - width);
    // Tables in place of positions, and no bias of the keys.
    const table = ((2 * Math.sqrt(patches) - 1) ** 2 + 3) * heads;
    expect(ofForm({ form: 'beit' }), 'beit').toBe(deit3(sizes) - patches * width + depth * (table - width));
  });

  // timm: vit_base_patch16_224, beit_base_patch16_224, vit_large_patch16_224, beit_large_patch16_224 at 1000 classes.
  test.each([
    ['mae', 'b/16', 86_567_656],
    ['beit', 'b/16', 86_530_984],
    ['mae', 'l/16', 304_326_632],
    ['beit', 'l/16', 304_430_568],
  ] as const)('%s %s', (form, size, parameters) => {
    expect(parametersOf(named('vit', size, { form }))).toBe(parameters);
  });
});

/** Weights of the DeiT-III form with a class token. */
function deit3({ width, depth, patchSize }: { width: number; depth: number; patchSize: number }): number {
  const patches = (224 / patchSize) ** 2;
  const linear = (input: number, output: number) => (input + 1) * output;
  const norm = 2 * width;
  const attention = linear(width, 3 * width) + linear(width, width);
  const mlp = linear(width, 4 * width) + linear(4 * width, width);
  const layerScale = width;
  const block = norm + attention + layerScale + norm + mlp + layerScale;
  const classToken = width;
  const embedding = linear(3 * patchSize ** 2, width) + classToken + patches * width;
  return embedding + depth * block + norm + linear(width, 1000);
}

function named(name: ModelName, size: string, keys: Partial<ConfigInput['model']> = {}): Model {
  const build = models[name] as (config: object, input: ImageShape) => Model;
  const classes = name === 'bert' ? 2 : 1000;
  return build(resolveModel({ ...keys, name, size }), { imageSize: 224, channels: 3, classes });
}

const parametersOf = ({ parameters }: Model) => parameters.reduce((sum, spec) => sum + sizeOf(spec), 0);
