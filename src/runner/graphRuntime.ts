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

/** Loads the addon at `file`; `threads` is how many one op may use. */
export function loadGraphRuntime(file: string, threads: number): GraphRuntime {
  const addon = createRequire(import.meta.url)(file) as Addon;
  const config = sessionConfig(threads);
  return {
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
        runOptions,
      );
      return buffers.map((buffer) => new Float32Array(buffer));
    },
    close: () => addon.closeSession(session),
  };
}

// Field numbers of ConfigProto and RunOptions (`tensorflow/core/protobuf/config.proto`): tag = number << 3 | wire type.
function sessionConfig(threads: number): Uint8Array {
  const writer = Writer.create();
  writer.uint32(2 << 3).int32(threads); // intra_op_parallelism_threads
  const inter = Number(process.env.X_INTER ?? 1);
  writer.uint32(5 << 3).int32(inter); // inter_op_parallelism_threads
  const graph = writer.uint32((10 << 3) | 2).fork();
  if (process.env.X_OPT)
    graph
      .uint32((3 << 3) | 2)
      .fork()
      .uint32(3 << 3)
      .int32(Number(process.env.X_OPT))
      .ldelim(); // optimizer_options.opt_level
  if (process.env.X_NOMETA)
    graph
      .uint32((10 << 3) | 2)
      .fork()
      .uint32(19 << 3)
      .bool(true)
      .ldelim();
  graph.ldelim();
  if (process.env.X_EXEC)
    writer
      .uint32((16 << 3) | 2)
      .fork()
      .uint32((3 << 3) | 2)
      .string(process.env.X_EXEC)
      .ldelim();
  return writer.finish();
}

const runOptions = process.env.X_POOL
  ? Writer.create()
      .uint32(3 << 3)
      .int32(Number(process.env.X_POOL))
      .finish()
  : new Uint8Array();
