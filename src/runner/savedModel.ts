/** A trained model as a TensorFlow SavedModel: its forward pass in evaluation mode, in TensorFlow's own ops, with its weights. */
import * as tf from '@tensorflow/tfjs-core';
import { UserError } from '../core/errors.ts';
import type { Model } from '../engine/models/model.ts';
import type { GraphRuntime } from '../engine/step/graphRuntime.ts';
import { forAnyBatch, recordedBatches } from '../engine/step/recorded/anyBatch.ts';
import { productsOfMatrices } from '../engine/step/recorded/decompose.ts';
import { dtypes, type Graph, makeNode, type Node, substitute, type Value } from '../engine/step/recorded/graph.ts';
import { encodeSavedModel } from '../engine/step/recorded/savedModel.ts';
import { dropIdentities, mergeReshapes, prune } from '../engine/step/recorded/simplify.ts';
import { RecordingError, record } from '../engine/step/recorded/trace.ts';

/** What is written: a model, its weights by name, and what it takes. */
export interface TrainedModel {
  readonly model: Model;
  readonly weights: ReadonlyMap<string, Float32Array>;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly classes: number;
  /** Of each channel, for pixels from 0 to 1; the graph subtracts and divides. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** No protocol buffer may be larger. */
const MOST_BYTES = 2 ** 31 - 1;

/**
 * The content of `saved_model.pb`. Signature `serving_default`: `images` (batch, height, width, channels), float32 from 0 to 1 →
 * `logits` and `probabilities` (batch, classes), float32. `batch` fixes the batch size; without it any will do.
 * Needs tfjs on its TensorFlow backend. Throws a `UserError` for a model that only has a fixed batch size, or is too large.
 */
export function savedModelOf(trained: TrainedModel, runtime: GraphRuntime, batch?: number): Uint8Array {
  const size = [...trained.weights.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);
  if (size > MOST_BYTES) throw tooLarge(size);
  const graph = batch === undefined ? openGraph(trained, runtime) : recordForward(trained, runtime, batch);
  fillIn(graph, trained.weights);
  for (const pass of [dropIdentities, mergeReshapes, prune, productsOfMatrices]) pass(graph);
  const images = graph.nodes.find((node) => node.name === 'images')?.outputs[0] as Value;
  const logits = graph.results.get('logits') as Value;
  const T = { T: { kind: 'type', value: dtypes.float32 } } as const;
  const ends = [
    makeNode('logits', 'Identity', T, [logits], [logits]),
    makeNode('probabilities', 'Softmax', T, [logits], [logits]),
  ];
  const rows = batch ?? -1;
  const { height, width, channels, classes } = trained;
  const bytes = encodeSavedModel([...graph.nodes, ...ends], {
    inputs: { images: { value: images, shape: [rows, height, width, channels] } },
    outputs: Object.fromEntries(
      ends.map((node) => [node.name, { value: node.outputs[0] as Value, shape: [rows, classes] }]),
    ),
  });
  if (bytes.length > MOST_BYTES) throw tooLarge(bytes.length);
  return bytes;
}

function openGraph(trained: TrainedModel, runtime: GraphRuntime): Graph {
  const [a, b, c] = recordedBatches;
  try {
    return forAnyBatch([
      recordForward(trained, runtime, a),
      recordForward(trained, runtime, b),
      recordForward(trained, runtime, c),
    ]);
  } catch (error) {
    if (!(error instanceof RecordingError)) throw error;
    throw new UserError(`This model cannot be written for any batch size: ${error.message}`, {
      hint: 'Write it for a fixed one with --batch.',
      cause: error,
    });
  }
}

/** The forward pass with its weights as variables, which bear their names. */
function recordForward(trained: TrainedModel, runtime: GraphRuntime, batch: number): Graph {
  const { model, height, width, channels, mean, std } = trained;
  const { infer, close } = runtime.inference();
  try {
    const { nodes, result } = record('', infer, (trace) => {
      const logits = tf.tidy(() => {
        const images = trace.placeholder('images', 'float32', [batch, height, width, channels]);
        const normalized = tf.div<tf.Tensor4D>(tf.sub(images, tf.tensor1d([...mean])), tf.tensor1d([...std]));
        const weights = model.parameters.map(({ name, shape }) => [name, trace.variable(name, shape)] as const);
        const buffers = model.buffers.map(({ name, shape }) => [name, trace.variable(name, shape)] as const);
        const mode = { training: false, buffers: Object.fromEntries(buffers), update: () => {} };
        return model.forward(Object.fromEntries(weights), { kind: 'images', images: normalized }, {}, mode);
      });
      const value = trace.valueOf(logits);
      logits.dispose();
      return value;
    });
    return { nodes, results: new Map([['logits', result]]), updates: new Map() };
  } finally {
    close();
  }
}

/** Puts constants in the places of the variables. */
function fillIn(graph: Graph, weights: ReadonlyMap<string, Float32Array>): void {
  const replacements = new Map<Value, Value>();
  graph.nodes = graph.nodes.map((node): Node => {
    const [output] = node.outputs;
    const variable = node.op === 'ReadVariableOp' ? node.inputs[0]?.node.name : undefined;
    if (!output || variable === undefined) return node;
    const values = weights.get(variable);
    if (!values) throw new Error(`No values for ${variable}.`);
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    const { dtype, shape } = output;
    const attributes = {
      dtype: { kind: 'type', value: dtype },
      value: { kind: 'tensor', value: { dtype, shape, bytes } },
    } as const;
    // The handle of the variable goes, so its name is free.
    const constant = makeNode(variable, 'Const', attributes, [], [output]);
    replacements.set(output, constant.outputs[0] as Value);
    return constant;
  });
  substitute(graph, replacements);
}

function tooLarge(bytes: number): UserError {
  return new UserError(
    `The model takes ${(bytes / 2 ** 30).toFixed(1)} GiB; a SavedModel with its weights in the graph holds 2.`,
    {
      hint: 'Its checkpoint (safetensors) has no such limit.',
    },
  );
}
