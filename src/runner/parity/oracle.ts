/** A folder of reference numbers: `index.json` and safetensors files. Damage is a UserError that names the file. */
import fs from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import { UserError } from '../../core/errors.ts';
import type { HostImages } from '../../engine/step/executor.ts';
import { decodeSafetensors, type TensorFile } from '../../store/safetensors.ts';

const modelSchema = z.object({
  file: z.string(),
  config: z.looseObject({ kind: z.string() }),
  param_order: z.array(z.string()),
  param_norm: z.array(z.number()),
});

/** An optimizer with its hyper-parameters, as cases and units name them. */
export const optimizerSchema = z.object({
  opt: z.string(),
  betas: z.tuple([z.number(), z.number()]).optional(),
  eps: z.number().optional(),
  weight_decay: z.number(),
  momentum: z.number().optional(),
  nesterov: z.boolean().optional(),
  lamb_max_grad_norm: z.number().nullish(),
});

const caseSchema = optimizerSchema.extend({
  file: z.string(),
  model: z.string(),
  method: z.string(),
  loss: z.enum(['ce', 'bce']),
  batch: z.number(),
  steps: z.number(),
  accum: z.number().default(1),
  lr: z.array(z.number()),
  layer_decay: z.number().optional(),
  clip: z.number().optional(),
  ema_decay: z.number().optional(),
  bert_mask: z.enum(['remove', 'replace']).optional(),
  keep_prob: z.record(z.string(), z.record(z.string(), z.number())).optional(),
  loss_terms: z.array(z.string()),
  losses: z.array(z.array(z.array(z.number()))),
  grad_norm: z.array(z.number()),
});
export type OracleCase = z.infer<typeof caseSchema>;

const fileOf = z.looseObject({ file: z.string() });
const indexSchema = z.object({
  format_version: z.literal(1),
  models: z.record(z.string(), modelSchema),
  cases: z.record(z.string(), caseSchema),
  units: z.looseObject({
    losses: fileOf.optional(),
    optim: fileOf.optional(),
    ops: fileOf.optional(),
    mix: fileOf.optional(),
    schedules: z.record(z.string(), z.record(z.string(), z.unknown())).optional(),
  }),
});
export type OracleIndex = z.infer<typeof indexSchema>;

export interface Oracle {
  readonly index: OracleIndex;
  readonly tensors: (file: string) => TensorFile;
}

export function openOracle(folder: string): Oracle {
  const indexFile = path.join(folder, 'index.json');
  const parsed = indexSchema.safeParse(parseJson(read(indexFile).toString('utf8'), indexFile));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new UserError(`${indexFile}: ${issue?.path.join('.')}: ${issue?.message}.`, {
      hint: 'This build reads format version 1.',
    });
  }
  return {
    index: parsed.data,
    tensors: (file) => decodeSafetensors(read(path.join(folder, file)), path.join(folder, file)).tensors,
  };
}

function read(file: string): Buffer {
  try {
    return fs.readFileSync(file);
  } catch (cause) {
    throw new UserError(`${file} cannot be read: ${(cause as NodeJS.ErrnoException).code}.`, {
      hint: 'Name a folder with index.json, models/, cases/ and units/.',
      cause,
    });
  }
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new UserError(`${file} is not JSON.`, { hint: 'Get the file again.', cause });
  }
}

/** The numbers of a tensor that must be there. */
export function numbersOf(tensors: TensorFile, name: string): Float32Array | Int32Array | Uint8Array {
  const tensor = tensors.get(name);
  if (!tensor) throw new UserError(`The reference lacks the tensor "${name}".`, { hint: 'Get the files again.' });
  return tensor.data;
}

export function floatsOf(tensors: TensorFile, name: string): Float32Array {
  return Float32Array.from(numbersOf(tensors, name));
}

export function shapeOf(tensors: TensorFile, name: string): readonly number[] {
  return tensors.get(name)?.shape ?? [];
}

/** Images as the reference stores them, U8 (B, C, H, W) → (x − 128) / 64 as (B, H, W, C). */
export function imagesOf(tensors: TensorFile, name: string): HostImages {
  const { values, shape } = channelsLast(tensors, name);
  return { kind: 'images', values: values.map((pixel) => (pixel - 128) / 64), shape };
}

/** (B, C, H, W) → (B, H, W, C). */
export function channelsLast(tensors: TensorFile, name: string): Pick<HostImages, 'values' | 'shape'> {
  const planes = numbersOf(tensors, name);
  const [batch, channels, height, width] = shapeOf(tensors, name) as [number, number, number, number];
  const values = new Float32Array(planes.length);
  let at = 0;
  for (let b = 0; b < batch; b++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        for (let c = 0; c < channels; c++) {
          values[at++] = planes[((b * channels + c) * height + y) * width + x] as number;
        }
      }
    }
  }
  return { values, shape: [batch, height, width, channels] };
}
