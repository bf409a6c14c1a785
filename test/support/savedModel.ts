/** A SavedModel as a program reads it: the graph of `saved_model.pb`, its ops, and the tensors of its signature. */
import { Reader } from 'protobufjs/minimal.js';

export interface SavedModel {
  readonly graph: Uint8Array;
  readonly ops: ReadonlySet<string>;
  readonly tag: string;
  readonly inputs: Readonly<Record<string, string>>;
  readonly outputs: Readonly<Record<string, string>>;
}

/** Field numbers: `tensorflow/core/protobuf/saved_model.proto`, `meta_graph.proto`, `framework/graph.proto`, `node_def.proto`. */
export function readSavedModel(content: Uint8Array): SavedModel {
  const metaGraph = one(content, 2);
  const graph = one(metaGraph, 2);
  const [name, signature] = [text(one(one(metaGraph, 5), 1)), one(one(metaGraph, 5), 2)];
  if (name !== 'serving_default') throw new Error(`The signature is ${name}.`);
  const tensors = (field: number) =>
    Object.fromEntries(all(signature, field).map((entry) => [text(one(entry, 1)), text(one(one(entry, 2), 1))]));
  const ops = new Set(all(graph, 1).map((node) => text(one(node, 2))));
  return { graph, ops, tag: text(one(one(metaGraph, 1), 4)), inputs: tensors(1), outputs: tensors(2) };
}

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

function one(message: Uint8Array, field: number): Uint8Array {
  const [first, ...more] = all(message, field);
  if (!first || more.length > 0) throw new Error(`Field ${field} is there ${more.length + (first ? 1 : 0)} times.`);
  return first;
}

/** The contents of a field of bytes, however often it is there. */
function all(message: Uint8Array, field: number): Uint8Array[] {
  const reader = Reader.create(message);
  const found: Uint8Array[] = [];
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag === ((field << 3) | 2)) found.push(reader.bytes());
    else reader.skipType(tag & 7);
  }
  return found;
}
