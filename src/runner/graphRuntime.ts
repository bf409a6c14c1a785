/** The engine's graph runtime on the native addon: sessions of libtensorflow, run on Node's thread pool. */
import { createRequire } from 'node:module';
import { Writer } from 'protobufjs/minimal.js';
import type { Feed, GraphRuntime, GraphSession } from '../engine/step/graphRuntime.ts';
import { encodeAttribute, referenceTo } from '../engine/step/recorded/encode.ts';
import { dtypes, type Node } from '../engine/step/recorded/graph.ts';

/** What `native/addon.cc` exports. */
interface Addon {
  createSession(config: Uint8Array): object;
  closeSession(session: object): void;
  extend(session: object, graph: Uint8Array): void;
  addNode(
    session: object,
    op: string,
    name: string,
    inputs: readonly string[],
    list: number,
    attributes: readonly { readonly name: string; readonly value: Uint8Array }[],
  ): { dtype: number; shape?: number[] }[];
  run(
    session: object,
    feeds: readonly string[],
    values: readonly { dtype: number; shape: readonly number[]; values: ArrayBufferView }[],
    fetches: readonly string[],
    targets: readonly string[],
    options: Uint8Array,
  ): Promise<ArrayBuffer[]>;
}

/** Loads the addon at `file`; `threads` is how many one op may use on a processor. */
export function loadGraphRuntime(file: string, threads: number, device: 'cpu' | 'gpu' = 'cpu'): GraphRuntime {
  const addon = createRequire(import.meta.url)(file) as Addon;
  const config = device === 'cpu' ? processorConfig(threads) : graphicsConfig();
  return {
    fused: device === 'cpu',
    inference() {
      const scratch = addon.createSession(config);
      return { infer: (node) => inferOutputs(addon, scratch, node), close: () => addon.closeSession(scratch) };
    },
    open: () => openSession(addon, config),
  };
}

function inferOutputs(addon: Addon, scratch: object, node: Node) {
  const attributes = Object.entries(node.attributes).map(([name, attribute]) => ({
    name,
    value: encodeAttribute(attribute),
  }));
  const { N: count } = node.attributes; // of ops that take a list, and it comes first
  const list = count?.kind === 'int' ? count.value : 0;
  const inputs = node.inputs.map(referenceTo);
  return addon
    .addNode(scratch, node.op, node.name, inputs, list, attributes)
    .map(({ dtype, shape }) => ({ dtype, shape }));
}

function openSession(addon: Addon, config: Uint8Array): GraphSession {
  const session = addon.createSession(config);
  return {
    extend: (graph) => addon.extend(session, graph),
    async run(feeds: readonly Feed[], fetches, targets) {
      const buffers = await addon.run(
        session,
        feeds.map(({ node }) => node),
        feeds.map(({ dtype, shape, values }) => ({ dtype: dtypes[dtype], shape, values })),
        fetches,
        targets,
        new Uint8Array(),
      );
      return buffers.map((buffer) => new Float32Array(buffer));
    },
    close: () => addon.closeSession(session),
  };
}

/**
 * A ConfigProto (`tensorflow/core/protobuf/config.proto`; tag = field number << 3 | wire type). Ops run one after the other, each on all
 * threads. TensorFlow's own optimizers stay off: the passes over the recording have done their work, and they take longer than a step.
 */
function processorConfig(threads: number): Uint8Array {
  const writer = Writer.create();
  writer.uint32(2 << 3).int32(threads); // intra_op_parallelism_threads
  writer.uint32(5 << 3).int32(1); // inter_op_parallelism_threads
  const graphOptions = writer.uint32((10 << 3) | 2).fork();
  const optimizerOptions = graphOptions.uint32((3 << 3) | 2).fork();
  optimizerOptions
    .uint32(3 << 3)
    .int32(-1)
    .ldelim(); // opt_level: L0
  const rewriteOptions = graphOptions.uint32((10 << 3) | 2).fork();
  rewriteOptions
    .uint32(19 << 3)
    .bool(true)
    .ldelim(); // disable_meta_optimizer
  return graphOptions.ldelim().finish();
}

/** On a GPU TensorFlow's optimizers stay on and fuse what they can; memory is taken as it is needed. */
function graphicsConfig(): Uint8Array {
  const writer = Writer.create();
  const gpuOptions = writer.uint32((6 << 3) | 2).fork();
  gpuOptions
    .uint32(4 << 3)
    .bool(true)
    .ldelim(); // allow_growth
  return writer
    .uint32(7 << 3)
    .bool(true)
    .finish(); // allow_soft_placement
}
