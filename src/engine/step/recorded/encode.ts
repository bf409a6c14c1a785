/** Graphs and options as the protocol buffers that TensorFlow reads (`tensorflow/core/framework/graph.proto` and its neighbours). */
import { Writer } from 'protobufjs/minimal.js';
import type { Attribute, Constant, Node, Value } from './graph.ts';

// Field numbers stand beside the calls that write them: tag = number << 3 | wire type (0 varint, 2 length, 5 four bytes).
const varint = (field: number) => field << 3;
const bytes = (field: number) => (field << 3) | 2;
const fixed32 = (field: number) => (field << 3) | 5;

/** Version of the graph format: TensorFlow 2.21's own. */
const PRODUCER = 2349;

/** A GraphDef. */
export function encodeGraph(nodes: readonly Node[]): Uint8Array {
  const writer = Writer.create();
  for (const node of nodes) writeNode(writer.uint32(bytes(1)).fork(), node).ldelim();
  writer.uint32(bytes(4)).fork().uint32(varint(1)).int32(PRODUCER).ldelim();
  return writer.finish();
}

/** An AttrValue. */
export function encodeAttribute(attribute: Attribute): Uint8Array {
  return writeAttribute(Writer.create(), attribute).finish();
}

/** How a value is named in an input list. */
export function referenceTo({ node, index }: Value): string {
  return index === 0 ? node.name : `${node.name}:${index}`;
}

function writeNode(writer: Writer, node: Node): Writer {
  writer.uint32(bytes(1)).string(node.name);
  writer.uint32(bytes(2)).string(node.op);
  for (const input of node.inputs) writer.uint32(bytes(3)).string(referenceTo(input));
  for (const { name } of node.control) writer.uint32(bytes(3)).string(`^${name}`);
  for (const [name, attribute] of Object.entries(node.attributes)) {
    const entry = writer.uint32(bytes(5)).fork();
    entry.uint32(bytes(1)).string(name);
    writeAttribute(entry.uint32(bytes(2)).fork(), attribute).ldelim();
    entry.ldelim();
  }
  return writer;
}

function writeAttribute(writer: Writer, attribute: Attribute): Writer {
  switch (attribute.kind) {
    case 'string':
      return writer.uint32(bytes(2)).string(attribute.value);
    case 'int':
      return writer.uint32(varint(3)).int64(attribute.value);
    case 'float':
      return writer.uint32(fixed32(4)).float(attribute.value);
    case 'bool':
      return writer.uint32(varint(5)).bool(attribute.value);
    case 'type':
      return writer.uint32(varint(6)).int32(attribute.value);
    case 'shape':
      return writeShape(writer.uint32(bytes(7)).fork(), attribute.value).ldelim();
    case 'tensor':
      return writeTensor(writer.uint32(bytes(8)).fork(), attribute.value).ldelim();
    case 'ints':
    case 'floats':
    case 'types':
      return writeList(writer.uint32(bytes(1)).fork(), attribute.kind, attribute.value).ldelim();
  }
}

/** A repeated number, packed. */
function writeList(writer: Writer, kind: 'ints' | 'floats' | 'types', values: readonly number[]): Writer {
  const packed = writer.uint32(bytes(kind === 'ints' ? 3 : kind === 'floats' ? 4 : 6)).fork();
  for (const value of values) {
    if (kind === 'floats') packed.float(value);
    else packed.int64(value);
  }
  return packed.ldelim();
}

function writeShape(writer: Writer, shape: readonly number[]): Writer {
  for (const dimension of shape) writer.uint32(bytes(2)).fork().uint32(varint(1)).int64(dimension).ldelim();
  return writer;
}

function writeTensor(writer: Writer, { dtype, shape, bytes: contents }: Constant): Writer {
  writer.uint32(varint(1)).int32(dtype);
  writeShape(writer.uint32(bytes(2)).fork(), shape).ldelim();
  return writer.uint32(bytes(4)).bytes(contents);
}
