/** A step leaves no tensor behind, and a run ends with as many as it began with, however it ends. */
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Config } from '../../src/core/config.ts';
import { optimizers } from '../../src/engine/optim/index.ts';
import { train } from '../../src/engine/train.ts';
import { loadBackend } from '../../src/runner/backend.ts';
import { eventsOf, methodNames, setUp, surroundings, tinyConfig, tinyData } from './examples.ts';

const tensors = () => tf.memory().numTensors;

beforeAll(async () => {
  await loadBackend('tensorflow');
});

describe('the number of tensors stays the same over steps, and none is left after dispose', () => {
  for (const method of methodNames) {
    for (const optimizer of Object.keys(optimizers) as Config['train']['optimizer'][]) {
      for (const [what, changes] of Object.entries({
        plain: {},
        'with everything on': { accumulate: 2, clipNorm: 0.1, ema: 0.9, layerDecay: 0.7, smoothing: 0.1 },
      })) {
        test(`${method}, ${optimizer}, ${what}`, async () => {
          const before = tensors();
          const config = tinyConfig({ method: { name: method }, train: { optimizer, ...changes } });
          const dropped = {
            ...config,
            model: { ...config.model, dropPath: what === 'plain' && method !== 'cosub' ? 0 : 0.3 },
          };
          const { executor, stepInput } = await setUp(dropped, tinyData);
          const counts: number[] = [];
          const image = { kind: 'images', values: new Float32Array(192), shape: [1, 8, 8, 3] } as const;
          for (const step of [0, 1, 2, 3]) {
            const run = [executor.step, executor.inspect, executor.observe][step % 3] ?? executor.step;
            await run(...(await stepInput(step)));
            await executor.evaluate(image, {}, 'ema');
            await executor.attention(image);
            await executor.reports();
            counts.push(tensors());
          }
          expect(new Set(counts).size, counts.join(' ')).toBe(1);
          await executor.restore(await executor.snapshot());
          expect(tensors()).toBe(counts[0]);
          await executor.step(...(await stepInput(4))); // whose report nobody reads
          await executor.dispose();
          expect(tensors()).toBe(before);
        });
      }
    }
  }
});

describe('no tensor is left after a run', () => {
  const diverging = tinyConfig({ train: { learningRate: 1e30 } });
  const stops = [false, false, true];
  const ways: Record<string, () => Promise<unknown>> = {
    'that finished': () => eventsOf(tinyConfig(), tinyData),
    'that failed': () => eventsOf(diverging, tinyData),
    'that was stopped': () => eventsOf(tinyConfig(), tinyData, { breathe: async () => stops.shift() ?? true }),
    'that was left half-way': async () => {
      const identity = {
        role: 'method',
        pair: undefined,
        attempt: 0,
        backend: 'tensorflow',
        backendReason: '',
      } as const;
      for await (const event of train(tinyConfig(), tinyData, identity, surroundings())) {
        if (event.type === 'step') break;
      }
    },
    'whose checkpoint could not be written': async () => {
      const saveCheckpoint = () => {
        throw new Error('The disk is full.');
      };
      await expect(eventsOf(tinyConfig(), tinyData, { saveCheckpoint })).rejects.toThrow('full');
    },
  };
  for (const [way, run] of Object.entries(ways)) {
    test(way, async () => {
      const before = tensors();
      await run();
      expect(tensors()).toBe(before);
    });
  }
});
