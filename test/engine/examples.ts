/** Small problems for the tests of the engine: a config, images of noise, and what training asks of its surroundings. */
import { createHash } from 'node:crypto';
import { expect } from 'vitest';
import { type Config, resolveConfig } from '../../src/core/config.ts';
import type { ConfigInput } from '../../src/core/configSchema.ts';
import type { EngineEvent } from '../../src/core/events.ts';
import { RandomStream } from '../../src/core/random.ts';
import { scheduledValue } from '../../src/core/schedules.ts';
import type { TextSet } from '../../src/core/textSet.ts';
import { type MemoryImages, memoryImages } from '../../src/data/memoryImages.ts';
import { Batches } from '../../src/engine/batches.ts';
import { methods } from '../../src/engine/methods/index.ts';
import { initialValues } from '../../src/engine/parameters.ts';
import { buildProblem } from '../../src/engine/problem.ts';
import { recipes } from '../../src/engine/recipes/index.ts';
import { eagerExecutor } from '../../src/engine/step/eager.ts';
import type { HostBatch, Snapshot } from '../../src/engine/step/executor.ts';
import { recordedExecutor } from '../../src/engine/step/recorded.ts';
import { stepScalars } from '../../src/engine/step/step.ts';
import { type Identity, type Resume, type Surroundings, train } from '../../src/engine/train.ts';
import type { ImageData, TextData, TrainingData } from '../../src/engine/trainingData.ts';
import { loadGraphRuntime } from '../../src/runner/graphRuntime.ts';
import { engineFolder, stepAddonFile } from '../../src/runner/paths.ts';

/** Images that lie in memory. */
export type PixelData = ImageData & { readonly train: MemoryImages; readonly validation: MemoryImages };

type Changes = { [G in keyof ConfigInput]?: Partial<NonNullable<ConfigInput[G]>> };

/** The demo with some keys changed. */
export function demoConfig(changes: Changes = {}): Config {
  return resolved({
    ...changes,
    data: { dataset: 'fashion-mnist-mini', ...changes.data },
    model: { name: 'vit', ...lively(changes), ...changes.model },
    recipe: 'demo',
  });
}

/** Of each model one for `tinyData` or `tinyTexts`: a step takes milliseconds. The ViT has four tokens of width 8 in two blocks. */
const tinyModels = {
  vit: { patchSize: 4, width: 8, depth: 2, heads: 2, mlpRatio: 2 },
  resnet: { blocks: [1, 1], channels: [2, 4], stem: 4, maskPatch: 4 },
  swin: { patchSize: 2, width: 4, blocks: [2], heads: [1], window: 2, maskPatch: 4, mlpRatio: 2 },
  bert: { width: 8, depth: 2, heads: 2, mlpRatio: 2, vocabulary: 20, positions: 12 },
} as const;
const texts = { dataset: 'text', path: 'texts', tokenizer: 'vocab.txt' } as const;
/** Those that see images. */
export const imageModelNames = (Object.keys(tinyModels) as (keyof typeof tinyModels)[]).filter(
  (name) => name !== 'bert',
);

/** A tiny model, by default the ViT; `tinyDataOf` has its data. */
export function tinyConfig(changes: Changes = {}): Config {
  const name = (changes.model?.name ?? 'vit') as keyof typeof tinyModels;
  return resolved({
    ...changes,
    data: { ...(name === 'bert' ? texts : { dataset: 'fashion-mnist-mini' }), ...changes.data },
    model: {
      name,
      ...(name === 'bert' ? {} : { imageSize: 8 }),
      ...tinyModels[name],
      ...lively(changes),
      ...changes.model,
    },
    train: { epochs: 2, batchSize: 8, warmupEpochs: 0, learningRate: 1e-2, ...changes.train },
  });
}

export const tinyDataOf = ({ model: { name } }: Config): TrainingData => (name === 'bert' ? tinyTexts : tinyData);

/** CoSub's branches are the same without drop-path. */
const lively = ({ method, model }: Changes) =>
  method?.name === 'cosub' && model?.name !== 'bert' ? { dropPath: 0.2 } : {};

function resolved(input: object): Config {
  const result = resolveConfig(input, recipes);
  if ('problems' in result) throw new Error(result.problems.map((problem) => problem.message).join('\n'));
  return result.config;
}

/** `count` training and half as many validation images of noise, in `classes` classes. */
export function noiseData(side: number, count: number, classes = 10, channels = 1): PixelData {
  const stream = new RandomStream(7, 'test.images');
  const set = (count: number): MemoryImages =>
    memoryImages({
      pixels: Uint8Array.from({ length: count * side * side * channels }, () => stream.below(256)),
      labels: Int32Array.from({ length: count }, () => stream.below(classes)),
      height: side,
      width: side,
      channels,
    });
  const each = <T>(value: T) => Array.from({ length: channels }, () => value);
  return {
    kind: 'images',
    name: 'noise',
    classes,
    size: { height: side, width: side },
    channels,
    mean: each(0.3),
    std: each(0.4),
    train: set(count),
    validation: set(count >> 1),
    hash: 'sha256:noise',
  };
}

/** `count` training and half as many validation texts of random tokens, of 4 to `length` of them, in `classes` classes. */
export function noiseTexts(length: number, count: number, classes = 5, vocabulary = 20): TextData {
  const stream = new RandomStream(8, 'test.texts');
  const set = (size: number): TextSet => {
    const tokens = Int32Array.from({ length: size }, () => 4 + stream.below(length - 3));
    // 0 is the padding, 1 is [CLS], 2 is [MASK].
    const ids = Int32Array.from({ length: size * length }, (_, at) => {
      const place = at % length;
      const word = 3 + stream.below(vocabulary - 3);
      return place === 0 ? 1 : place < (tokens[Math.floor(at / length)] as number) ? word : 0;
    });
    const types = ids.map((id, at) => (id !== 0 && at % length > 3 ? 1 : 0));
    return { count: size, ids, types, tokens, labels: Int32Array.from({ length: size }, () => stream.below(classes)) };
  };
  return {
    kind: 'text',
    name: 'noise',
    classes,
    length,
    vocabulary,
    maskToken: 2,
    train: set(count),
    validation: set(count >> 1),
    hash: 'sha256:texts',
  };
}

export const demoData = noiseData(28, 128);
/** For models of texts. */
export const tinyTexts = noiseTexts(12, 64);
export const tinyData = noiseData(8, 64, 5, 3);

/** The native engine's graph runtime; `threads` is how many one op may use. */
export const graphRuntime = (threads = 2) => loadGraphRuntime(stepAddonFile(engineFolder()), threads);

/** Every executor, by name: what must hold of one must hold of all. Recorded, nothing hands over to eager: it must be able to. */
export const executors = {
  eager: async (problem, initial) => ({
    executor: eagerExecutor(problem, initial),
    reason: 'A test asks for it.',
  }),
  recorded: async (problem, initial) => ({
    executor: await recordedExecutor(problem, initial, graphRuntime()),
    reason: 'A test asks for it.',
  }),
} as const satisfies Record<string, Surroundings['executorFor']>;
export const executorNames = Object.keys(executors) as (keyof typeof executors)[];

/** Problem, batches and an executor at the initial weights of the config's seed. */
export async function setUp(config: Config, data: TrainingData, executorName: keyof typeof executors = 'eager') {
  const problem = buildProblem(config, data);
  const batches = new Batches(config, data, problem.model, problem.method);
  const initial = initialValues(problem.model, config.train.seed);
  const { executor } = await executors[executorName](problem, initial);
  /** The batches of step `step`, counted from 0, and its scalars at the peak learning rate. */
  const stepInput = async (step: number): Promise<[HostBatch[], Readonly<Record<string, number>>]> => {
    const { accumulate, learningRate, epochs } = config.train;
    const stepsPerEpoch = Math.floor(batches.perEpoch / accumulate);
    const epoch = Math.floor(step / stepsPerEpoch);
    const order = batches.order(epoch);
    const first = (step % stepsPerEpoch) * accumulate;
    const subWeight = scheduledValue(config.method.subWeight, step / stepsPerEpoch, epochs);
    const micro = await Promise.all(
      Array.from({ length: accumulate }, (_, j) => batches.batch(epoch, first + j, order)),
    );
    return [micro, stepScalars(problem, step + 1, learningRate, subWeight)];
  };
  return { problem, batches, executor, stepInput };
}

/** A clock that ticks once a call, and checkpoints that are only counted. */
export function surroundings(changes: Partial<Surroundings> = {}): Surroundings {
  let seconds = 0;
  return {
    now: () => seconds++,
    date: () => '2026-01-31T12:00:00.000Z',
    cpuSeconds: () => 1,
    memory: () => ({ now: 1, peak: 2, available: 1e12 }),
    hash: hashOfAll,
    breathe: async () => false,
    executorFor: executors.eager,
    saveCheckpoint: (name) => `checkpoints/${name}`,
    ...changes,
  };
}

const identity: Identity = {
  role: 'method',
  pair: 'pair',
  attempt: 0,
  backend: 'tensorflow',
  backendReason: 'A test.',
};

/** Every event of a run, and what it returned. */
export async function eventsOf(
  config: Config,
  data: TrainingData,
  changes: Partial<Surroundings> = {},
  resume?: Resume,
) {
  const events: EngineEvent[] = [];
  const run = train(config, data, identity, surroundings(changes), resume);
  for (;;) {
    const next = await run.next();
    if (next.done) return { events, summary: next.value };
    events.push(next.value);
  }
}

/** Every value of a snapshot, in order. */
export const valuesOf = ({ parameters, buffers, slots, ema }: Snapshot): Float32Array[] => [
  ...parameters.values(),
  ...buffers.values(),
  ...[...slots.values()].flatMap((slot) => [...slot.values()]),
  ...(ema ? ema.values() : []),
];

/** The first `steps` steps of a run, one after the other. */
export async function trainSteps(
  { executor, stepInput }: Awaited<ReturnType<typeof setUp>>,
  from: number,
  to: number,
): Promise<void> {
  for (let step = from; step < to; step++) await executor.step(...(await stepInput(step)));
}

export function hashOf(parts: Iterable<ArrayBufferView>): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
  return hash.digest('hex');
}

async function hashOfAll(parts: Iterable<ArrayBufferView> | AsyncIterable<ArrayBufferView>): Promise<string> {
  const all: ArrayBufferView[] = [];
  for await (const part of parts) all.push(part);
  return hashOf(all);
}

export const methodNames = Object.keys(methods) as (keyof typeof methods)[];

/** Σ over all tensors of the products of their values. */
export function dot(a: ReadonlyMap<string, Float32Array>, b: ReadonlyMap<string, Float32Array>): number {
  let sum = 0;
  for (const [name, values] of a) {
    const other = b.get(name);
    values.forEach((value, i) => {
      sum += value * (other?.[i] ?? Number.NaN);
    });
  }
  return sum;
}

/** Fails where a tensor of `actual` is further from that of `expected` than `tolerance` of its norm, or 1 % of that of all norms. */
export function expectClose(
  actual: ReadonlyMap<string, Float32Array> | undefined,
  expected: ReadonlyMap<string, Float32Array> | undefined,
  what: string,
  tolerance = 1e-4,
): void {
  expect([...(actual?.keys() ?? [])], what).toEqual([...(expected?.keys() ?? [])]);
  if (!actual || !expected) return;
  const floor = 0.01 * tolerance * norm(expected);
  for (const [name, values] of expected) {
    const [a, b] = [new Map([[name, actual.get(name) ?? values.subarray(0, 0)]]), new Map([[name, values]])];
    expect(norm(plus(b, -1, a)), `${what}: ${name}`).toBeLessThanOrEqual(tolerance * norm(b) + floor);
  }
}

export const norm = (a: ReadonlyMap<string, Float32Array>) => Math.sqrt(dot(a, a));

/** a + factor · b. */
export function plus(
  a: ReadonlyMap<string, Float32Array>,
  factor: number,
  b: ReadonlyMap<string, Float32Array>,
): Map<string, Float32Array> {
  return new Map(
    [...a].map(([name, values]) => [name, values.map((value, i) => value + factor * (b.get(name)?.[i] ?? Number.NaN))]),
  );
}
