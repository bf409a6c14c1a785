/** A snapshot of training as a checkpoint file and back, with PyTorch's names and shapes for the parameters. */
import path from 'node:path';
import { UserError } from '../core/errors.ts';
import { decodeProgress } from '../core/progress.ts';
import type { BufferSpec, Model, ParameterSpec } from '../engine/models/model.ts';
import { sizeOf } from '../engine/parameters.ts';
import type { Snapshot } from '../engine/step/executor.ts';
import type { Problem } from '../engine/step/step.ts';
import type { Resume } from '../engine/train.ts';
import { checkpointFiles } from '../store/checkpoints.ts';
import { readWhole } from '../store/files.ts';
import { decodeSafetensors, type TensorFile } from '../store/safetensors.ts';

/** Parameters and buffers by their own name; `optimizer.<slot>.<parameter>`; `ema.<parameter>`. */
export function checkpointTensors(
  snapshot: Snapshot,
  { parameters, buffers }: Pick<Model, 'parameters' | 'buffers'>,
): TensorFile {
  const shapes = new Map([...parameters, ...buffers].map((spec) => [spec.name, spec.shape]));
  const tensors: TensorFile = new Map();
  const addAll = (prefix: string, values: ReadonlyMap<string, Float32Array>) => {
    for (const [name, data] of values)
      tensors.set(`${prefix}${name}`, { dtype: 'F32', shape: [...(shapes.get(name) ?? [])], data });
  };
  addAll('', snapshot.parameters);
  addAll('', snapshot.buffers);
  for (const [slot, values] of snapshot.slots) addAll(slotPrefix(slot), values);
  if (snapshot.ema) addAll(EMA_PREFIX, snapshot.ema);
  return tensors;
}

/** Where a run goes on, and the sentences about newer checkpoints that could not be read. */
export interface FoundCheckpoint {
  readonly resume: Resume;
  readonly warnings: readonly string[];
}

/** The newest checkpoint of a run that can be read. Throws a `UserError` where there is none. */
export function newestCheckpoint(folder: string, problem: Problem): FoundCheckpoint {
  const damaged: string[] = [];
  for (const file of checkpointFiles(folder)) {
    try {
      const resume = readCheckpoint(folder, file, problem);
      return { resume, warnings: damaged.map((what) => `${what} An older checkpoint is used: ${file}.`) };
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      damaged.push(error.message);
    }
  }
  throw new UserError([`The run in ${folder} has no checkpoint to go on from.`, ...damaged].join(' '), {
    hint: 'Start it again with `masksub run`.',
  });
}

/** A checkpoint, named relative to the run folder. Throws a `UserError` where it is damaged or not of this problem. */
export function readCheckpoint(folder: string, file: string, problem: Problem): Resume {
  const full = path.join(folder, file);
  const { tensors, metadata } = decodeSafetensors(readWhole(full), full);
  const progress = decodeProgress(metadata.progress);
  if (!progress) throw new UserError(`${full} does not say how far its run had come.`);
  const { parameters, buffers } = problem.model;
  const valuesOf = (prefix: string, specs: readonly (ParameterSpec | BufferSpec)[] = parameters) =>
    new Map(specs.map((spec) => [spec.name, floatsOf(full, tensors, `${prefix}${spec.name}`, spec)]));
  const snapshot: Snapshot = {
    parameters: valuesOf(''),
    buffers: valuesOf('', buffers),
    slots: new Map(problem.optimizer.slots.map((slot) => [slot, valuesOf(slotPrefix(slot))])),
    ema: problem.ema === undefined ? undefined : valuesOf(EMA_PREFIX, [...parameters, ...buffers]),
  };
  return { snapshot, progress, file };
}

/** Tensors of ours that the same model in timm lacks: without masked training it has no use for them. */
export const withoutCounterpart: ReadonlySet<string> = new Set(['mask_token']);

/** What PyTorch calls the count of steps beside the running statistics of a batch normalization; nothing here uses it. */
export const STEP_COUNT = 'num_batches_tracked';

function floatsOf(file: string, tensors: TensorFile, name: string, spec: Pick<ParameterSpec, 'shape'>): Float32Array {
  const data = tensors.get(name)?.data;
  if (!(data instanceof Float32Array) || data.length !== sizeOf(spec)) {
    throw new UserError(
      `${file} has no tensor "${name}" of ${sizeOf(spec)} values, as the config of the run wants it.`,
    );
  }
  return data;
}

const OPTIMIZER_PREFIX = 'optimizer.';
const slotPrefix = (slot: string) => `${OPTIMIZER_PREFIX}${slot}.`;
const EMA_PREFIX = 'ema.';
