/**
 * `npm run bench:step [-- --json] [--quick] [--work WORK] [--row ROW] [--precision NAME] [--executor NAME]`: the training step against
 * PyTorch's, on this machine, in turn; and what recording it takes. What the figures mean: docs/benchmarks.md.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { fail, SetupError } from '../setup/step.mjs';
import { bundle } from './bundle.mjs';
import { compare, methods, ours } from './compare.mjs';
import { findTorch, Load, machine, measureTogether, median } from './measure.mjs';
import { print } from './print.mjs';
import { quick, works } from './works.mjs';

const cores = os.availableParallelism();
const options = /** @type {const} */ ({
  json: { type: 'boolean' },
  quick: { type: 'boolean' },
  work: { type: 'string' },
  row: { type: 'string' },
  precision: { type: 'string' },
  executor: { type: 'string' },
});
/** @type {Record<string, (bench: any, name: string, work: import('./works.mjs').Work, options: any) => AsyncGenerator<any>>} */
const rows = {
  compare: compareAll,
  statistics,
  pair,
  recording,
  memory,
};
/** Steps at each end of a long run whose resident memory is compared. */
const WINDOW = 100;

await main().catch(fail);

async function main() {
  const values = /** @type {Record<string, any>} */ (parseArgs({ options }).values);
  if (values.work && !works[values.work])
    throw new SetupError(`There is no work "${values.work}": ${Object.keys(works).join(', ')}.`);
  if (values.row && !Object.hasOwn(rows, values.row))
    throw new SetupError(`There is no row "${values.row}": ${Object.keys(rows).join(', ')}.`);
  const show = print(values.json === true);
  show({ row: 'machine', ...machine() });
  const file = await bundle({ worker: 'scripts/bench/stepWorker.ts', environment: 'src/runner/environment.ts' });
  const { trainingEnvironment } = await import(pathToFileURL(file('environment')).href);
  const { executor, precision } = values;
  const bench = { worker: file('worker'), torch: findTorch(), environment: trainingEnvironment, executor };

  for (const [name, full] of Object.entries(works)) {
    if (values.work && values.work !== name) continue;
    const work = values.quick ? quick(full) : full;
    for (const row of work.rows) {
      if (values.row && values.row !== row) continue;
      for await (const found of rows[row](bench, name, work, { precision, quick: values.quick })) show(found);
    }
  }
}

async function* compareAll(bench, name, work, { precision: only }) {
  for (const precision of work.precisions) {
    if (only && only !== precision) continue;
    for (const threads of work.threads) {
      yield* await compare(bench, name, work, { threads, precision, device: 'cpu' });
    }
  }
}

/** What the gradient statistics cost: MaskSub steps with and without them, step by step in turn within a process. */
async function* statistics(bench, name, work) {
  const threads = work.threads[0] ?? cores;
  const load = new Load();
  const lanes = [
    { method: 'masksub', statistics: true },
    { method: 'masksub', statistics: false },
  ];
  const task = { work, lanes, executor: bench.executor, precision: 'float32', device: 'cpu' };
  const results = [];
  for (let round = 0; round < work.rounds; round++) {
    results.push(...(await measureTogether([{ file: bench.worker, task, env: bench.environment(threads) }])));
  }
  load.add(results);
  const withMs = median(results.flatMap(({ times }) => times[0] ?? []));
  const withoutMs = median(results.flatMap(({ times }) => times[1] ?? []));
  const byRound = results.map(({ times: [a = [], b = []] }) => 1 - median(b) / median(a));
  const share = 1 - withoutMs / withMs;
  yield { row: 'statistics', work: name, threads, withMs, withoutMs, share, byRound, foreign: load.foreign() };
}

/** A pair of runs as two processes with half the cores each, and as one process that takes turns with all of them. */
async function* pair(bench, name, work) {
  const load = new Load();
  const each = Math.max(1, Math.floor(cores / 2));
  const lane = (method) => ({ method, statistics: true });
  const task = (lanes, threads) => ({
    file: bench.worker,
    task: { work, lanes, executor: bench.executor, precision: 'float32', device: 'cpu' },
    env: bench.environment(threads),
  });
  const processes = [];
  const interleaved = [];
  for (let round = 0; round < work.rounds; round++) {
    const two = await measureTogether(methods.map((method) => task([lane(method)], each)));
    const one = await measureTogether([task(methods.map(lane), cores)]);
    processes.push(Math.max(...two.map(({ wallMs }) => wallMs)) / work.steps);
    interleaved.push(Math.max(...one.map(({ wallMs }) => wallMs)) / work.steps);
    load.add([...two, ...one]);
  }
  const ms = { processes: median(processes), interleaved: median(interleaved) };
  yield { row: 'pair', work: name, ...ms, ratio: ms.processes / ms.interleaved, foreign: load.foreign() };
}

/** From the call that makes the executor to the end of the first step: with an empty cache, and with what that has left in it. */
async function* recording(bench, name, work) {
  const load = new Load();
  const kind = /** @type {const} */ ({ threads: cores, precision: 'float32', device: 'cpu' });
  const once = { ...work, warmup: 1, steps: 4 };
  /** @type {Record<string, import('./measure.mjs').Measured[]>} */
  const found = { recording: [], 'recording-cached': [] };
  for (let round = 0; round < work.rounds; round++) {
    const cache = fs.mkdtempSync(path.join(os.tmpdir(), 'masksub-bench-'));
    try {
      for (const results of Object.values(found))
        results.push(await ours(bench, once, 'masksub', kind, { XDG_CACHE_HOME: cache }));
    } finally {
      fs.rmSync(cache, { recursive: true, force: true });
    }
  }
  load.add(Object.values(found).flat());
  for (const [row, results] of Object.entries(found)) {
    const peakBytes = median(results.map(({ firstPeakBytes }) => firstPeakBytes));
    const trainingPeakBytes = median(results.map(({ laterPeakBytes }) => laterPeakBytes));
    const ms = median(results.map(({ firstMs }) => firstMs));
    const memory = { peakBytes, trainingPeakBytes, peakRatio: peakBytes / trainingPeakBytes };
    yield { row, work: name, executor: results[0]?.executor, ms, ...memory, foreign: load.foreign() };
  }
}

/** Resident memory over many steps. */
async function* memory(bench, name, work, { quick: short }) {
  const steps = short ? 2 * WINDOW : 10_000;
  const kind = /** @type {const} */ ({ threads: 1, precision: 'float32', device: 'cpu' });
  const { resident, executor } = await ours(bench, { ...work, warmup: WINDOW, steps }, 'masksub', kind);
  const before = median(resident.slice(0, WINDOW));
  const after = median(resident.slice(-WINDOW));
  yield { row: 'memory-flat', work: name, executor, steps, before, after, growth: after / before - 1 };
}
