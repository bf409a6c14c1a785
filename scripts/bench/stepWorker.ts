/**
 * A process that times training steps. It gets its task as the first argument, tells when it is warm, waits for the word to
 * go, and sends what it measured; or it says why it can't do its task.
 */
import fs from 'node:fs';
import { type Config, resolveConfig } from '../../src/core/config.ts';
import { UserError } from '../../src/core/errors.ts';
import { typicalRatio } from '../../src/core/maskRatio.ts';
import { RandomStream } from '../../src/core/random.ts';
import { memoryImages } from '../../src/data/memoryImages.ts';
import { Batches } from '../../src/engine/batches.ts';
import { initialValues, sizeOf } from '../../src/engine/parameters.ts';
import { buildProblem, trainingFlops } from '../../src/engine/problem.ts';
import { stepScalars } from '../../src/engine/step/step.ts';
import type { ImageData, TextData } from '../../src/engine/trainingData.ts';
import { loadBackend } from '../../src/runner/backend.ts';
import { collectGarbage, limitThreads } from '../../src/runner/environment.ts';
import { executorFactory } from '../../src/runner/executor.ts';
import { checkMachine } from '../../src/runner/hardware.ts';
import { bareExecutorFactory } from './bareExecutor.ts';
import type { ImageWork, TextWork, Work } from './works.mjs';

/** One kind of step; a process may time several in turn. */
interface Lane {
  readonly method: 'baseline' | 'masksub';
  readonly statistics: boolean;
}

interface Task {
  readonly work: Work;
  readonly lanes: readonly Lane[];
  /** Default: what a run would choose. */
  readonly executor?: 'eager' | 'recorded';
  readonly precision: 'float32' | 'bfloat16';
  readonly device: 'cpu' | 'cuda';
}

/** Different batches, so that no cache holds the one that comes next. */
const BATCHES = 4;

const task = JSON.parse(process.argv[2] ?? '') as Task;
const { work } = task;
process.on('uncaughtException', (error) => {
  if (!(error instanceof UserError)) throw error;
  process.send?.({ failed: error.message }, () => process.exit());
});
const data = 'length' in work ? syntheticTexts(work) : syntheticImages(work);
const largest = Math.max(
  ...task.lanes.map((lane) => {
    const config = configOf(lane);
    return config.train.batchSize * trainingFlops(buildProblem(config, data), typicalRatio(config));
  }),
);
limitThreads(largest);
const backend = await loadBackend('tensorflow');
const loadedBytes = process.memoryUsage.rss();

const lanes: Awaited<ReturnType<typeof laneOf>>[] = [];
for (const lane of task.lanes) lanes.push(await laneOf(lane));
const firstPeakBytes = process.resourceUsage().maxRSS * 1024;
fs.writeFileSync('/proc/self/clear_refs', '5'); // starts the kernel's peak anew
for (let i = 1; i < work.warmup; i++) for (const lane of lanes) await lane.step();
process.once('message', () => void measure());
process.send?.('ready');

async function measure(): Promise<void> {
  const times = lanes.map((): number[] => []);
  const resident: number[] = [];
  const cpu = process.cpuUsage();
  const faults = process.resourceUsage().minorPageFault;
  const began = performance.now();
  for (let i = 0; i < work.steps; i++) {
    // Forth and back, so that no lane always follows the same one.
    const order = lanes.map((_, l) => (i % 2 === 0 ? l : lanes.length - 1 - l));
    for (const l of order) {
      const at = performance.now();
      await lanes[l]?.step();
      times[l]?.push(performance.now() - at);
    }
    resident.push(process.memoryUsage.rss());
  }
  const wallMs = performance.now() - began;
  const used = process.cpuUsage(cpu);
  const all = process.cpuUsage();
  const laterPeakBytes = process.resourceUsage().maxRSS * 1024;
  const result = {
    parameters: lanes[0]?.parameters,
    executor: lanes[0]?.executor,
    firstMs: lanes[0]?.firstMs,
    times,
    wallMs,
    cpuMs: (used.user + used.system) / 1e3,
    allCpuMs: (all.user + all.system) / 1e3,
    pageFaults: process.resourceUsage().minorPageFault - faults,
    loadedBytes,
    firstPeakBytes,
    laterPeakBytes,
    peakBytes: Math.max(firstPeakBytes, laterPeakBytes),
    resident,
  };
  // Native threads would keep the process alive.
  process.send?.(result, () => process.exit());
}

function configOf({ method }: Lane): Config {
  const { batchSize, maskRatio } = work;
  const imageSize = 'imageSize' in work ? { imageSize: work.imageSize } : {};
  const resolved = resolveConfig(
    {
      data: { dataset: 'fashion-mnist-mini' }, // a name that the schema knows; the data are synthetic
      model: { ...imageSize, ...work.model },
      method: { name: method, ...(method === 'masksub' ? { maskRatio } : {}) },
      train: { batchSize },
      // On a GPU it does not matter what the processor has.
      run: { executor: task.executor ?? 'auto', precision: task.precision, precisionForced: task.device === 'cuda' },
    },
    {},
  );
  if ('problems' in resolved) throw new UserError(resolved.problems.map(({ message }) => message).join('\n'));
  return resolved.config;
}

/** Training steps as a run makes them, host arrays in and numbers out. The first one is made here. */
async function laneOf(lane: Lane) {
  const config = configOf(lane);
  checkMachine(config.run, backend);
  const problem = buildProblem(config, data);
  let initial: ReadonlyMap<string, Float32Array> | undefined = initialValues(problem.model, 0);
  const source = new Batches(config, data, problem.model, problem.method);
  const order = source.order(0);
  const batches = await Promise.all(Array.from({ length: BATCHES }, (_, i) => source.batch(0, i, order)));
  const began = performance.now();
  const { executor } = await (lane.statistics ? executorFactory : bareExecutorFactory)(config.run, backend)(
    problem,
    initial,
  );
  initial = undefined; // as the run lets go of it, too
  collectGarbage();
  let done = 0;
  async function step(): Promise<void> {
    const batch = batches[done % BATCHES];
    if (!batch) throw new Error('The data hold too few batches.');
    done += 1;
    await executor.step([batch], stepScalars(problem, done, 1e-4, 0.5));
    const reports = await executor.reports();
    if (!reports.every(({ finite }) => finite)) throw new Error('The loss is not finite: such a step changes nothing.');
  }
  await step();
  const notices = executor.notices();
  if (notices.length > 0) throw new UserError(notices.join(' ')); // it fell back to eager
  return {
    parameters: problem.model.parameters.reduce((sum, spec) => sum + sizeOf(spec), 0),
    executor: executor.name,
    firstMs: performance.now() - began,
    step,
  };
}

/** Noise with random labels: the time of a step does not depend on what is in the images. */
function syntheticImages({ imageSize, channels, classes, batchSize }: ImageWork): ImageData {
  const count = BATCHES * batchSize;
  const stream = new RandomStream(0, 'bench');
  const images = memoryImages({
    pixels: Uint8Array.from({ length: count * imageSize * imageSize * channels }, () => stream.uniform() * 256),
    labels: Int32Array.from({ length: count }, () => stream.uniform() * classes),
    height: imageSize,
    width: imageSize,
    channels,
  });
  const perChannel = (value: number) => Array.from({ length: channels }, () => value);
  return {
    kind: 'images',
    name: 'synthetic',
    classes,
    size: { height: imageSize, width: imageSize },
    channels,
    mean: perChannel(0.5),
    std: perChannel(0.25),
    train: images,
    validation: images,
    hash: '',
  };
}

/** Random tokens, padded after half of the places to all of them, with random labels. */
function syntheticTexts({ length, classes, batchSize }: TextWork): TextData {
  const count = BATCHES * batchSize;
  const stream = new RandomStream(0, 'bench');
  const vocabulary = 30522; // of bert-base-uncased
  const texts = {
    count,
    ids: Int32Array.from({ length: count * length }, () => stream.below(vocabulary)),
    types: Int32Array.from({ length: count * length }, () => stream.below(2)),
    tokens: Int32Array.from({ length: count }, () => length / 2 + stream.below(length / 2 + 1)),
    labels: Int32Array.from({ length: count }, () => stream.below(classes)),
  };
  return {
    kind: 'text',
    name: 'synthetic',
    classes,
    length,
    vocabulary,
    maskToken: 103,
    train: texts,
    validation: texts,
    hash: '',
  };
}
