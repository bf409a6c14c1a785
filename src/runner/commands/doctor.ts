/** `masksub doctor`: what this machine has, and whether the engine really computes. */
import os from 'node:os';
import * as tf from '@tensorflow/tfjs-core';
import { describeError } from '../../core/errors.ts';
import { bytes } from '../../core/format.ts';
import { loadBackend } from '../backend.ts';
import { lackingHere } from '../hardware.ts';
import { engineFolder } from '../paths.ts';
import { engineVersion } from '../provenance.ts';

interface Check {
  readonly name: string;
  readonly ok: boolean;
  /** True where training lacks nothing without it, or another check says so already. */
  readonly optional?: boolean;
  readonly detail: string;
}

export async function doctor(options: { json?: boolean }): Promise<void> {
  const tensorflow = await engine('tensorflow');
  const checks = [runtime(), memory(), tensorflow, ...recorded(tensorflow.ok), await engine('wasm')];
  if (options.json) process.stdout.write(`${JSON.stringify({ checks })}\n`);
  else
    for (const { name, ok, optional, detail } of checks)
      process.stdout.write(`${ok ? '✓' : optional ? '–' : '✗'} ${name.padEnd(12)} ${detail}\n`);
  // Native threads keep a process alive; one backend is enough to train.
  process.exit(checks.some((check) => check.ok && ['TensorFlow', 'WebAssembly'].includes(check.name)) ? 0 : 1);
}

function runtime(): Check {
  const major = Number(process.versions.node.split('.')[0]);
  return {
    name: 'Node',
    ok: major >= 20,
    detail: `${process.versions.node}, ${process.platform} ${process.arch}${major < 20 ? '; 20 or later is needed' : ''}`,
  };
}

function memory(): Check {
  const cores = os.availableParallelism();
  return {
    name: 'Machine',
    ok: true,
    detail: `${cores} cores, ${bytes(os.totalmem())} of memory, ${bytes(os.freemem())} free`,
  };
}

/** Loads a backend and multiplies two matrices on it. */
async function engine(backend: 'tensorflow' | 'wasm'): Promise<Check> {
  const name = backend === 'tensorflow' ? 'TensorFlow' : 'WebAssembly';
  try {
    await loadBackend(backend);
    const [product] = tf.tidy(() => tf.matMul(tf.ones([2, 3]), tf.ones([3, 2])).dataSync());
    const version = backend === 'tensorflow' ? `libtensorflow ${engineVersion()} at ${engineFolder()}` : 'ready';
    return { name, ok: product === 3, detail: product === 3 ? version : `computes wrongly: 3 came out as ${product}` };
  } catch (error) {
    return { name, ok: false, detail: describeError(error).split('\n')[0] ?? '' };
  }
}

/** The recorded step, and bfloat16 that needs it. */
function recorded(hasTensorflow: boolean): Check[] {
  const { recorded, bfloat16 } = lackingHere({ name: 'tensorflow' });
  const noStep = hasTensorflow ? recorded : 'It needs TensorFlow.';
  const noBfloat16 = [noStep && 'It needs the recorded step.', bfloat16].filter(Boolean).join(' ');
  return [
    { name: 'Recorded', ok: !noStep, optional: !hasTensorflow, detail: noStep ?? 'a step runs as one graph' },
    { name: 'bfloat16', ok: !noBfloat16, optional: true, detail: noBfloat16 || 'in hardware' },
  ];
}
