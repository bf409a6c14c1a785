/** Swin agrees with timm: window tables, parameters, logits and gradients. */
import fs from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { modelSizes } from '../../../src/core/modelConfig.ts';
import { type SwinConfig, swin } from '../../../src/engine/models/swin.ts';
import { blockedPairs, relativePositionIndex } from '../../../src/engine/ops/windows.ts';
import { sizeOf } from '../../../src/engine/parameters.ts';
import { loadBackend } from '../../../src/runner/backend.ts';
import { numbersOf, type OracleCase, openOracle } from '../../../src/runner/parity/oracle.ts';

const oracle = openOracle('test/parity/oracle');

beforeAll(async () => {
  await loadBackend('tensorflow');
});

describe('the tables of a window', () => {
  const units = oracle.tensors('units/ops.safetensors');

  test.each([3, 4])('relative positions in a window of %i', (window) => {
    expect([...relativePositionIndex(window)]).toEqual([...numbersOf(units, `swin.rel_index.win${window}`)]);
  });

  test.each([
    { side: 6, window: 3, shift: 1 },
    { side: 8, window: 4, shift: 2 },
  ])('pairs that a shift brings together: %o', (grid) => {
    const name = `swin.blocked.res${grid.side}_win${grid.window}_shift${grid.shift}`;
    expect([...blockedPairs(grid)]).toEqual([...numbersOf(units, name)]);
  });
});

const named = (size: keyof typeof modelSizes.swin) =>
  swin({
    ...modelSizes.swin[size],
    imageSize: 224,
    channels: 3,
    classes: 1000,
    patchSize: 4,
    window: 7,
    mlpRatio: 4,
    maskPatch: 32,
    dropPath: 0.2,
  });

test.each([
  ['t', 28_288_354, 4.5],
  ['s', 49_606_258, 8.7],
  ['b', 87_768_224, 15.4],
] as const)('Swin-%s has the parameters of timm and the cost of the paper', (size, parameters, billions) => {
  const model = named(size);
  const count = model.parameters.reduce((sum, spec) => sum + sizeOf(spec), 0);
  expect(count).toBe(parameters + modelSizes.swin[size].width); // timm has no mask token
  // The paper counts a multiply-add as one.
  expect(Math.abs(model.forwardFlops(49) / 2e9 - billions)).toBeLessThan(0.1);
});

test('a grid that does not fall into windows is refused', () => {
  expect(() => swin({ ...configOf({}), window: 3 })).toThrow('windows of 3 × 3');
});

test('what is decayed, dropped and hidden', () => {
  const { model, reference } = oracleModel();
  expect(model.parameters.map(({ name }) => name)).toEqual(reference.param_order);
  const index = JSON.parse(fs.readFileSync('test/parity/oracle/index.json', 'utf8'));
  const undecayed = new Set<string>(index.models.swin_a.no_decay);
  for (const { name, decay } of model.parameters) expect(`${name} ${decay}`).toBe(`${name} ${!undecayed.has(name)}`);
  const { keep_prob } = oracle.index.cases.swin_masksub_clip as OracleCase;
  const dropped = Object.fromEntries(
    model.dropSites.filter(({ rate }) => rate > 0).map(({ site, rate }) => [site, expect.closeTo(1 - rate, 12)]),
  );
  expect(keep_prob?.main).toEqual(dropped);
  expect(model.masking).toEqual({ kind: 'hide', rows: 4, columns: 4 });
  expect(model.depth).toBe(6);
});

function configOf(config: Readonly<Record<string, unknown>>): SwinConfig {
  return {
    imageSize: Number(config.img_size ?? 32),
    channels: 3,
    classes: Number(config.num_classes ?? 10),
    patchSize: Number(config.patch_size ?? 2),
    width: Number(config.embed_dim ?? 8),
    blocks: (config.depths as number[] | undefined) ?? [2, 2, 2],
    heads: (config.num_heads as number[] | undefined) ?? [1, 2, 4],
    window: Number(config.window_size ?? 4),
    mlpRatio: Number(config.mlp_ratio ?? 2),
    maskPatch: Number(config.mask_patch ?? 8),
    dropPath: 0.3,
  };
}

function oracleModel() {
  const reference = oracle.index.models.swin_a as (typeof oracle.index.models)[string];
  return { reference, model: swin(configOf(reference.config)) };
}
