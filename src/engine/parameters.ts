/**
 * Parameters in groups: those that the optimizer treats alike lie in one flat tensor, so that an update is a handful of
 * large ops instead of a dozen small ones for each parameter.
 */
import * as tf from '@tensorflow/tfjs-core';
import { RandomStream } from '../core/random.ts';
import { layerDecayScale } from '../core/schedules.ts';
import type { BufferSpec, Model, ParameterSpec, Parameters } from './models/model.ts';

/** Parameters above this size keep a tensor of their own: copying them costs more than it saves. */
const PACK_BELOW = 1 << 18;

export interface ParameterGroup {
  readonly specs: readonly ParameterSpec[];
  /** Number of scalars of each parameter, in order, and of all. */
  readonly sizes: readonly number[];
  readonly size: number;
  readonly decay: boolean;
  /** Factor on the learning rate (layer-wise decay). */
  readonly learningRateScale: number;
}

/**
 * Groups of parameters with equal decay and learning-rate scale.
 * `separate`: decayed parameters stay alone, for optimizers with a norm of each tensor (LAMB).
 */
export function groupParameters(
  specs: readonly ParameterSpec[],
  options: { depth: number; layerDecay: number; separate: boolean },
): ParameterGroup[] {
  const groups = new Map<string, ParameterSpec[]>();
  for (const spec of specs) {
    const scale = layerDecayScale(spec.name, options.depth, options.layerDecay);
    const alone = sizeOf(spec) >= PACK_BELOW || (options.separate && spec.decay);
    const key = `${spec.decay} ${scale} ${alone ? spec.name : ''}`;
    groups.set(key, [...(groups.get(key) ?? []), spec]);
  }
  return [...groups.values()].map((members) => {
    const sizes = members.map(sizeOf);
    const [first] = members as [ParameterSpec];
    return {
      specs: members,
      sizes,
      size: sizes.reduce((sum, size) => sum + size, 0),
      decay: first.decay,
      learningRateScale: layerDecayScale(first.name, options.depth, options.layerDecay),
    };
  });
}

/** The buffers of a model as a group; none where it has none. */
export function groupBuffers(buffers: readonly BufferSpec[]): ParameterGroup[] {
  if (buffers.length === 0) return [];
  const specs = buffers.map(
    ({ name, shape, value }): ParameterSpec => ({
      name,
      shape,
      decay: false,
      layer: '',
      init: { kind: 'constant', value },
    }),
  );
  const sizes = specs.map(sizeOf);
  return [{ specs, sizes, size: sizes.reduce((sum, size) => sum + size, 0), decay: false, learningRateScale: 1 }];
}

export function sizeOf(spec: Pick<ParameterSpec, 'shape'>): number {
  return spec.shape.reduce((product, length) => product * length, 1);
}

/** Flat tensors of the groups → the parameters by name. Call inside `tf.tidy`. */
export function unpack(groups: readonly ParameterGroup[], flats: readonly tf.Tensor1D[]): Parameters {
  const parameters: Record<string, tf.Tensor> = {};
  groups.forEach((group, g) => {
    const flat = flats[g] as tf.Tensor1D;
    const parts = group.specs.length === 1 ? [flat] : tf.split(flat, [...group.sizes]);
    group.specs.forEach((spec, i) => {
      const part = parts[i] as tf.Tensor1D;
      parameters[spec.name] = spec.shape.length === 1 ? part : tf.reshape(part, [...spec.shape]);
    });
  });
  return parameters;
}

/** Tensors by name → one flat tensor for each group. Call inside `tf.tidy`. */
export function pack(groups: readonly ParameterGroup[], tensors: Parameters): tf.Tensor1D[] {
  return groups.map((group) => {
    const parts = group.specs.map((spec) => {
      const tensor = tensors[spec.name];
      if (!tensor) throw new Error(`No tensor for parameter ${spec.name}.`);
      return tensor.rank === 1 ? (tensor as tf.Tensor1D) : tf.reshape<tf.Rank.R1>(tensor, [tensor.size]);
    });
    return parts.length === 1 ? (parts[0] as tf.Tensor1D) : tf.concat1d(parts);
  });
}

/** Values by name as one flat array for each group. */
export function packValues(
  groups: readonly ParameterGroup[],
  values: ReadonlyMap<string, Float32Array>,
): Float32Array[] {
  return groups.map((group) => {
    const flat = new Float32Array(group.size);
    let offset = 0;
    group.specs.forEach((spec, i) => {
      const part = values.get(spec.name);
      const size = group.sizes[i] as number;
      if (part?.length !== size) throw new Error(`Parameter ${spec.name} needs ${size} values, got ${part?.length}.`);
      flat.set(part, offset);
      offset += size;
    });
    return flat;
  });
}

/** The flat arrays of the groups as values by name; views, not copies. */
export function unpackValues(
  groups: readonly ParameterGroup[],
  flats: readonly Float32Array[],
): Map<string, Float32Array> {
  const values = new Map<string, Float32Array>();
  groups.forEach((group, g) => {
    let offset = 0;
    group.specs.forEach((spec, i) => {
      const end = offset + (group.sizes[i] as number);
      values.set(spec.name, (flats[g] as Float32Array).subarray(offset, end));
      offset = end;
    });
  });
  return values;
}

/** Initial values of every parameter and buffer. Each has a stream of its own, so that a new parameter changes no other. */
export function initialValues({ parameters, buffers }: Pick<Model, 'parameters' | 'buffers'>, seed: number) {
  const values = new Map<string, Float32Array>();
  for (const spec of parameters) values.set(spec.name, initialValue(spec, seed));
  for (const { name, shape, value } of buffers) values.set(name, new Float32Array(sizeOf({ shape })).fill(value));
  return values;
}

function initialValue(spec: ParameterSpec, seed: number): Float32Array {
  const { init } = spec;
  if (init.kind === 'values') return init.values;
  if (init.kind === 'constant') return new Float32Array(sizeOf(spec)).fill(init.value);
  const stream = new RandomStream(seed, `init/${spec.name}`);
  return Float32Array.from({ length: sizeOf(spec) }, () => stream.truncatedNormal(init.standardDeviation));
}
