/** What a run records of its samples is what its steps used and found, and recording changes nothing else. */
import { beforeAll, describe, expect, test } from 'vitest';
import type { Config } from '../../src/core/config.ts';
import { encodeEvent } from '../../src/core/events.ts';
import { decodeProgress } from '../../src/core/progress.ts';
import { type Block, samplesSchema } from '../../src/core/samples.ts';
import { Batches } from '../../src/engine/batches.ts';
import { buildProblem } from '../../src/engine/problem.ts';
import { type RecordedSamples, SampleRecorder } from '../../src/engine/samples.ts';
import type { Snapshot } from '../../src/engine/step/executor.ts';
import type { Resume, Surroundings } from '../../src/engine/train.ts';
import type { TrainingData } from '../../src/engine/trainingData.ts';
import { loadBackend } from '../../src/runner/backend.ts';
import {
  demoConfig,
  demoData,
  eventsOf,
  executorNames,
  executors,
  methodNames,
  noiseData,
  setUp,
  tinyConfig,
  tinyData,
  tinyDataOf,
  tinyTexts,
  valuesOf,
} from './examples.ts';

beforeAll(async () => {
  await loadBackend('tensorflow');
});

/** A run with its events, its records by epoch, and its last weights. */
async function recordedRun(config: Config, data: TrainingData, changes: Partial<Surroundings> = {}) {
  const records = new Map<number, RecordedSamples>();
  let last: Snapshot | undefined;
  const { events } = await eventsOf(config, data, {
    now: () => 0,
    saveCheckpoint: (name, snapshot) => {
      last = snapshot;
      return name;
    },
    saveSamples: (recorded) => {
      records.set(recorded.samples.epoch, recorded);
      return `samples/${recorded.samples.epoch}`;
    },
    ...changes,
  });
  const record = (epoch: number) => {
    const found = records.get(epoch);
    if (!found) throw new Error(`Epoch ${epoch} has no record.`);
    return found;
  };
  return { events, records, record, last: last && valuesOf(last) };
}

function blockOf({ bytes }: RecordedSamples, block: Block | undefined): number[] {
  if (!block) throw new Error('There is no such block.');
  const size = block.shape.reduce((product, length) => product * length, 1);
  const start = bytes.byteOffset + block.offset;
  return Array.from(
    block.dtype === 'uint8'
      ? new Uint8Array(bytes.buffer, start, size)
      : new Float32Array(bytes.buffer.slice(start, start + 4 * size)),
  );
}

const each = { run: { samplesEvery: 1, logEvery: 1 } };

describe.each(executorNames)('%s', (name) => {
  const executorFor = executors[name];

  test('recording changes no weight bit, and no event but its own', async () => {
    const config = (samplesEvery: number) =>
      tinyConfig({
        model: { dropPath: 0.2 },
        train: { epochs: 4, accumulate: 2, ema: 0.9 },
        run: { samplesEvery, logEvery: 1, layersEvery: 3, checkpointEvery: 2 },
      });
    const [without, every] = [
      await recordedRun(config(0), tinyData, { executorFor }),
      await recordedRun(config(1), tinyData, { executorFor }),
    ];
    expect(every.events.filter((event) => event.type !== 'samples')).toEqual(without.events);
    expect(every.last).toEqual(without.last);
    expect(without.records.size).toBe(0);
    expect([...every.records.keys()]).toEqual([1, 2, 3, 4]);
  });

  test('of the model the class token’s attention, of one without it what the patches give each other', async () => {
    for (const pool of ['token', 'mean'] as const) {
      const config = tinyConfig({ model: { pool }, train: { epochs: 1 } });
      const { record } = await recordedRun(config, tinyData, { executorFor });
      const { blocks } = record(1).samples;
      expect(blocks.attention?.shape).toEqual([64, 2, 2]);
      const values = blockOf(record(1), blocks.attention);
      const sums = Array.from({ length: 64 }, (_, i) => values.slice(4 * i, 4 * i + 4).reduce((a, b) => a + b));
      for (const sum of sums) {
        // A patch gives all it has to patches; the class token keeps a part.
        if (pool === 'mean') expect(sum).toBeCloseTo(1, 5);
        else expect(sum > 0 && sum < 1, String(sum)).toBe(true);
      }
    }
  });
});

test('an epoch has a record where it should', async () => {
  const epochs = async (samplesEvery: number) => {
    const { records, events } = await recordedRun(
      tinyConfig({ train: { epochs: 5 }, run: { samplesEvery } }),
      tinyData,
    );
    const told = events.flatMap((event) => (event.type === 'samples' ? [[event.epoch, event.step, event.file]] : []));
    expect(told).toEqual([...records.keys()].map((epoch) => [epoch, 8 * epoch, `samples/${epoch}`]));
    return [...records.keys()];
  };
  expect(await epochs(0)).toEqual([]);
  expect(await epochs(2)).toEqual([2, 4, 5]);
  expect(await epochs(100)).toEqual([5]);
});

describe('the mean loss of the samples is that of the step', () => {
  const target = { temperature: 2, target: 'soft' } as const;
  type Options = Partial<Config['method']>;
  const options: Record<(typeof methodNames)[number], readonly Options[]> = {
    baseline: [{}],
    masksub: [target, { ...target, target: 'hard' }, { ...target, target: 0.3 }, { stopGradient: false }],
    dropsub: [target],
    pathsub: [target],
    cosub: [{}],
    'direct-mask': [{ cleanView: true }, { cleanView: false }],
  };
  for (const name of methodNames) {
    for (const method of options[name]) {
      test.each(['ce', 'bce'] as const)(`${name} ${JSON.stringify(method)}, %s`, async (loss) => {
        const config = tinyConfig({
          method: { ...method, name },
          model: { dropPath: 0.2, dropout: 0.1 },
          train: { epochs: 1, loss, smoothing: 0.1, batchSize: 32, learningRate: 0.1 },
          augment: { mixup: 0.8 },
          ...each,
        });
        const { events, record } = await recordedRun(config, tinyData);
        const { training } = record(1).samples;
        const steps = events.filter((event) => event.type === 'step');
        expect(training).toHaveLength(32 * steps.length);
        for (const [s, step] of steps.entries()) {
          for (const branch of ['main', 'sub'] as const) {
            const expected = step.loss[branch];
            const losses = training.slice(32 * s, 32 * s + 32).flatMap((sample) => sample[branch]?.loss ?? []);
            expect(losses).toHaveLength(expected === undefined ? 0 : 32);
            if (expected === undefined) continue;
            const mean = losses.reduce((sum, value) => sum + value, 0) / losses.length;
            expect(Math.abs(mean - Number(expected)), `${branch} at ${step.step}`).toBeLessThan(1e-5);
          }
        }
      });
    }
  }
});

describe('what entered the steps', () => {
  /** The batches of an epoch as the run saw them, drawn anew. */
  async function batchesOf(config: Config, data: TrainingData, epoch: number) {
    const { model, method } = buildProblem(config, data);
    const batches = new Batches(config, data, model, method);
    const order = batches.order(epoch - 1);
    const all = Array.from({ length: batches.perEpoch }, (_, i) => batches.batch(epoch - 1, i, order));
    return { order, batches: await Promise.all(all) };
  }

  test('the masks of the ViT, the images and their places in the data', async () => {
    const config = tinyConfig({ train: { batchSize: 16 }, augment: { flip: true, repeated: 2 }, ...each });
    const recorded = (await recordedRun(config, tinyData)).record(2);
    const { order, batches } = await batchesOf(config, tinyData, 2);
    const { samples } = recorded;
    expect(samples).toMatchObject({ epoch: 2, step: 5, grid: { rows: 2, columns: 2 }, unit: [4, 4] });
    expect(samples.training.map(({ sample }) => sample)).toEqual(Array.from(order, (key) => key % 64));
    expect(samples.training.map(({ label, mixed }) => [label, mixed])).toEqual(
      Array.from(order, (key) => [tinyData.train.labels[key % 64], false]),
    );
    const kept = batches.flatMap(({ draws }) => {
      const { indices = new Int32Array(), kept = 0 } = draws.sub?.keep ?? {};
      return Array.from({ length: 16 }, (_, i) =>
        [...indices.subarray(i * kept, (i + 1) * kept)].sort((a, b) => a - b),
      );
    });
    expect(new Set(kept.map(String)).size).toBeGreaterThan(3);
    expect(samples.training.map((sample) => sample.kept)).toEqual(kept);
    expect(samples.blocks.trainingImages?.shape).toEqual([64, 8, 8, 3]);
    const pixels = batches.flatMap(({ input }) =>
      input.kind === 'images'
        ? Array.from(input.values, (value) => Math.abs(Math.round(255 * (0.4 * value + 0.3))))
        : [],
    );
    expect(blockOf(recorded, samples.blocks.trainingImages)).toEqual(pixels);
  });

  test.each(['resnet', 'swin'] as const)('the patches that %s did not hide', async (name) => {
    const config = tinyConfig({ model: { name }, train: { epochs: 1 } });
    const { samples } = (await recordedRun(config, tinyData)).record(1);
    const { batches } = await batchesOf(config, tinyData, 1);
    const visible = batches.flatMap(({ draws }) =>
      Array.from({ length: 8 }, (_, i) => [0, 1, 2, 3].filter((unit) => draws.sub?.hidden?.[4 * i + unit] === 0)),
    );
    expect(samples.training.map(({ kept }) => kept)).toEqual(visible);
    expect(samples.blocks.attention).toBeUndefined();
  });

  test('samples that keep different numbers of patches', async () => {
    const config = tinyConfig({
      method: { name: 'masksub', maskRatio: { min: 0.1, max: 0.8, per: 'sample' } },
      model: { imageSize: 16 },
      train: { epochs: 1 },
    });
    const { samples } = (await recordedRun(config, noiseData(16, 64, 5))).record(1);
    const { batches } = await batchesOf(config, noiseData(16, 64, 5), 1);
    const present = batches.flatMap(({ draws }) => {
      const { present = new Float32Array(), kept = 1 } = draws.sub?.keep ?? {};
      return Array.from({ length: 8 }, (_, i) => present.subarray(i * kept, (i + 1) * kept).reduce((a, b) => a + b, 0));
    });
    expect(new Set(present).size).toBeGreaterThan(3);
    expect(samples.training.map(({ kept }) => kept?.length)).toEqual(present);
  });

  test.each(['remove', 'replace'] as const)('the tokens of texts, whose mask is to %s', async (masking) => {
    const config = tinyConfig({ model: { name: 'bert', masking }, train: { epochs: 1 } });
    const data = { ...tinyTexts, tokenOf: (id: number) => `t${id}` };
    const recorded = (await recordedRun(config, data)).record(1);
    const { samples } = recorded;
    expect(samples).toMatchObject({ grid: { rows: 1, columns: 12 }, unit: [1, 1] });
    expect(samples.training).toHaveLength(64);
    for (const { sample, tokens, kept = [] } of samples.training) {
      const count = data.train.tokens[sample] ?? 0;
      const ids = data.train.ids.subarray(12 * sample, 12 * sample + count);
      expect(tokens).toEqual(Array.from(ids, (id) => `t${id}`));
      expect(kept[0]).toBe(0);
      expect(kept).toEqual(kept.toSorted((a, b) => a - b));
      expect(kept).toHaveLength(Math.floor(count / 2));
      expect(Math.max(...kept)).toBeLessThan(count);
    }
    expect(samples.validation?.worst[0]?.tokens?.[0]).toBe('t1');
    expect(samples.blocks).toMatchObject({ attention: { shape: [64, 1, 12] } });
    expect(Object.keys(samples.blocks)).toEqual(['attention']);
    const [first] = samples.training;
    const attention = blockOf(recorded, samples.blocks.attention).slice(0, 12);
    expect(attention.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 5);
    expect(attention.slice(first?.tokens?.length ?? 12).every((value) => value === 0)).toBe(true);
  });

  test('mixed images are said to be mixed; the label is the larger part', async () => {
    for (const targetThreshold of [undefined, 0.2]) {
      const config = tinyConfig({
        train: { epochs: 1, smoothing: 0.1, ...(targetThreshold ? { loss: 'bce', targetThreshold } : {}) },
        augment: { mixup: 0.8 },
      });
      const { samples } = (await recordedRun(config, tinyData)).record(1);
      const { batches } = await batchesOf(config, tinyData, 1);
      const targets = batches.flatMap(({ target }) =>
        Array.from({ length: 8 }, (_, i) => target.slice(5 * i, 5 * i + 5)),
      );
      expect(samples.training.map(({ label }) => label)).toEqual(targets.map((of) => of.indexOf(Math.max(...of))));
      // Smoothing gives each class 0.02.
      const parts = targets.map((of) => of.filter((value) => value > (targetThreshold ? 0 : 0.021)).length > 1);
      expect(new Set(parts)).toEqual(new Set([true, false]));
      expect(samples.training.map(({ mixed }) => mixed)).toEqual(parts);
    }
  });

  test('a baseline has one branch and no mask', async () => {
    const config = tinyConfig({ method: { name: 'baseline' }, train: { epochs: 1 } });
    const { samples } = (await recordedRun(config, tinyData)).record(1);
    expect(samples.grid).toBeUndefined();
    expect(Object.keys(samples.training[0] ?? {})).toEqual(['sample', 'label', 'mixed', 'main']);
    expect(samples.blocks.attention?.shape).toEqual([64, 2, 2]);
  });

  test('at most 256 samples of at most 8 steps', async () => {
    const counts = async (batchSize: number) => {
      const config = demoConfig({
        train: { epochs: 1, batchSize, warmupEpochs: 0 },
        run: { samplesEvery: 1, layersEvery: 5 },
      });
      const { samples } = (await recordedRun(config, noiseData(28, 320))).record(1);
      return [samples.training.length, samples.blocks.trainingImages?.shape[0], samples.blocks.attention?.shape[0]];
    };
    expect(await counts(8)).toEqual([64, 64, 64]);
    expect(await counts(48)).toEqual([256, 256, 64]);
    expect(await counts(300)).toEqual([256, 256, 64]);
  });

  test('as many large images as fit, and 16 of the largest', async () => {
    for (const [side, expected] of [
      [224, 27],
      [640, 16],
    ] as const) {
      const config = tinyConfig({ model: { patchSize: side / 2, imageSize: side }, train: { epochs: 1 } });
      const { model, method } = buildProblem(config, tinyData);
      const recorder = new SampleRecorder(config, tinyData, { model, method });
      for (let step = 1; recorder.wantsMore; step++) {
        const input = {
          kind: 'images',
          values: new Float32Array(8 * side * side * 3),
          shape: [8, side, side, 3],
        } as const;
        const logits = [{ main: new Float32Array(40), sub: new Float32Array(40) }];
        await recorder.addStep(step, [{ input, target: new Float32Array(40), draws: {} }], logits, {
          attention: async ({ shape }) => new Float32Array(4 * shape[0]),
        });
      }
      const { blocks, training } = recorder.finish(1, 8).samples;
      expect(training).toHaveLength(64);
      expect(blocks.trainingImages?.shape[0]).toBe(expected);
      expect(blocks.attention?.shape[0]).toBe(expected);
    }
  });
});

describe('what was said', () => {
  test('is the prediction of the weights that the step started from', async () => {
    const config = tinyConfig({ train: { epochs: 1, batchSize: 64, learningRate: 0.1 } });
    const { training } = (await recordedRun(config, tinyData)).record(1).samples;
    const { executor, stepInput } = await setUp(config, tinyData);
    const [[batch]] = await stepInput(0);
    if (!batch) throw new Error('A step has a batch.');
    for (const branch of ['main', 'sub'] as const) {
      const logits = await executor.evaluate(batch.input, batch.draws[branch] ?? {}, 'parameters');
      const rows = Array.from({ length: 64 }, (_, i) => logits.subarray(5 * i, 5 * i + 5));
      const softmax = rows.map((row) => {
        const sum = row.reduce((total, logit) => total + Math.exp(logit), 0);
        return Array.from(row, (logit) => Math.exp(logit) / sum);
      });
      for (const [i, sample] of training.entries()) {
        const probabilities = softmax[i] ?? [];
        const most = Math.max(...probabilities);
        expect(sample[branch]?.predicted).toBe(probabilities.indexOf(most));
        expect(sample[branch]?.certainty).toBeCloseTo(most, 5);
        expect(sample[branch]?.confidence).toBeCloseTo(probabilities[sample.label] ?? Number.NaN, 5);
      }
    }
    await executor.dispose();
  });

  test('queries of zero look everywhere alike: at the class token and four patches', async () => {
    const config = tinyConfig({ model: { pool: 'token' } });
    const { executor, stepInput } = await setUp(config, tinyData);
    const [[batch]] = await stepInput(0);
    if (!batch) throw new Error('A step has a batch.');
    const snapshot = await executor.snapshot();
    const parameters = new Map(snapshot.parameters);
    for (const name of ['blocks.1.attn.qkv.weight', 'blocks.1.attn.qkv.bias']) {
      const values = parameters.get(name) ?? new Float32Array();
      parameters.set(name, values.slice().fill(0, 0, values.length / 3));
    }
    await executor.restore({ ...snapshot, parameters });
    const values = await executor.attention(batch.input);
    expect(values).toHaveLength(8 * 4);
    for (const value of values ?? []) expect(value).toBeCloseTo(0.2, 6);
    await executor.dispose();
  });

  test('what is not finite is said, and can be read back', async () => {
    const config = tinyConfig();
    const { model, method } = buildProblem(config, tinyData);
    const recorder = new SampleRecorder(config, tinyData, { model, method });
    const { batches } = await setUp(config, tinyData);
    const [batch, input] = [await batches.batch(0, 0, batches.order(0)), await batches.validation(0, 2)];
    const logits = { main: new Float32Array(40).fill(Number.NaN), sub: new Float32Array(40) };
    await recorder.addStep(1, [batch], [logits], { attention: async () => undefined });
    const labels = tinyData.validation.labels.subarray(0, 2);
    recorder.addValidation({
      from: 0,
      input,
      labels,
      logits: new Float32Array(10).fill(Number.NaN, 5),
      losses: Float64Array.of(3, Number.NaN),
    });
    const { samples } = recorder.finish(1, 8);
    const read = samplesSchema.parse(JSON.parse(encodeEvent(samples)));
    expect(read.training[0]?.main).toEqual({
      predicted: 0,
      confidence: Number.NaN,
      certainty: Number.NaN,
      loss: Number.NaN,
    });
    expect(read.validation?.worst.map(({ sample }) => sample)).toEqual([1, 0]);
  });
});

test('validation: every sample counts once, and the worst come with their images', async () => {
  const config = tinyConfig({ data: { validateEvery: 2, validateOn: 20 }, train: { epochs: 3 }, ...each });
  const { events, record } = await recordedRun(config, tinyData);
  expect(record(1).samples.validation).toBeUndefined();
  for (const [epoch, count] of [
    [2, 20],
    [3, 32],
  ] as const) {
    const { samples } = record(epoch);
    const validation = samples.validation;
    if (!validation) throw new Error('The epoch was validated.');
    const said = events.flatMap((event) =>
      event.type === 'epoch' && event.epoch === epoch ? [event.validation] : [],
    )[0];
    expect(validation.samples).toBe(count);
    const byLabel = validation.confusion.map((row) => row.reduce((sum, value) => sum + value, 0));
    const labels = Array.from(tinyData.validation.labels.subarray(0, count));
    expect(byLabel).toEqual([0, 1, 2, 3, 4].map((label) => labels.filter((one) => one === label).length));
    const right = validation.confusion.reduce((sum, row, label) => sum + (row[label] ?? 0), 0);
    expect(right / count).toBe(said?.top1);
    expect(validation.worst).toHaveLength(Math.min(24, count));
    const losses = validation.worst.map(({ loss }) => loss);
    expect(losses).toEqual(losses.toSorted((a, b) => b - a));
    if (count === 20) {
      const mean = losses.reduce((sum, loss) => sum + loss, 0) / count;
      expect(mean).toBeCloseTo(said?.loss ?? Number.NaN, 10);
    }
    for (const { sample, label } of validation.worst) expect(label).toBe(labels[sample]);
    const order = Int32Array.from(validation.worst, ({ sample }) => sample);
    const pixels = await tinyData.validation.read(order, { side: 8, testCrop: 1 });
    expect(blockOf(record(epoch), samples.blocks.worstImages)).toEqual(Array.from(pixels));
  }
});

test('the worst of several batches are those of all', async () => {
  const { batches } = await setUp(tinyConfig(), tinyData);
  const config = tinyConfig();
  const { model, method } = buildProblem(config, tinyData);
  const recorder = new SampleRecorder(config, tinyData, { model, method });
  const losses = Array.from({ length: 96 }, (_, i) => (i * 37) % 96);
  for (let from = 0; from < 96; from += 32) {
    recorder.addValidation({
      from,
      input: await batches.validation(0, 32),
      labels: tinyData.validation.labels,
      logits: new Float32Array(32 * 5),
      losses: Float64Array.from(losses.slice(from, from + 32)),
    });
  }
  const { worst = [] } = recorder.finish(1, 8).samples.validation ?? {};
  expect(worst.map(({ loss }) => loss)).toEqual(Array.from({ length: 24 }, (_, i) => 95 - i));
  for (const { sample, loss } of worst) expect(losses[sample]).toBe(loss);
});

test('a run that goes on within an epoch records what is left of it', async () => {
  const config = tinyConfig(each);
  let saved: Resume | undefined;
  let breaths = 0;
  const first = await recordedRun(config, tinyData, {
    breathe: async () => ++breaths === 3,
    saveCheckpoint: (name, snapshot, _model, metadata) => {
      const progress = decodeProgress(metadata.progress);
      saved = progress && { snapshot, progress, file: name };
      return name;
    },
  });
  expect(first.records.size).toBe(0);
  const records: RecordedSamples[] = [];
  const saveSamples = (recorded: RecordedSamples) => {
    records.push(recorded);
    return 'samples';
  };
  await eventsOf(config, tinyData, { saveSamples }, saved);
  expect(records.map(({ samples }) => [samples.epoch, samples.step, samples.training.length])).toEqual([
    [1, 4, 40],
    [2, 9, 64],
  ]);
});

test('a step of the layers is one of the samples, too', async () => {
  const run = (layersEvery: number) =>
    recordedRun(tinyConfig({ run: { samplesEvery: 1, layersEvery } }), tinyData, { executorFor: executors.recorded });
  const [plain, inspected] = [await run(1000), await run(1)];
  expect(inspected.events.filter(({ type }) => type === 'layers')).toHaveLength(16);
  for (const epoch of [1, 2]) expect(inspected.record(epoch)).toEqual(plain.record(epoch));
});

test('the record of the demo is of the schema', async () => {
  const config = demoConfig({ train: { epochs: 1, warmupEpochs: 0 } });
  const { record } = await recordedRun(config, demoData, { executorFor: executors.recorded });
  const { samples } = record(1);
  expect(samplesSchema.parse(JSON.parse(encodeEvent(samples)))).toEqual(samples);
  expect(samples.blocks.attention?.shape).toEqual([64, 4, 4]);
});

test('of more than 1,000 classes there is no confusion matrix, and still the worst', () => {
  for (const classes of [1000, 1001]) {
    const data = { ...tinyData, classes };
    const config = tinyConfig();
    const recorder = new SampleRecorder(config, data, buildProblem(config, data));
    recorder.addValidation({
      from: 0,
      input: { kind: 'images', values: new Float32Array(8 * 8 * 3), shape: [1, 8, 8, 3] },
      labels: Int32Array.of(7),
      logits: new Float32Array(classes),
      losses: Float64Array.of(2),
    });
    const { validation } = recorder.finish(1, 8).samples;
    expect(validation?.confusion.length).toBe(classes === 1000 ? 1000 : 0);
    expect(validation?.worst).toMatchObject([{ sample: 0, label: 7, predicted: 7, loss: 2 }]);
  }
});

test.each([{ name: 'vit', pool: 'token' }, { name: 'vit', form: 'beit' }, { name: 'bert' }] as const)(
  'both executors record the same: %o',
  async (model) => {
    const config = tinyConfig({ model, train: { epochs: 1, learningRate: 1e-3 } });
    const recordOf = async (executorFor: Surroundings['executorFor']) =>
      (await recordedRun(config, tinyDataOf(config), { executorFor })).record(1);
    const [eager, recorded] = [await recordOf(executors.eager), await recordOf(executors.recorded)];
    const attention = blockOf(eager, eager.samples.blocks.attention);
    blockOf(recorded, recorded.samples.blocks.attention).forEach((value, i) => {
      expect(value).toBeCloseTo(attention[i] ?? Number.NaN, 4);
    });
    for (const [i, { sub, kept, ...sample }] of recorded.samples.training.entries()) {
      const other = eager.samples.training[i];
      expect([sample.sample, kept]).toEqual([other?.sample, other?.kept]);
      expect(sub?.loss).toBeCloseTo(other?.sub?.loss ?? Number.NaN, 3);
    }
  },
);
