/** A chosen model as one safetensors file that holds exactly the state dict of timm's or transformers' model, for strict loading. */
import fs from 'node:fs';
import path from 'node:path';
import type { Config } from '../../core/config.ts';
import { UserError } from '../../core/errors.ts';
import { bytes } from '../../core/format.ts';
import { imageSideOf } from '../../engine/imageSide.ts';
import type { ImageData, TextData } from '../../engine/trainingData.ts';
import { makeFolder, stageWhole } from '../../store/files.ts';
import { encodeSafetensors, type TensorFile } from '../../store/safetensors.ts';
import { STEP_COUNT, withoutCounterpart } from '../checkpoint.ts';
import type { Chosen } from './chosen.ts';

/** What a file is made of: less than all that was chosen. */
export interface Exported extends Omit<Chosen, 'config' | 'data'> {
  readonly config: Pick<Config, 'model'>;
  readonly data: { readonly classNames: readonly string[] } & (SeenImages | SeenTexts);
}

type SeenImages = Pick<ImageData, 'kind' | 'name' | 'size' | 'channels' | 'mean' | 'std'>;
type SeenTexts = Pick<TextData, 'kind' | 'length' | 'vocabulary'>;

/** Writes a new file, whole or not at all. Returns where and what, for a person. */
export function writePytorch(chosen: Chosen, to: string | undefined): string {
  const target = path.resolve(to ?? `${chosen.run}.safetensors`);
  refuseExisting(target);
  const { content, leftOut } = encodePytorch(chosen);
  makeFolder(path.dirname(target));
  const staged = stageWhole(target, content);
  try {
    refuseExisting(target); // somebody may have put one there meanwhile
  } catch (error) {
    staged.discard();
    throw error;
  }
  staged.commit();
  const without = leftOut.length > 0 ? ` Left out, since timm's model has no such tensor: ${leftOut.join(', ')}.` : '';
  return `${target}: ${chosen.run} at step ${chosen.step} (${chosen.checkpoint}), ${bytes(content.length)}.${without}`;
}

/** The content of a file, and the names of the tensors that it leaves out. */
export function encodePytorch(exported: Exported): { content: Uint8Array; leftOut: string[] } {
  const { tensors, leftOut } = stateDict(exported);
  return { content: encodeSafetensors(tensors, metadataOf(exported, leftOut)), leftOut };
}

/** The tensors by the names that PyTorch's model gives them, and the names of those that it lacks. */
function stateDict({ model, weights, step }: Exported): { tensors: TensorFile; leftOut: string[] } {
  const tensors: TensorFile = new Map();
  const leftOut: string[] = [];
  for (const { name, shape } of [...model.parameters, ...model.buffers]) {
    if (withoutCounterpart.has(name)) {
      leftOut.push(name);
      continue;
    }
    const data = weights.get(name);
    if (!data) throw new Error(`The checkpoint has no ${name}.`);
    tensors.set(name, { dtype: 'F32', shape, data });
  }
  for (const { name } of model.buffers) {
    if (!name.endsWith('.running_mean')) continue;
    // PyTorch's batch normalization counts its steps in a buffer, and strict loading wants it.
    tensors.set(name.replace(/running_mean$/, STEP_COUNT), { dtype: 'I64', shape: [], data: Int32Array.of(step) });
  }
  return { tensors, leftOut };
}

function metadataOf(exported: Exported, leftOut: readonly string[]): Record<string, string> {
  return {
    format: 'pt', // transformers asks for it
    'masksub.run': exported.run,
    'masksub.checkpoint': exported.checkpoint,
    'masksub.step': String(exported.step),
    'masksub.weights': exported.kind,
    'masksub.model': JSON.stringify(exported.config.model),
    ...inputMetadata(exported),
    'masksub.classNames': JSON.stringify(exported.data.classNames),
    ...(leftOut.length > 0 ? { 'masksub.left_out': leftOut.join(', ') } : {}),
  };
}

/** What the model sees. */
function inputMetadata({ config, data }: Exported): Record<string, string> {
  if (data.kind === 'text') {
    return { 'masksub.texts': JSON.stringify({ length: data.length, vocabulary: data.vocabulary }) };
  }
  const { channels, mean, std } = data;
  const side = imageSideOf(config.model, data);
  return { 'masksub.images': JSON.stringify({ height: side, width: side, channels, range: [0, 1], mean, std }) };
}

function refuseExisting(target: string): void {
  if (!fs.existsSync(target)) return;
  throw new UserError(`Something lies in the way already: ${target}.`, {
    hint: 'Move it away, or name another file with --to.',
  });
}
