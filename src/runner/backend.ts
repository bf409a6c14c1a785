/** Chooses the tfjs backend, loads it and says why. The only place that knows which backends there are. */
import fs from 'node:fs';
import { createRequire } from 'node:module';
import util from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-core/dist/register_all_gradients.js';
import type { Config } from '../core/config.ts';
import { UserError } from '../core/errors.ts';
import { bindingFile, engineFolder, wasmFolder } from './paths.ts';

export interface Backend {
  readonly name: 'tensorflow' | 'wasm' | 'webgpu' | 'cpu';
  /** Why this one, for people. */
  readonly reason: string;
  /** Where the native engine computes. */
  readonly device?: 'cpu' | 'gpu';
}

/** Loads the wanted backend and makes it tfjs's. Throws a UserError where it cannot be had. */
export async function loadBackend(wanted: Config['run']['backend'], env = process.env): Promise<Backend> {
  switch (wanted) {
    case 'tensorflow':
      return { name: 'tensorflow', reason: 'The config asks for it.', device: await useTensorflow(engineFolder(env)) };
    case 'wasm':
      await useWasm();
      return { name: 'wasm', reason: 'The config asks for it.' };
    case 'webgpu':
      return { name: 'webgpu', reason: `The config asks for it; it computes on ${await useWebgpu()}.` };
    case 'cpu':
      await import('@tensorflow/tfjs-backend-cpu');
      await tf.setBackend('cpu');
      return { name: 'cpu', reason: 'The config asks for it.' };
    case 'auto': {
      const missing = engineProblem(engineFolder(env));
      if (!missing) {
        const device = await useTensorflow(engineFolder(env));
        return { name: 'tensorflow', reason: 'The native engine is installed.', device };
      }
      await useWasm();
      return { name: 'wasm', reason: `${missing} WebAssembly is several times slower.` };
    }
  }
}

/** What is wrong with an engine folder, in a sentence, or nothing. Does not load it. */
export function engineProblem(folder: string): string | undefined {
  if (process.platform === 'win32') return 'The native engine has no Windows build yet.';
  if (!fs.existsSync(folder)) return `There is no native engine at ${folder}.`;
  if (!fs.existsSync(bindingFile(folder))) return `The native engine at ${folder} lacks its addon.`;
  return undefined;
}

async function useTensorflow(folder: string): Promise<'cpu' | 'gpu'> {
  const problem = engineProblem(folder);
  const hint =
    'In a checkout, run `npm start` to install the engine; or set masksub.enginePath (MASKSUB_ENGINE) to one.';
  if (problem) throw new UserError(problem, { hint });
  // Removed in Node 23, and tfjs-node 4.22 still calls it.
  const legacy = util as { isNullOrUndefined?: (value: unknown) => boolean };
  legacy.isNullOrUndefined ??= (value) => value === null || value === undefined;
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2'; // its notes about the processor are no news to a researcher
  let binding: { isUsingGpuDevice(): boolean };
  try {
    binding = createRequire(import.meta.url)(bindingFile(folder));
  } catch (cause) {
    throw new UserError(
      `The native engine at ${folder} does not load: ${String((cause as Error).message).split('\n')[0]}.`,
      {
        hint: `${hint} With "run.backend": "wasm" training goes on without it.`,
        cause,
      },
    );
  }
  const { registerTensorflow } = await import('./tensorflowBackend.ts');
  registerTensorflow(binding);
  if (!(await tf.setBackend('tensorflow'))) throw new Error('tfjs refused the TensorFlow backend.');
  return binding.isUsingGpuDevice() ? 'gpu' : 'cpu';
}

async function useWasm(): Promise<void> {
  const { registerWasm } = await import('./wasmBackend.ts');
  registerWasm(wasmFolder());
  if (!(await tf.setBackend('wasm')))
    throw new UserError('WebAssembly does not start here.', { hint: 'Update Node or VS Code.' });
  await tf.ready();
}

/** The adapter that it computes on. */
async function useWebgpu(): Promise<string> {
  const { registerWebgpu } = await import('./webgpuBackend.ts');
  const adapter = await registerWebgpu();
  if (!(await tf.setBackend('webgpu'))) throw new Error('tfjs refused the WebGPU backend.');
  return adapter;
}
