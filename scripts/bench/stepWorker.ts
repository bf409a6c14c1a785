/**
 * A process that times training steps. It gets its task as the first argument, tells when it is warm, waits for the word to
 * go, and sends what it measured.
 */
import { resolveConfig } from '../../src/core/config.ts';
import { RandomStream } from '../../src/core/random.ts';
import { Batches, type TrainingData } from '../../src/engine/batches.ts';
import { initialValues, sizeOf } from '../../src/engine/parameters.ts';
import { buildProblem } from '../../src/engine/problem.ts';
import { eagerExecutor } from '../../src/engine/step/eager.ts';
import { loadBackend } from '../../src/runner/backend.ts';
import { bareExecutor } from './bareExecutor.ts';
import type { Work } from './works.mjs';

/** One kind of step; a process may time several in turn. */
interface Lane {
  readonly method: 'baseline' | 'masksub';
  readonly statistics: boolean;
}

interface Task {
  readonly work: Work;
  readonly lanes: readonly Lane[];
}

/** Different batches, so that no cache holds the one that comes next. */
const BATCHES = 4;

const task = JSON.parse(process.argv[2] ?? '') as Task;
const { work } = task;
await loadBackend('tensorflow');
const data = syntheticData();
const lanes = task.lanes.map(laneOf);
const loadedBytes = process.memoryUsage.rss();

for (let i = 0; i < work.warmup; i++) for (const lane of lanes) await lane.step();
process.once('message', () => void measure());
process.send?.('ready');

async function measure(): Promise<void> {
  const times = lanes.map((): number[] => []);
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
  }
  const wallMs = performance.now() - began;
  const used = process.cpuUsage(cpu);
  const all = process.cpuUsage();
  const result = {
    parameters: lanes[0]?.parameters,
    times,
    wallMs,
    cpuMs: (used.user + used.system) / 1e3,
    allCpuMs: (all.user + all.system) / 1e3,
    pageFaults: process.resourceUsage().minorPageFault - faults,
    loadedBytes,
    peakBytes: process.resourceUsage().maxRSS * 1024,
  };
  // Native threads would keep the process alive.
  process.send?.(result, () => process.exit());
}

/** One training step as a run makes it, host arrays in and numbers out. */
function laneOf({ method, statistics }: Lane) {
  const { imageSize, batchSize, maskRatio } = work;
  const resolved = resolveConfig(
    {
      data: { dataset: 'fashion-mnist-mini' }, // a name that the schema knows; the data are synthetic
      model: { name: 'vit', imageSize, ...work.model },
      method: { name: method, ...(method === 'masksub' ? { maskRatio } : {}) },
      train: { batchSize },
    },
    {},
  );
  if ('problems' in resolved) throw new Error(resolved.problems.map(({ message }) => message).join('\n'));
  const { config } = resolved;
  const problem = buildProblem(config, data);
  const executor = (statistics ? eagerExecutor : bareExecutor)(problem, initialValues(problem.model.parameters, 0));
  const source = new Batches(config, data, problem.model, problem.method);
  const batches = Array.from({ length: BATCHES }, (_, i) => source.batch(0, i, source.order(0)));
  let done = 0;
  return {
    parameters: problem.model.parameters.reduce((sum, spec) => sum + sizeOf(spec), 0),
    async step() {
      const batch = batches[done % BATCHES];
      if (!batch) throw new Error('The data hold too few batches.');
      done += 1;
      await executor.step([batch], problem.optimizer.scalars(done, 1e-4));
      await executor.reports();
    },
  };
}

/** Noise with random labels: the time of a step does not depend on what is in the images. */
function syntheticData(): TrainingData {
  const { imageSize, channels, classes, batchSize } = work;
  const count = BATCHES * batchSize;
  const stream = new RandomStream(0, 'bench');
  const images = {
    count,
    pixels: Uint8Array.from({ length: count * imageSize * imageSize * channels }, () => stream.uniform() * 256),
    labels: Int32Array.from({ length: count }, () => stream.uniform() * classes),
  };
  const perChannel = (value: number) => Array.from({ length: channels }, () => value);
  return {
    name: 'synthetic',
    classes,
    height: imageSize,
    width: imageSize,
    channels,
    mean: perChannel(0.5),
    std: perChannel(0.25),
    train: images,
    validation: images,
    hash: '',
  };
}
