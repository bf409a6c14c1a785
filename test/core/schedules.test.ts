/** Learning rates over time and depth: their ends, their shape. The values themselves are checked against timm in test/parity. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  dropPathRates,
  layerDecayScale,
  learningRateAt,
  timmCosine,
  type WarmupCosine,
  warmupConstant,
  warmupCosine,
} from '../../src/core/schedules.ts';

const base: WarmupCosine = {
  learningRate: 1e-3,
  minLearningRate: 1e-5,
  warmupEpochs: 5,
  warmupLearningRate: 1e-6,
  epochs: 100,
};

describe('the learning rate by epoch', () => {
  const perEpoch = {
    ...base,
    schedule: 'cosine',
    schedulePer: 'epoch',
    scheduleLag: false,
    warmupPrefix: true,
  } as const;
  test('stays through an epoch', () => {
    for (const step of [31, 35, 40]) expect(learningRateAt(step, 10, perEpoch)).toBe(warmupCosine(3, base));
    expect(learningRateAt(41, 10, perEpoch)).toBe(warmupCosine(4, base));
  });
  test('lags an epoch as the published code of DeiT-III: the first two have the warm-up rate', () => {
    const lagged = { ...perEpoch, scheduleLag: true };
    const rates = [0, 1, 2, 3].map((epoch) => learningRateAt(10 * epoch + 1, 10, lagged));
    expect(rates).toEqual([0, 0, 1, 2].map((epoch) => warmupCosine(epoch, base)));
  });
});

test('a cosine that the warm-up covers is that of timm: below its peak when the warm-up ends, and at the lowest at the end', () => {
  const covered = {
    ...base,
    schedule: 'cosine',
    schedulePer: 'step',
    scheduleLag: false,
    warmupPrefix: false,
  } as const;
  const timm = { ...base, warmup: 5, length: 100, warmupPrefix: false };
  for (const epoch of [0, 3, 5, 40, 99])
    expect(learningRateAt(10 * epoch + 1, 10, covered)).toBe(timmCosine(epoch, timm));
  expect(learningRateAt(51, 10, covered)).toBeLessThan(base.learningRate);
});

describe('the learning rate', () => {
  for (const [when, epoch, change, expected] of [
    ['starts at that of the warm-up', 0, {}, 1e-6],
    ['is half-way up in the middle of the warm-up', 2.5, {}, (1e-3 + 1e-6) / 2],
    ['reaches the peak after the warm-up', 5, {}, 1e-3],
    ['is half-way down in the middle of the cosine', 52.5, {}, (1e-3 + 1e-5) / 2],
    ['ends at the lowest', 100, {}, 1e-5],
    ['stays there', 130, {}, 1e-5],
    ['starts at the peak without a warm-up', 0, { warmupEpochs: 0 }, 1e-3],
    ['may warm up all the way', 100, { warmupEpochs: 100 }, 1e-3],
  ] as const) {
    test(when, () => expect(warmupCosine(epoch, { ...base, ...change })).toBeCloseTo(expected, 12));
  }
  test('rises over the warm-up and falls after it, without a jump', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 99.9, noNaN: true }), (epoch) => {
        const [now, next] = [warmupCosine(epoch, base), warmupCosine(epoch + 0.1, base)];
        if (epoch + 0.1 <= 5) expect(next).toBeGreaterThan(now);
        if (epoch >= 5) expect(next).toBeLessThanOrEqual(now);
        expect(Math.abs(next - now)).toBeLessThan(3e-5);
      }),
    );
  });
  test('stays at the peak where the schedule is constant', () => {
    expect(warmupConstant(2.5, base)).toBe(warmupCosine(2.5, base));
    expect([5, 50, 100].map((epoch) => warmupConstant(epoch, base))).toEqual([1e-3, 1e-3, 1e-3]);
  });
});

test("timm's prefix moves the cosine behind the warm-up", () => {
  const s = { learningRate: 1, minLearningRate: 0, warmup: 10, warmupLearningRate: 0, length: 100 };
  expect(timmCosine(10, { ...s, warmupPrefix: true })).toBe(1);
  expect(timmCosine(10, { ...s, warmupPrefix: false })).toBeCloseTo(0.5 * (1 + Math.cos(0.1 * Math.PI)), 12);
  expect(timmCosine(100, { ...s, warmupPrefix: true })).toBeGreaterThan(0);
  expect(timmCosine(100, { ...s, warmupPrefix: false })).toBe(0);
});

describe('drop-path rates', () => {
  test('are the same everywhere, or grow from 0 to the rate', () => {
    expect(dropPathRates(0.2, 3, 'constant')).toEqual([0.2, 0.2, 0.2]);
    expect(dropPathRates(0.2, 3, 'linear')).toEqual([0, 0.1, 0.2]);
    expect(dropPathRates(0.2, 1, 'linear')).toEqual([0]);
  });
});

describe('the layer-wise scale of the learning rate', () => {
  test.each([
    ['head.weight', 1],
    ['fc_norm.bias', 1],
    ['blocks.11.mlp.fc1.weight', 0.5],
    ['blocks.0.attn.qkv.weight', 0.5 ** 12],
    ['patch_embed.proj.weight', 0.5 ** 13],
    ['pos_embed', 0.5 ** 13],
    ['cls_token', 0.5 ** 13],
    ['norm_pre.weight', 0.5 ** 13],
    ['bert.embeddings.word_embeddings.weight', 0.5 ** 13],
    ['bert.encoder.layer.11.output.dense.weight', 0.5],
    ['bert.pooler.dense.weight', 1],
  ])('of %s', (name, expected) => expect(layerDecayScale(name, 12, 0.5)).toBeCloseTo(expected, 15));
});
