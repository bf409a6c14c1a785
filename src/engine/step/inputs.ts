/** The inputs of a step, host arrays with names, and their tensors in the form in which the step takes them. */
import type * as tf from '@tensorflow/tfjs-core';
import type { BranchDraws } from '../models/model.ts';
import type { HostBatch, HostDraws, HostImages } from './executor.ts';
import type { BatchTensors } from './step.ts';

/** One host array on its way into a step. */
export interface HostInput {
  readonly name: string;
  readonly dtype: 'float32' | 'int32';
  readonly shape: readonly number[];
  readonly values: Float32Array | Int32Array;
}

/** Turns a host array into a tensor: a copy of it, or a placeholder for it. */
export type MakeTensor = (input: HostInput) => tf.Tensor;

/** Batches as tensors. Names are `0/images`, `0/target`, `0/sub/keep`, `0/main/drop/<site>`: unique, and the same at every step. */
export function batchTensors(batches: readonly HostBatch[], make: MakeTensor): BatchTensors[] {
  return batches.map((batch, i) => {
    const count = batch.images.shape[0];
    const shape = [count, batch.target.length / count];
    return {
      images: imageTensor(batch.images, make, `${i}/`),
      target: make({ name: `${i}/target`, dtype: 'float32', shape, values: batch.target }) as tf.Tensor2D,
      draws: mapEntries(batch.draws as Record<string, HostDraws>, (draws, branch) =>
        drawTensors(draws, count, make, `${i}/${branch}/`),
      ),
    };
  });
}

/** (B, H, W, C). */
export function imageTensor({ values, shape }: HostImages, make: MakeTensor, prefix = ''): tf.Tensor4D {
  return make({ name: `${prefix}images`, dtype: 'float32', shape, values }) as tf.Tensor4D;
}

export function drawTensors({ keep, drop }: HostDraws, batch: number, make: MakeTensor, prefix = ''): BranchDraws {
  const factors = (values: Float32Array, site: string) =>
    make({ name: `${prefix}drop/${site}`, dtype: 'float32', shape: [batch], values }) as tf.Tensor1D;
  const indices = (kept: NonNullable<HostDraws['keep']>) =>
    make({ name: `${prefix}keep`, dtype: 'int32', shape: [batch, kept.kept], values: kept.indices }) as tf.Tensor2D;
  return { ...(keep ? { keep: indices(keep) } : {}), ...(drop ? { drop: mapEntries(drop, factors) } : {}) };
}

export function scalarTensors(
  scalars: Readonly<Record<string, number>>,
  make: MakeTensor,
): Readonly<Record<string, tf.Scalar>> {
  return mapEntries(
    scalars,
    (value, name) =>
      make({ name: `scalars/${name}`, dtype: 'float32', shape: [], values: Float32Array.of(value) }) as tf.Scalar,
  );
}

function mapEntries<T, U>(record: Readonly<Record<string, T>>, f: (value: T, key: string) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, f(value, key)]));
}
