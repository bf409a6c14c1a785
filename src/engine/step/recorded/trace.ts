/**
 * Records what a function of tensors does on tfjs's TensorFlow backend, without computing anything: the backend's binding is
 * replaced for the time being by one that notes every op and asks TensorFlow's shape inference what would come out.
 */
import * as tf from '@tensorflow/tfjs-core';
import { type Attribute, type Attributes, dtypes, makeNode, type Node, type Value, type ValueType } from './graph.ts';

/** Shapes and types of an op's outputs, from TensorFlow itself. `node` has no outputs yet. Throws where the op is unknown or refuses its inputs. */
export type InferOutputs = (
  node: Node,
) => readonly { readonly dtype: number; readonly shape: readonly number[] | undefined }[];

/** A computation cannot be recorded; the message is for people. */
export class RecordingError extends Error {
  override readonly name = 'RecordingError';
}

export interface Trace {
  /** An input of the graph, as a tensor. */
  readonly placeholder: (name: string, dtype: 'float32' | 'int32', shape: readonly number[]) => tf.Tensor;
  /** What a variable holds at the beginning, as a tensor. */
  readonly variable: (name: string, shape: readonly number[]) => tf.Tensor;
  /** What is recorded from here on belongs to the next phase (`Node.phase`). */
  readonly nextPhase: () => void;
  /** The recorded value of a tensor. */
  readonly valueOf: (tensor: tf.Tensor) => Value;
}

/** The part of tfjs's TensorFlow backend that a recording stands in for. */
interface RecordableBackend {
  binding: Binding;
  readonly tensorMap: { get(dataId: object): TensorInfo | undefined };
  getInputTensorIds(tensors: readonly tf.Tensor[]): number[];
  createOutputTensor(metadata: { id: number; shape: readonly number[]; dtype: number }): tf.Tensor;
}

/** Values wait here until an op uses the tensor; then it has an id instead. */
interface TensorInfo {
  id: number;
  values: unknown;
}

interface BindingAttribute {
  readonly name: string;
  readonly type: number;
  readonly value: unknown;
}

type Binding = Readonly<Record<string, unknown>>;

/** The id of the next recorded tensor. None is ever taken for one of the binding's own, or of another recording. */
let nextId = 2 ** 32;

/** Constants up to this size are looked up before they become nodes: shapes, axes, scalars. */
const SHARED_BYTES = 64;

/** Calls `compute` and returns the nodes it recorded, in order, with what it returned. `prefix` begins the name of every node. */
export function record<T>(
  prefix: string,
  infer: InferOutputs,
  compute: (trace: Trace) => T,
): { readonly nodes: Node[]; readonly result: T } {
  const backend = tf.backend() as unknown as RecordableBackend;
  const real = backend.binding;
  if (typeof real?.executeOp !== 'function') throw new RecordingError('Only the TensorFlow backend can record a step.');
  const nodes: Node[] = [];
  let phase = 0;
  const values = new Map<number, Value>();
  const constants = new Map<string, Value>();

  function add(name: string, op: string, attributes: Attributes, inputs: readonly Value[]): Node {
    const types = infer(makeNode(name, op, attributes, inputs, [])).map(({ dtype, shape }): ValueType => {
      if (!shape || shape.some((dimension) => dimension < 0)) {
        throw new RecordingError(`The shape of what ${op} gives is not known before it runs.`);
      }
      return { dtype, shape };
    });
    const node = makeNode(name, op, attributes, inputs, types, phase);
    nodes.push(node);
    return node;
  }
  const named = (op: string) => `${prefix}${nodes.length}/${op}`;

  function idOf(value: Value): number {
    values.set(nextId, value);
    return nextId++;
  }

  function constant(shape: readonly number[], dtype: number, array: ArrayBufferView): Value {
    const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength).slice();
    const key = bytes.length > SHARED_BYTES ? undefined : `${dtype} ${shape} ${bytes}`;
    const known = key && constants.get(key);
    if (known) return known;
    const attributes = {
      dtype: type(dtype),
      value: { kind: 'tensor', value: { dtype, shape: [...shape], bytes } },
    } as const;
    const value = add(named('Const'), 'Const', attributes, []).outputs[0] as Value;
    if (key) constants.set(key, value);
    return value;
  }

  const hooks: Record<string, unknown> = {
    createTensor: (shape: readonly number[], dtype: number, array: ArrayBufferView) =>
      idOf(constant(shape, dtype, array)),
    executeOp(op: string, attributes: readonly BindingAttribute[], ids: readonly number[]) {
      const inputs = ids.map((id) => {
        const value = values.get(id);
        if (!value) throw new RecordingError(`${op} uses a tensor that was made before the recording.`);
        return value;
      });
      const { outputs } = add(named(op), op, attributesOf(attributes, real), inputs);
      return outputs.map((value) => ({ id: idOf(value), shape: [...value.shape], dtype: value.dtype }));
    },
    deleteTensor() {},
    tensorDataSync() {
      throw new RecordingError('The step reads the value of a tensor while it runs.');
    },
  };
  // The binding's own properties may not be replaced, so the proxy stands on an empty object.
  backend.binding = new Proxy({}, { get: (_, key: string) => hooks[key] ?? real[key] });
  // A tensor that was made before and not used yet becomes a constant; whoever uses it afterwards finds it as it was.
  const waiting: { readonly info: TensorInfo; readonly before: TensorInfo }[] = [];
  const { getInputTensorIds } = backend;
  backend.getInputTensorIds = (tensors) => {
    for (const { dataId } of tensors) {
      const info = dataId && backend.tensorMap.get(dataId);
      if (info?.values) waiting.push({ info, before: { ...info } });
    }
    return getInputTensorIds.call(backend, tensors);
  };
  const tensorOf = (value: Value) => {
    const { shape, dtype } = value;
    return backend.createOutputTensor({ id: idOf(value), shape: [...shape], dtype });
  };
  try {
    const result = compute({
      placeholder: (name, dtype, shape) => {
        const attributes = { dtype: type(dtypes[dtype]), shape: { kind: 'shape', value: shape } } as const;
        return tensorOf(add(`${prefix}${name}`, 'Placeholder', attributes, []).outputs[0] as Value);
      },
      variable: (name, shape) => tensorOf(addVariable(name, shape)),
      nextPhase: () => {
        phase += 1;
      },
      valueOf: (tensor) => {
        const value = values.get(backend.getInputTensorIds([tensor])[0] as number);
        if (!value) throw new RecordingError('A result of the step was made before the recording.');
        return value;
      },
    });
    return { nodes, result };
  } finally {
    backend.binding = real;
    backend.getInputTensorIds = getInputTensorIds;
    for (const {
      info,
      before: { id, values },
    } of waiting)
      Object.assign(info, { id, values });
  }

  function addVariable(name: string, shape: readonly number[]): Value {
    const handle = add(`${prefix}${name}`, 'VarHandleOp', variableAttributes(name, shape), []).outputs[0] as Value;
    return add(`${prefix}${name}/value`, 'ReadVariableOp', { dtype: type(dtypes.float32) }, [handle])
      .outputs[0] as Value;
  }
}

/** Attributes of the handle of a float32 variable: handles with one name are one variable, in every graph of a session. */
export function variableAttributes(name: string, shape: readonly number[]): Attributes {
  return {
    dtype: type(dtypes.float32),
    shape: { kind: 'shape', value: shape },
    shared_name: { kind: 'string', value: name },
  };
}

const type = (dtype: number) => ({ kind: 'type', value: dtype }) as const;

function attributesOf(given: readonly BindingAttribute[], binding: Binding): Attributes {
  const kinds = {
    [binding.TF_ATTR_STRING as number]: 'string',
    [binding.TF_ATTR_INT as number]: 'int',
    [binding.TF_ATTR_FLOAT as number]: 'float',
    [binding.TF_ATTR_BOOL as number]: 'bool',
    [binding.TF_ATTR_TYPE as number]: 'type',
    [binding.TF_ATTR_SHAPE as number]: 'shape',
  };
  const set = given.filter(({ value }) => value !== undefined && value !== null);
  return Object.fromEntries(
    set.map(({ name, type: number, value }) => {
      const kind = kinds[number];
      const isList = Array.isArray(value) && kind !== 'shape';
      const known = kind && (!isList || kind === 'int' || kind === 'float' || kind === 'type');
      if (!known) throw new RecordingError(`The attribute ${name} is of a kind that a recording does not know.`);
      return [name, { kind: isList ? `${kind}s` : kind, value } as Attribute];
    }),
  );
}
