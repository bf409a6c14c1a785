/** A snapshot of training as the tensors of a checkpoint file, with PyTorch's names and shapes for the parameters. */
import type { ParameterSpec } from '../engine/models/model.ts';
import type { Snapshot } from '../engine/step/executor.ts';
import type { TensorFile } from '../store/safetensors.ts';

/** Parameters by their own name; `optimizer.<slot>.<parameter>`; `ema.<parameter>`. */
export function checkpointTensors(snapshot: Snapshot, parameters: readonly ParameterSpec[]): TensorFile {
  const shapes = new Map(parameters.map((spec) => [spec.name, spec.shape]));
  const tensors: TensorFile = new Map();
  const addAll = (prefix: string, values: ReadonlyMap<string, Float32Array>) => {
    for (const [name, data] of values)
      tensors.set(`${prefix}${name}`, { dtype: 'F32', shape: [...(shapes.get(name) ?? [])], data });
  };
  addAll('', snapshot.parameters);
  for (const [slot, values] of snapshot.slots) addAll(`optimizer.${slot}.`, values);
  if (snapshot.ema) addAll('ema.', snapshot.ema);
  return tensors;
}
