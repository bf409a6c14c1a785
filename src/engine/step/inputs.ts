/** The inputs of a step, host arrays with names, and their tensors in the form in which the step takes them. */
import type * as tf from '@tensorflow/tfjs-core';
import type { BranchDraws, ModelInput } from '../models/model.ts';
import type { HostBatch, HostDraws, HostModelInput } from './executor.ts';
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
    const count = batch.input.shape[0];
    const shape = [count, batch.target.length / count];
    return {
      input: inputTensors(batch.input, make, `${i}/`),
      target: make({ name: `${i}/target`, dtype: 'float32', shape, values: batch.target }) as tf.Tensor2D,
      draws: mapEntries(batch.draws as Record<string, HostDraws>, (draws, branch) =>
        drawTensors(draws, count, make, `${i}/${branch}/`),
      ),
    };
  });
}

/** Names are `images`, or `ids`, `types` and `present`. */
export function inputTensors(input: HostModelInput, make: MakeTensor, prefix = ''): ModelInput {
  const { shape } = input;
  if (input.kind === 'images') {
    const images = make({ name: `${prefix}images`, dtype: 'float32', shape, values: input.values }) as tf.Tensor4D;
    return { kind: 'images', images };
  }
  const tensor = (name: 'ids' | 'types' | 'present', dtype: 'float32' | 'int32') =>
    make({ name: `${prefix}${name}`, dtype, shape, values: input[name] }) as tf.Tensor2D;
  return {
    kind: 'text',
    ids: tensor('ids', 'int32'),
    types: tensor('types', 'int32'),
    present: tensor('present', 'float32'),
  };
}

export function drawTensors(draws: HostDraws, batch: number, make: MakeTensor, prefix = ''): BranchDraws {
  const { keep, hidden, ids, drop } = draws;
  const of = <T extends tf.Tensor>(name: string, dtype: 'float32' | 'int32', values: Float32Array | Int32Array) => {
    const each = values.length / batch;
    const shape = name.startsWith('drop/') && each === 1 ? [batch] : [batch, each];
    return make({ name: `${prefix}${name}`, dtype, shape, values }) as T;
  };
  return {
    ...(keep ? { keep: of<tf.Tensor2D>('keep', 'int32', keep.indices) } : {}),
    ...(keep?.present ? { present: of<tf.Tensor2D>('present', 'float32', keep.present) } : {}),
    ...(hidden ? { hidden: of<tf.Tensor2D>('hidden', 'float32', hidden) } : {}),
    ...(ids ? { ids: of<tf.Tensor2D>('ids', 'int32', ids) } : {}),
    ...(drop ? { drop: mapEntries(drop, (values, site) => of(`drop/${site}`, 'float32', values)) } : {}),
  };
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
