/** The same training step here and in PyTorch, eager and compiled: fresh processes in turn, and their rows. */
import path from 'node:path';
import { root } from '../setup/step.mjs';
import { Load, measurePython, measureTogether, median, Refused, undisturbed } from './measure.mjs';

/** @typedef {import('./works.mjs').Work} Work */
/** @typedef {import('./measure.mjs').Measured} Measured */
/**
 * @typedef {object} Bench
 * @property {string} worker bundle of stepWorker.ts
 * @property {{python: string} | undefined} torch
 * @property {(threads: number) => NodeJS.ProcessEnv} environment of a training process
 * @property {string | undefined} executor what runs our steps; by default what a run would choose
 */
/**
 * @typedef {object} Kind
 * @property {number} threads
 * @property {import('./works.mjs').Precision} precision
 * @property {'cpu' | 'cuda'} device
 */

export const methods = /** @type {const} */ (['baseline', 'masksub']);
const sides = /** @type {const} */ (['eager', 'compiled']);
const script = path.join(root, 'scripts', 'bench', 'step.py');

/**
 * Rows of both methods, and one for what MaskSub's step takes of the baseline's. Where this engine or machine can't do the work, one
 * row that says why.
 *
 * @param {Bench} bench
 * @param {string} name
 * @param {Work} work
 * @param {Kind} kind
 */
export async function compare(bench, name, work, kind) {
  const { threads, precision } = kind;
  const head = { work: name, precision, threads };
  const load = new Load();
  /** @type {Map<string, Measured[]>} */
  const found = new Map();
  /** Why a side of PyTorch's is missing: torch.compile fails, or a library is not there. @type {Partial<Record<'eager' | 'compiled', string>>} */
  const refused = bench.executor === 'eager' ? { compiled: 'An eager step is compared with an eager one.' } : {};
  const add = (side, method, measured) => {
    load.add([measured]);
    found.set(`${side} ${method}`, [...(found.get(`${side} ${method}`) ?? []), measured]);
  };
  try {
    for (let round = 0; round < work.rounds; round++) {
      for (const method of methods) {
        add('ours', method, await ours(bench, work, method, kind));
        for (const side of bench.torch ? sides : []) {
          if (refused.eager ?? refused[side]) continue;
          try {
            add(side, method, await pytorch(bench, work, method, kind, side));
          } catch (error) {
            if (!(error instanceof Refused)) throw error;
            refused[side] = error.message;
          }
        }
      }
    }
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return [{ row: 'skipped', ...head, reason: error.message }];
  }
  if (new Set([...found.values()].flat().map(({ parameters }) => parameters)).size !== 1)
    throw new Error('The models differ in size.');

  const foreign = load.foreign();
  const rows = methods.map((method) => {
    const [mine, eager, compiled] = ['ours', ...sides].map((side) =>
      refused[side] ? null : figures(found.get(`${side} ${method}`)),
    );
    return {
      work: name,
      method,
      precision,
      threads,
      executor: found.get(`ours ${method}`)?.[0]?.executor,
      ours: mine,
      pytorch: eager,
      compiled,
      ...(refused.eager ? { notCompared: refused.eager } : {}),
      ...(refused.compiled ? { notCompiled: refused.compiled } : {}),
      ratio: mine && eager && ratioOf(mine, eager, compiled),
      foreign,
    };
  });
  const [baseline, masksub] = rows;
  const share = (side) => (masksub?.[side] && baseline?.[side] ? masksub[side].ms / baseline[side].ms : null);
  const shares = { ours: share('ours'), pytorch: share('pytorch'), compiled: share('compiled') };
  return [...rows, { row: 'method', ...head, ...shares }];
}

/** Our share of the better of PyTorch's two figures, for each quantity by itself. */
function ratioOf(mine, eager, compiled) {
  const better = (quantity) => Math.min(eager[quantity], compiled?.[quantity] ?? Number.POSITIVE_INFINITY);
  const of = (quantity) => mine[quantity] / better(quantity);
  return {
    time: of('ms'),
    memory: of('peakBytes'),
    anonymous: of('anonymousBytes'),
    ...(mine.deviceBytes ? { device: of('deviceBytes') } : {}),
  };
}

/**
 * A process that makes our steps of one method and nothing else.
 *
 * @param {Bench} bench
 * @param {Work} work
 * @param {typeof methods[number]} method
 * @param {Kind} kind
 * @param {NodeJS.ProcessEnv} more environment
 * @returns {Promise<Measured>}
 */
export async function ours({ worker, environment, executor }, work, method, { threads, precision, device }, more = {}) {
  const task = { work, lanes: [{ method, statistics: true }], executor, precision, device };
  const env = { ...environment(threads), ...(device === 'cuda' ? { TF_FORCE_GPU_ALLOW_GROWTH: 'true' } : {}), ...more };
  const [measured] = await measureTogether([{ file: worker, task, env, device }]);
  return /** @type {Measured} */ (measured);
}

/** PyTorch in the environment that it finds; only its threads are set, and it compiles within its own process: nobody counts a pool's. */
function pytorch(bench, work, method, { threads, precision, device }, mode) {
  const task = { work, lanes: [{ method }], threads, precision, device, mode };
  const env = {
    ...process.env,
    OMP_NUM_THREADS: String(threads),
    MKL_NUM_THREADS: String(threads),
    TORCHINDUCTOR_COMPILE_THREADS: '1',
    PYTHONDONTWRITEBYTECODE: '1',
  };
  return measurePython(bench.torch.python, { file: script, task, env, device });
}

/** @param {readonly Measured[] | undefined} results processes of one kind, each with one lane */
function figures(results) {
  if (!results) return null;
  const times = results.flatMap((result) => result.times.flat());
  const ms = median(times);
  const each = (quantity) => median(results.map((result) => result[quantity]));
  const aStep = (quantity) => median(results.map((result) => result[quantity] / result.times.flat().length));
  return {
    ms,
    cpuMs: aStep('cpuMs'),
    peakBytes: each('peakBytes'),
    anonymousBytes: each('anonymousBytes'),
    ...(results[0]?.deviceBytes ? { deviceBytes: each('deviceBytes') } : {}),
    stepsPerSecond: 1000 / ms,
    undisturbedMs: undisturbed(times),
    pageFaults: aStep('pageFaults'),
    loadedBytes: each('loadedBytes'),
    firstMs: each('firstMs'),
  };
}
