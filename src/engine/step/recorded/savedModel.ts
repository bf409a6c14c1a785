/**
 * A graph as the protocol buffer of a SavedModel (`tensorflow/core/protobuf/saved_model.proto` and `meta_graph.proto`): one graph for
 * the tag `serve`, with the signature `serving_default`. Weights are constants of the graph.
 */
import { Writer } from 'protobufjs/minimal.js';
import { encodeGraph, referenceTo } from './encode.ts';
import type { Node, Value } from './graph.ts';

/** An input or output of the signature; `shape` has −1 for a dimension that is open. */
export interface SignatureTensor {
  readonly value: Value;
  readonly shape: readonly number[];
}

export interface Signature {
  readonly inputs: Readonly<Record<string, SignatureTensor>>;
  readonly outputs: Readonly<Record<string, SignatureTensor>>;
}

// As in encode.ts: field number << 3 | wire type.
const varint = (field: number) => field << 3;
const bytes = (field: number) => (field << 3) | 2;

/** The TensorFlow whose ops these are, as encode.ts's number of the graph format. */
const TENSORFLOW = '2.21.0';

/** The content of `saved_model.pb`. */
export function encodeSavedModel(nodes: readonly Node[], signature: Signature): Uint8Array {
  const writer = Writer.create();
  writer.uint32(varint(1)).int64(1); // saved_model_schema_version
  const graph = writer.uint32(bytes(2)).fork(); // meta_graphs
  const about = graph.uint32(bytes(1)).fork(); // meta_info_def
  about.uint32(bytes(4)).string('serve'); // tags
  about.uint32(bytes(5)).string(TENSORFLOW); // tensorflow_version
  about.ldelim();
  graph.uint32(bytes(2)).bytes(encodeGraph(nodes)); // graph_def
  const entry = graph.uint32(bytes(5)).fork(); // signature_def
  entry.uint32(bytes(1)).string('serving_default');
  writeSignature(entry.uint32(bytes(2)).fork(), signature).ldelim();
  entry.ldelim();
  return graph.ldelim().finish();
}

function writeSignature(writer: Writer, { inputs, outputs }: Signature): Writer {
  for (const [field, tensors] of [
    [1, inputs],
    [2, outputs],
  ] as const) {
    for (const [name, tensor] of Object.entries(tensors)) {
      const entry = writer.uint32(bytes(field)).fork();
      entry.uint32(bytes(1)).string(name);
      writeTensor(entry.uint32(bytes(2)).fork(), tensor).ldelim();
      entry.ldelim();
    }
  }
  return writer.uint32(bytes(3)).string('tensorflow/serving/predict'); // method_name
}

/** A TensorInfo. */
function writeTensor(writer: Writer, { value, shape }: SignatureTensor): Writer {
  const reference = referenceTo(value);
  writer.uint32(bytes(1)).string(value.index === 0 ? `${reference}:0` : reference);
  writer.uint32(varint(2)).int32(value.dtype);
  const dimensions = writer.uint32(bytes(3)).fork();
  for (const size of shape) dimensions.uint32(bytes(2)).fork().uint32(varint(1)).int64(size).ldelim();
  return dimensions.ldelim();
}
