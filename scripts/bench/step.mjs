/**
 * `npm run bench:step [-- --json] [--quick] [--only WORK] [--row ROW]`: the eager training step against PyTorch's, on this machine, in turn.
 * What the figures mean: docs/benchmarks.md.
 */
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { fail, root } from '../setup/step.mjs';
import { bundle } from './bundle.mjs';
import { findTorch, Load, machine, measurePython, measureTogether, median, undisturbed } from './measure.mjs';
import { print } from './print.mjs';
import { quickWorks, works } from './works.mjs';

/** @typedef {import('./works.mjs').Work} Work */
/** @typedef {import('./measure.mjs').Measured} Measured */

const cores = os.availableParallelism();
const methods = /** @type {const} */ (['baseline', 'masksub']);
const script = path.join(root, 'scripts', 'bench', 'step.py');
const options = /** @type {const} */ ({
  json: { type: 'boolean' },
  quick: { type: 'boolean' },
  only: { type: 'string' },
  row: { type: 'string' },
});

await main().catch(fail);

async function main() {
  const { values } = parseArgs({ options });
  const show = print(values.json === true);
  show({ row: 'machine', ...machine() });
  const torch = findTorch();
  const file = await bundle({ worker: 'scripts/bench/stepWorker.ts', environment: 'src/runner/environment.ts' });
  const { trainingEnvironment } = await import(pathToFileURL(file('environment')).href);
  const bench = { worker: file('worker'), torch, environment: trainingEnvironment };

  const rows = { compare, statistics, pair };
  for (const [name, work] of Object.entries(values.quick ? quickWorks : works)) {
    if (values.only && values.only !== name) continue;
    for (const [row, measure] of Object.entries(rows)) {
      if (values.row && values.row !== row) continue;
      for (const threads of threadsOf(name, row))
        for (const found of await measure(bench, name, work, threads)) show(found);
    }
  }
}

/** A step of the demo is too small for several threads, and in a pair each run has its share of the cores. */
function threadsOf(name, row) {
  if (name !== 'vit-demo' || cores === 1) return [cores];
  return row === 'compare' ? [1, cores] : [1];
}

/** Step of both methods here and in PyTorch, a fresh process for each, all kinds in turn. */
async function compare(bench, name, work, threads) {
  const load = new Load();
  /** @type {Record<typeof methods[number], {ours: Measured[], pytorch: Measured[]}>} */
  const found = { baseline: { ours: [], pytorch: [] }, masksub: { ours: [], pytorch: [] } };
  for (let round = 0; round < work.rounds; round++) {
    for (const method of methods) {
      found[method].ours.push(await ours(bench, work, method, threads));
      if (bench.torch) found[method].pytorch.push(await pytorch(bench, work, method, threads));
    }
  }
  const all = Object.values(found).flatMap((kinds) => [...kinds.ours, ...kinds.pytorch]);
  if (new Set(all.map(({ parameters }) => parameters)).size !== 1) throw new Error('The models differ in size.');
  load.add(all);
  const foreign = load.foreign();
  const rows = methods.map((method) => {
    const mine = figures(found[method].ours);
    const theirs = bench.torch ? figures(found[method].pytorch) : null;
    const ratio = theirs && { time: mine.ms / theirs.ms, memory: mine.peakBytes / theirs.peakBytes };
    return { work: name, method, threads, ours: mine, pytorch: theirs, ratio, foreign };
  });
  const [baseline, masksub] = /** @type {[typeof rows[0], typeof rows[0]]} */ (rows);
  const methodRatio = {
    row: 'method',
    work: name,
    threads,
    ours: masksub.ours.ms / baseline.ours.ms,
    pytorch: masksub.pytorch && baseline.pytorch ? masksub.pytorch.ms / baseline.pytorch.ms : null,
  };
  return [...rows, methodRatio];
}

/** What the gradient statistics cost: MaskSub steps with and without them, step by step in turn within a process. */
async function statistics(bench, name, work, threads) {
  const load = new Load();
  const lanes = [
    { method: 'masksub', statistics: true },
    { method: 'masksub', statistics: false },
  ];
  const results = [];
  for (let round = 0; round < work.rounds; round++) {
    const env = bench.environment(threads);
    results.push(...(await measureTogether([{ file: bench.worker, task: { work, lanes }, env }])));
  }
  load.add(results);
  const withMs = median(results.flatMap(({ times }) => times[0] ?? []));
  const withoutMs = median(results.flatMap(({ times }) => times[1] ?? []));
  const byRound = results.map(({ times: [a = [], b = []] }) => 1 - median(b) / median(a));
  const share = 1 - withoutMs / withMs;
  return [{ row: 'statistics', work: name, threads, withMs, withoutMs, share, byRound, foreign: load.foreign() }];
}

/** A pair of runs as two processes with half the cores each, and as one process that takes turns with all of them. */
async function pair(bench, name, work) {
  const load = new Load();
  const each = Math.max(1, Math.floor(cores / 2));
  const lane = (method) => ({ method, statistics: true });
  const task = (lanes, threads) => ({ file: bench.worker, task: { work, lanes }, env: bench.environment(threads) });
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
  return [{ row: 'pair', work: name, ...ms, ratio: ms.processes / ms.interleaved, foreign: load.foreign() }];
}

async function ours(bench, work, method, threads) {
  const task = { work, lanes: [{ method, statistics: true }] };
  const env = bench.environment(threads);
  const [measured] = /** @type {[Measured]} */ (await measureTogether([{ file: bench.worker, task, env }]));
  return measured;
}

/** PyTorch in the environment that it finds; only its threads are set. */
function pytorch(bench, work, method, threads) {
  const task = { work, lanes: [{ method }], threads };
  const env = { ...process.env, OMP_NUM_THREADS: String(threads), MKL_NUM_THREADS: String(threads) };
  return measurePython(bench.torch.python, script, task, env);
}

/** @param {readonly Measured[]} results processes of one kind, each with one lane */
function figures(results) {
  return {
    ms: median(results.flatMap(({ times }) => times.flat())),
    undisturbedMs: undisturbed(results.flatMap(({ times }) => times.flat())),
    cpuMs: median(results.map(({ cpuMs, times }) => cpuMs / times.flat().length)),
    pageFaults: median(results.map(({ pageFaults, times }) => pageFaults / times.flat().length)),
    loadedBytes: median(results.map(({ loadedBytes }) => loadedBytes)),
    peakBytes: median(results.map(({ peakBytes }) => peakBytes)),
  };
}
