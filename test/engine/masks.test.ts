/** Masks: how many units stay, that each shape is what it says, and ratios that change over training or are drawn. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Config } from '../../src/core/config.ts';
import { keptTokens, largestRatio, typicalRatio } from '../../src/core/maskRatio.ts';
import { RandomStream } from '../../src/core/random.ts';
import { Batches } from '../../src/engine/batches.ts';
import { drawOrder } from '../../src/engine/masks.ts';
import type { Masking } from '../../src/engine/models/model.ts';
import { buildProblem } from '../../src/engine/problem.ts';
import { demoConfig, demoData, noiseData } from './examples.ts';

type Shape = Config['method']['maskShape'];
const shapes: Shape[] = ['random', 'block', 'grid'];
const grid = (rows: number, columns: number): Masking => ({ kind: 'hide', rows, columns });
const order = (masking: Masking, shape: Shape, kept: number, sample = 0) =>
  drawOrder(masking, shape, kept, new RandomStream(3, 'mask', 0, sample));
const visible = (masking: Masking, shape: Shape, kept: number, sample = 0) => [
  ...order(masking, shape, kept, sample).subarray(0, kept),
];

describe('every shape', () => {
  for (const shape of shapes) {
    test(`${shape}: an order of all units, the same for the same sample`, () => {
      fc.assert(
        fc.property(
          fc.integer({ min: 1, max: 15 }),
          fc.integer({ min: 1, max: 15 }),
          fc.nat(99),
          (rows, columns, share) => {
            const kept = keptTokens(rows * columns, share / 100);
            const units = order(grid(rows, columns), shape, kept, share);
            expect([...units].sort((a, b) => a - b)).toEqual(Array.from({ length: rows * columns }, (_, i) => i));
            expect(order(grid(rows, columns), shape, kept, share)).toEqual(units);
          },
        ),
      );
    });
    test(`${shape}: each unit is hidden about as often as the others`, () => {
      const counts = new Array(16).fill(0);
      for (let sample = 0; sample < 2000; sample++)
        for (const unit of visible(grid(4, 4), shape, 8, sample)) counts[unit]++;
      // Blocks cover the middle more often than the edges.
      const most = shape === 'block' ? 0.3 : 0.05;
      for (const count of counts) expect(Math.abs(count / 2000 - 0.5)).toBeLessThan(most);
    });
  }
});

test('blocks hide neighbours together', () => {
  const together = (shape: Shape) => {
    let [pairs, alike] = [0, 0];
    for (let sample = 0; sample < 200; sample++) {
      const seen = new Set(visible(grid(14, 14), shape, 98, sample));
      for (let unit = 0; unit < 196; unit++) {
        if (unit % 14 === 13) continue;
        pairs++;
        if (seen.has(unit) === seen.has(unit + 1)) alike++;
      }
    }
    return alike / pairs;
  };
  expect(together('random')).toBeCloseTo(0.5, 1);
  expect(together('block')).toBeGreaterThan(0.65);
});

describe('a grid', () => {
  test('at 50 % is a chequerboard', () => {
    const seen = visible(grid(14, 14), 'grid', 98);
    const colours = new Set(seen.map((unit) => (Math.floor(unit / 14) + (unit % 14)) % 2));
    expect(colours.size).toBe(1);
  });
  test('at 75 % shows one of each 2 × 2 units', () => {
    const seen = visible(grid(14, 14), 'grid', 49);
    const squares = new Set(
      seen.map((unit) => `${Math.floor(Math.floor(unit / 14) / 2)} ${Math.floor((unit % 14) / 2)}`),
    );
    expect(squares.size).toBe(49);
  });
});

describe('a ratio', () => {
  const keptOf = (maskRatio: Config['method']['maskRatio'], epochs = 10) => {
    const config = demoConfig({ method: { name: 'masksub', maskRatio }, train: { epochs } });
    const { model, method } = buildProblem(config, demoData);
    const batches = new Batches(config, demoData, model, method);
    return async (epoch: number, index = 0) =>
      (await batches.batch(epoch, index, batches.order(epoch))).draws.sub?.keep?.kept;
  };
  test('changes over training, linearly', async () => {
    const kept = keptOf({ from: 0.25, to: 0.75, schedule: 'linear' });
    expect(await Promise.all([kept(0), kept(5), kept(9, 3)])).toEqual([12, 8, 4]);
  });
  test('or along a cosine: slowly at both ends', async () => {
    const kept = keptOf({ from: 0.25, to: 0.75, schedule: 'cosine' });
    expect(await Promise.all([kept(0), kept(1), kept(5), kept(9)])).toEqual([12, 11, 8, 4]);
  });
  test('or in steps', async () => {
    const kept = keptOf({
      steps: [
        [0, 0.25],
        [4, 0.5],
        [8, 0.75],
      ],
    });
    expect(await Promise.all([0, 3, 4, 7, 8, 9].map((epoch) => kept(epoch)))).toEqual([12, 12, 8, 8, 4, 4]);
  });
  test('is drawn for each batch, within its range, and again the same', async () => {
    const [kept, again] = [
      keptOf({ min: 0.25, max: 0.75, per: 'batch' }),
      keptOf({ min: 0.25, max: 0.75, per: 'batch' }),
    ];
    const drawn = await Promise.all(Array.from({ length: 40 }, (_, i) => kept(i % 10, (i >> 3) % 4)));
    const all = drawn.map((count) => count ?? 0);
    expect(new Set(all).size).toBeGreaterThan(4);
    expect(Math.min(...all)).toBeGreaterThanOrEqual(4);
    expect(Math.max(...all)).toBeLessThanOrEqual(12);
    expect(await again(3, 1)).toBe(await kept(3, 1));
  });

  test.each([
    ['down', 24],
    ['up', 25], // the published code for ResNet, by accident
  ] as const)('of one half leaves %s to %i of 49 patches', async (maskRounding, visible) => {
    const model = { name: 'resnet' as const, blocks: [1], channels: [4], stem: 4, maskPatch: 4 };
    const config = demoConfig({ model, method: { name: 'masksub', maskRounding } });
    const data = noiseData(28, 64);
    const problem = buildProblem(config, data);
    const batches = new Batches(config, data, problem.model, problem.method);
    const { hidden } = (await batches.batch(0, 0, batches.order(0))).draws.sub ?? {};
    const counts = Array.from({ length: 32 }, (_, i) =>
      hidden?.subarray(49 * i, 49 * i + 49).reduce((sum, value) => sum + 1 - value, 0),
    );
    expect(new Set(counts)).toEqual(new Set([visible]));
  });

  test('is drawn for each sample where patches are hidden', async () => {
    const model = { name: 'resnet' as const, blocks: [1], channels: [4], stem: 4, maskPatch: 4 };
    const config = demoConfig({ model, method: { name: 'masksub', maskRatio: { min: 0.1, max: 0.9, per: 'sample' } } });
    const data = noiseData(28, 64);
    const problem = buildProblem(config, data);
    const batches = new Batches(config, data, problem.model, problem.method);
    const { hidden } = (await batches.batch(0, 0, batches.order(0))).draws.sub ?? {};
    const counts = Array.from(
      { length: 32 },
      (_, i) => hidden?.subarray(49 * i, 49 * i + 49).reduce((a, b) => a + b, 0) ?? 0,
    );
    expect(new Set(counts).size).toBeGreaterThan(10);
    expect(Math.min(...counts)).toBeGreaterThanOrEqual(5);
    expect(Math.max(...counts)).toBeLessThanOrEqual(45);
  });
  test('that stands for others is the last of a schedule and the middle of a range', () => {
    const of = (maskRatio: Config['method']['maskRatio']) =>
      demoConfig({ method: { name: 'masksub', maskRatio }, train: { epochs: 10 } });
    for (const [ratio, typical, largest] of [
      [0.5, 0.5, 0.5],
      [{ from: 0.75, to: 0.25, schedule: 'linear' }, 0.25, 0.75],
      [
        {
          steps: [
            [0, 0.8],
            [3, 0.4],
          ],
        },
        0.4,
        0.8,
      ],
      [{ min: 0.2, max: 0.6, per: 'batch' }, 0.4, 0.6],
    ] as [Config['method']['maskRatio'], number, number][]) {
      expect(typicalRatio(of(ratio))).toBeCloseTo(typical, 9);
      expect(largestRatio(of(ratio))).toBe(largest);
    }
  });
});
