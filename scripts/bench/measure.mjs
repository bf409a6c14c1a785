/** How a benchmark measures: processes that are started, warmed up, released together and watched; medians; the machine. */
import { fork, spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { root, SetupError } from '../setup/step.mjs';

/**
 * @typedef {object} Measured what a process found out about its steps
 * @property {number} parameters
 * @property {number[][]} times milliseconds of each step, by lane
 * @property {number} wallMs
 * @property {number} cpuMs over all steps and threads
 * @property {number} allCpuMs of the whole process
 * @property {number} pageFaults over all steps: pages that the kernel had to map
 * @property {number} loadedBytes resident memory before the first step
 * @property {number} firstMs of the first step, with all that comes before it: recording, compiling
 * @property {number} peakBytes
 * @property {number} anonymousBytes peak of the memory that no file stands behind
 * @property {number} [deviceBytes] peak of the GPU's memory
 * @property {string} [executor] of our own steps
 * @property {number} firstPeakBytes of our own steps: peak up to the end of the first step
 * @property {number} laterPeakBytes of our own steps: peak of what came after it
 * @property {number[]} resident of our own steps: resident memory after each step
 */
/**
 * @typedef {object} Process
 * @property {string} file
 * @property {object} task
 * @property {NodeJS.ProcessEnv} env
 * @property {'cpu' | 'cuda'} [device]
 */

/** A measuring process that can't do its task, and says why. */
export class Refused extends Error {}

/** @param {readonly number[]} values */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** The time that 9 of 10 steps exceed: what a step takes while nothing disturbs it. @param {readonly number[]} values */
export function undisturbed(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 10)] ?? Number.NaN;
}

/**
 * Starts Node processes that tell when they are warm, lets them go together when all are, and returns what they found.
 *
 * @param {readonly Process[]} tasks
 * @returns {Promise<Measured[]>}
 */
export async function measureTogether(tasks) {
  const children = tasks.map(({ file, task, env }) =>
    fork(file, [JSON.stringify(task)], { env, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] }),
  );
  const watched = children.map(({ pid }, i) => watchMemory(pid, tasks[i]?.device));
  try {
    await Promise.all(children.map(nextMessage));
    const results = Promise.all(children.map(nextMessage));
    for (const child of children) child.send('go');
    return (await results).map((result, i) => ({ ...result, ...watched[i]?.() }));
  } finally {
    for (const stop of watched) stop();
    for (const child of children) child.kill('SIGKILL');
  }
}

/** The next message; libtensorflow's own chatter is shown only where the process ends without one. */
function nextMessage(child) {
  return new Promise((resolve, reject) => {
    let said = '';
    const hear = (text) => {
      said += text;
    };
    const ended = (code, signal) =>
      reject(new SetupError(`A measuring process ended with ${signal ?? `code ${code}`}:\n${said.trim()}`));
    child.stderr.setEncoding('utf8').on('data', hear);
    child.once('exit', ended);
    child.once('message', (message) => {
      child.off('exit', ended);
      if (message.failed) reject(new Refused(message.failed));
      else resolve(message);
    });
  });
}

/**
 * Runs a Python script that prints what it measured.
 *
 * @param {string} python
 * @param {Process} process
 * @returns {Promise<Measured>}
 */
export function measurePython(python, { file, task, env, device }) {
  return new Promise((resolve, reject) => {
    const child = spawn(python, [file, JSON.stringify(task)], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    const stop = watchMemory(child.pid, device);
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
    child.on('error', reject);
    child.on('close', (code) => {
      const memory = stop();
      if (code !== 0) return reject(new SetupError(`${path.basename(file)} ended with code ${code}.`));
      const result = JSON.parse(output.trim().split('\n').at(-1) ?? '');
      if (result.failed) reject(new Refused(result.failed));
      else resolve({ ...result, ...memory });
    });
  });
}

/**
 * Watches a process from outside, so that both sides are disturbed alike; the function that it returns ends that and tells the peaks.
 * The kernel keeps no peak of anonymous memory by itself, and file pages can go while a process runs.
 *
 * @param {number | undefined} pid
 * @param {'cpu' | 'cuda' | undefined} device
 */
function watchMemory(pid, device) {
  let anonymousBytes = 0;
  const timer = setInterval(() => {
    try {
      const status = fs.readFileSync(`/proc/${pid}/status`, 'utf8');
      anonymousBytes = Math.max(anonymousBytes, 1024 * Number(/^RssAnon:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0));
    } catch {
      // It has just ended.
    }
  }, 5);
  const stopDevice = device === 'cuda' ? watchDevice() : () => ({});
  return () => {
    clearInterval(timer);
    return { anonymousBytes, ...stopDevice() };
  };
}

/** Watches how much of the GPU's memory is taken beyond what was taken before. */
function watchDevice() {
  const query = ['--query-gpu=memory.used', '--format=csv,noheader,nounits'];
  const before = Number.parseFloat(spawnSync('nvidia-smi', query, { encoding: 'utf8' }).stdout);
  const child = spawn('nvidia-smi', [...query, '--loop-ms=100'], { stdio: ['ignore', 'pipe', 'ignore'] });
  let peak = before;
  child.stdout.setEncoding('utf8').on('data', (text) => {
    for (const line of text.trim().split('\n')) peak = Math.max(peak, Number.parseFloat(line) || 0);
  });
  return () => {
    child.kill();
    return { deviceBytes: (peak - before) * 2 ** 20 };
  };
}

/** The Python to compare with and its PyTorch's version, or nothing: `MASKSUB_TORCH_PYTHON`, else `python3`. */
export function findTorch() {
  const python = process.env.MASKSUB_TORCH_PYTHON ?? 'python3';
  const { status, stdout } = spawnSync(python, ['-c', 'import torch; print(torch.__version__)'], { encoding: 'utf8' });
  return status === 0 ? { python, version: stdout.trim() } : undefined;
}

/** Watches how much of the machine others use while something is measured. */
export class Load {
  #busy = busyMs();
  #began = performance.now();
  #own = 0;
  #self = process.cpuUsage();

  /** @param {readonly Measured[]} measured processes that are part of the benchmark */
  add(measured) {
    for (const { allCpuMs } of measured) this.#own += allCpuMs;
  }

  /** Share of the cores that other processes took since the beginning, 0 to 1. */
  foreign() {
    const available = (performance.now() - this.#began) * os.cpus().length;
    const { user, system } = process.cpuUsage(this.#self);
    return Math.max(0, (busyMs() - this.#busy - this.#own - (user + system) / 1e3) / available);
  }
}

function busyMs() {
  return os.cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0);
}

/** The machine and the versions, for the head of a report. */
export function machine() {
  const engine = path.join(process.env.MASKSUB_ENGINE ?? path.join(root, '.engine'), 'engine.json');
  if (!fs.existsSync(engine)) throw new SetupError('There is no native engine to measure; npm start installs it.');
  return {
    cpu: os.cpus()[0]?.model ?? 'unknown',
    cores: os.availableParallelism(),
    memoryBytes: os.totalmem(),
    kernel: os.release(),
    node: process.versions.node,
    libtensorflow: JSON.parse(fs.readFileSync(engine, 'utf8')).libtensorflow,
    pytorch: findTorch()?.version ?? null,
    at: new Date().toISOString(),
  };
}
