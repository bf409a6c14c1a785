/** The loop: what a run says and when, how it ends, and what it is made of. */
import { beforeAll, describe, expect, test } from 'vitest';
import { UserError } from '../../src/core/errors.ts';
import { type EngineEvent, EVENT_VERSION, runEventSchema } from '../../src/core/events.ts';
import type { ModelConfigOf } from '../../src/core/modelConfig.ts';
import { type MemoryImages, memoryImages } from '../../src/data/memoryImages.ts';
import { sizeOf } from '../../src/engine/parameters.ts';
import { buildProblem } from '../../src/engine/problem.ts';
import { loadBackend } from '../../src/runner/backend.ts';
import { demoConfig, demoData, eventsOf, tinyConfig, tinyData } from './examples.ts';

type EventOf<T extends EngineEvent['type']> = Extract<EngineEvent, { type: T }>;
const ofType = <T extends EngineEvent['type']>(events: readonly EngineEvent[], type: T) =>
  events.filter((event): event is EventOf<T> => event.type === type);

beforeAll(async () => {
  await loadBackend('tensorflow');
});

test('the demo model has 139,402 parameters', () => {
  const { model } = buildProblem(demoConfig(), demoData);
  expect(model.parameters.reduce((sum, spec) => sum + sizeOf(spec), 0)).toBe(139_402);
});

describe('a run that finishes', () => {
  // 64 images in batches of 8: 8 steps an epoch.
  const config = tinyConfig({
    data: { validateEvery: 2, validateOn: 10 },
    train: { epochs: 5 },
    run: { logEvery: 3, layersEvery: 16, checkpointEvery: 2 },
  });

  test('says these events at these steps', async () => {
    const { events, summary } = await eventsOf(config, tinyData);
    const at = (type: 'step' | 'layers' | 'epoch' | 'checkpoint') => ofType(events, type).map((event) => event.step);
    expect(events[0]?.type).toBe('start');
    expect(at('step')).toEqual([1, 3, 6, 9, 12, 15, 18, 21, 24, 27, 30, 33, 36, 39, 40]);
    expect(at('layers')).toEqual([16, 32]);
    expect(at('epoch')).toEqual([8, 16, 24, 32, 40]);
    const validated = ofType(events, 'epoch').filter((event) => event.validation);
    expect(validated.map((event) => [event.epoch, event.validation?.samples])).toEqual([
      [2, 10],
      [4, 10],
      [5, 32],
    ]);
    const files = ofType(events, 'checkpoint').map((event) => event.file);
    expect(files.filter((file) => !file.endsWith('best'))).toEqual(
      [16, 32, 40].map((step) => `checkpoints/step-${String(step).padStart(9, '0')}`),
    );
    expect(events.filter((event) => event.type === 'end')).toEqual([events.at(-1)]);
    expect(events.at(-1)).toMatchObject({ state: 'finished', summary });
    expect(summary).toMatchObject({ state: 'finished', steps: 40, epochs: 5, final: { samples: 32 } });
    expect(summary?.cost.images).toBe(320);
    const tops = validated.map((event) => event.validation?.top1 ?? 0);
    expect(summary?.best?.top1).toBe(Math.max(...tops));
  });

  test('says only events of the schema', async () => {
    const { events } = await eventsOf(config, tinyData);
    for (const event of events) {
      const full = { v: EVENT_VERSION, run: 'run', attempt: 0, t: 0, ...event };
      const parsed = runEventSchema.safeParse(full);
      expect(parsed.error?.issues).toBeUndefined();
      expect(parsed.data, 'no field that the schema does not know').toEqual(full);
    }
  });

  test('learns: the loss on the training images falls by a third', async () => {
    const { events } = await eventsOf(tinyConfig({ train: { epochs: 25 } }), tinyData);
    const losses = ofType(events, 'epoch').map((event) => event.train.loss);
    expect(losses.at(-1)).toBeLessThan((losses[0] ?? 0) * 0.67);
  });
});

test('a pair: equal weights, batches and steps; the start events prove it', async () => {
  const starts = await Promise.all(
    (['baseline', 'masksub'] as const).map(async (name) => {
      const { events } = await eventsOf(tinyConfig({ method: { name }, train: { epochs: 1 } }), tinyData);
      return events[0] as EventOf<'start'>;
    }),
  );
  const [a, b] = starts.map(({ method: _, subWeight: _weight, ...rest }) => rest);
  expect(a).toEqual(b);
  const other = await eventsOf(tinyConfig({ train: { epochs: 1, seed: 1 } }), tinyData);
  expect(other.events[0]).not.toMatchObject({ initHash: a?.initHash });
  expect(other.events[0]).not.toMatchObject({ batchHash: a?.batchHash });
  const flipped = await eventsOf(tinyConfig({ train: { epochs: 1 }, augment: { flip: true } }), tinyData);
  expect(flipped.events[0]).toMatchObject({ initHash: a?.initHash });
  expect(flipped.events[0]).not.toMatchObject({ batchHash: a?.batchHash });
});

test('a loss that is not finite ends the run at once, naming branch and step', async () => {
  const config = tinyConfig({ train: { learningRate: 1e30, schedule: 'constant' }, run: { logEvery: 5 } });
  const { events, summary } = await eventsOf(config, tinyData);
  const end = events.at(-1) as EventOf<'end'>;
  expect(end.state).toBe('failed');
  expect(end.message).toMatch(
    /^The (loss|gradient) of the main branch at step 2 is not finite: .*layer "(embed|blocks\.[01]|head)" is the first .* Lower train\./,
  );
  expect(summary).toMatchObject({ state: 'failed', steps: 1 });
  expect(summary?.final).toBeUndefined();
  const last = ofType(events, 'step').at(-1);
  expect(last).toMatchObject({ step: 2, images: 16, epoch: 0.25, learningRate: 1e30 });
  expect(Number.isFinite(last?.loss.total) && Number.isFinite(last?.grad.total)).toBe(false);
  expect(ofType(events, 'checkpoint').map((event) => event.step)).toEqual([1]);
});

describe('a stop', () => {
  test('ends the run after the step under way, with a checkpoint', async () => {
    let breaths = 0;
    const { events, summary } = await eventsOf(tinyConfig(), tinyData, { breathe: async () => ++breaths === 5 });
    expect(events.slice(-2)).toMatchObject([
      { type: 'checkpoint', step: 5, file: 'checkpoints/step-000000005' },
      { type: 'end', state: 'stopped', message: 'Stopped at step 5 of 16.' },
    ]);
    expect(summary).toMatchObject({ state: 'stopped', steps: 5 });
  });
  test('ends a validation, too', async () => {
    let breaths = 0;
    const { events } = await eventsOf(tinyConfig(), tinyData, { breathe: async () => ++breaths === 9 });
    expect(ofType(events, 'epoch')).toEqual([]);
    expect(events.slice(-2)).toMatchObject([
      { type: 'checkpoint', step: 8 },
      { type: 'end', state: 'stopped' },
    ]);
  });
});

test('samples that can be read no more end it, and the weights until then are kept', async () => {
  const config = demoConfig({ train: { epochs: 2, batchSize: 32 } });
  let reads = 0;
  const read: MemoryImages['read'] = async (...wanted) => {
    // Ten batches are read for their hash, one before the first step, and one during each.
    if (++reads > 12) throw new UserError('The disk is gone.');
    return demoData.train.read(...wanted);
  };
  const saved: string[] = [];
  const saveCheckpoint = (name: string) => {
    saved.push(name);
    return name;
  };
  const data = { ...demoData, train: { ...demoData.train, read } };
  await expect(eventsOf(config, data, { saveCheckpoint })).rejects.toThrow('The disk is gone.');
  expect(saved).toEqual(['step-000000002']);
});

test('a run says how much of its time it waited for samples', async () => {
  const config = demoConfig({ train: { epochs: 1 }, run: { logEvery: 1 } });
  const read: MemoryImages['read'] = async (...wanted) => {
    await new Promise((resolve) => setTimeout(resolve, 300)); // a disk that is far slower than the steps
    return demoData.train.read(...wanted);
  };
  const now = () => performance.now() / 1000;
  const waits = async (data: typeof demoData) => {
    const { events } = await eventsOf(config, data, { now });
    // The last step has nothing to wait for, and the first one had its samples before.
    return events.flatMap((event) => (event.type === 'step' ? [event.dataWait ?? Number.NaN] : [])).slice(0, -1);
  };
  for (const wait of await waits({ ...demoData, train: { ...demoData.train, read } }))
    expect(wait).toBeGreaterThan(0.5);
  for (const wait of await waits(demoData)) expect(wait).toBeLessThan(0.5);
});

test('images of another size are seen at that of the model', async () => {
  const resized = async ({ count, labels, read }: MemoryImages) => {
    const all = Int32Array.from({ length: count }, (_, i) => i);
    const pixels = await read(all, { side: 16, testCrop: 1 });
    return memoryImages({ pixels, labels, height: 16, width: 16, channels: 3 });
  };
  const [train, validation] = await Promise.all([tinyData.train, tinyData.validation].map(resized));
  if (!train || !validation) throw new Error('Both sets are there.');
  const large = { ...tinyData, size: { height: 16, width: 16 }, train, validation };
  const config = tinyConfig({ model: { imageSize: 16 } });
  const [own, expected] = [await eventsOf(config, tinyData), await eventsOf(config, large)];
  expect(own.summary?.state).toBe('finished');
  expect(own.summary?.final).toEqual(expected.summary?.final);
  expect(own.events[0]).toMatchObject({ batchHash: (expected.events[0] as EventOf<'start'>).batchHash });
});

describe('what does not fit is refused in words', () => {
  const tinyVit = tinyConfig().model as ModelConfigOf<'vit'>;
  const refusals: Record<string, [ReturnType<typeof tinyConfig>, RegExp]> = {
    'too few images for one step': [
      tinyConfig({ train: { batchSize: 100 } }),
      /needs 100 training samples, there are 64/,
    ],
    'a mask that leaves nothing': [
      // Without imageSize the config cannot know how many patches there are.
      { ...tinyConfig(), model: { ...tinyVit, imageSize: undefined, patchSize: 8 } },
      /0\.5 leaves none of the 1 patches/,
    ],
  };
  for (const [what, [config, message]] of Object.entries(refusals)) {
    test(what, async () => {
      const error = await eventsOf(config, tinyData).catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(UserError);
      expect((error as UserError).message).toMatch(message);
    });
  }
});
