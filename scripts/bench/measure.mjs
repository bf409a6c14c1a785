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
 * @property {number} peakBytes
 */

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
 * @param {readonly {file: string, task: object, env: NodeJS.ProcessEnv}[]} tasks
 * @returns {Promise<Measured[]>}
 */
export async function measureTogether(tasks) {
  const children = tasks.map(({ file, task, env }) =>
    fork(file, [JSON.stringify(task)], { env, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] }),
  );
  try {
    await Promise.all(children.map(nextMessage));
    const results = Promise.all(children.map(nextMessage));
    for (const child of children) child.send('go');
    return await results;
  } finally {
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
      resolve(message);
    });
  });
}

/**
 * Runs a Python script that prints what it measured.
 *
 * @param {string} python
 * @param {string} file
 * @param {object} task
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<Measured>}
 */
export function measurePython(python, file, task, env) {
  return new Promise((resolve, reject) => {
    const child = spawn(python, [file, JSON.stringify(task)], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
    child.on('error', reject);
    child.on('close', (code) =>
      code === 0
        ? resolve(JSON.parse(output))
        : reject(new SetupError(`${path.basename(file)} ended with code ${code}.`)),
    );
  });
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

  /** @param {readonly Measured[]} measured processes that are part of the benchmark */
  add(measured) {
    for (const { allCpuMs } of measured) this.#own += allCpuMs;
  }

  /** Share of the cores that other processes took since the beginning, 0 to 1. */
  foreign() {
    const available = (performance.now() - this.#began) * os.cpus().length;
    return Math.max(0, (busyMs() - this.#busy - this.#own) / available);
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
