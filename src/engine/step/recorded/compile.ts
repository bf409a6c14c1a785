/** From what was recorded to what is run: passes over the graph, the assignments at its end, its bytes. */
import { productsInBfloat16, viewsInBfloat16, widenLate } from './bfloat16.ts';
import { choicesOfTensors, decomposeSoftmax, productsOfMatrices } from './decompose.ts';
import { encodeGraph, referenceTo } from './encode.ts';
import { fuse } from './fuse.ts';
import { dtypes, type Graph, makeNode, type Node, type Value } from './graph.ts';
import { peakBytes } from './memory.ts';
import { recompute } from './recompute.ts';
import { runInOrder, sortNodes } from './schedule.ts';
import { dropIdentities, mergeReshapes, prune } from './simplify.ts';
import { lowerViews } from './views.ts';

/** A recorded computation, ready for a session. */
export interface Compiled {
  readonly bytes: Uint8Array;
  /** What to fetch for each result. */
  readonly fetches: ReadonlyMap<string, string>;
  /** The node that runs last, once every variable has its new value; nothing where none changes. */
  readonly target: string | undefined;
  /** Memory of what is alive at the same time while it runs, at most; variables not counted. */
  readonly peakBytes: number;
}

export interface CompileOptions {
  readonly precision: 'float32' | 'bfloat16';
  /** Elementwise ops in kernels of our own, which there are for the processor only. */
  readonly fused: boolean;
}

/** `placeholders` stay in the graph even where nothing reads them, so that they can always be fed. */
export function compileGraph(prefix: string, graph: Graph, { precision, fused }: CompileOptions): Compiled {
  const placeholders = graph.nodes.filter((node) => node.op === 'Placeholder');
  const drop = (graph: Graph) => prune(graph, placeholders);
  const handles = new Map(
    graph.nodes.filter((node) => node.op === 'VarHandleOp').map((node) => [node.name, node.outputs[0] as Value]),
  );
  for (const pass of [dropIdentities, mergeReshapes, drop, productsOfMatrices, choicesOfTensors]) pass(graph);
  if (precision === 'bfloat16') productsInBfloat16(graph);
  if (fused) {
    for (const pass of [decomposeSoftmax, lowerViews, drop]) pass(graph);
    if (precision === 'bfloat16') viewsInBfloat16(graph);
    for (const pass of [drop, recompute, widenLate, drop]) pass(graph);
    fuse(prefix, graph);
  }
  drop(graph);
  const assignments = addAssignments(prefix, graph, handles, fused);
  for (const pass of [sortNodes, runInOrder]) pass(graph);
  const done = makeNode(`${prefix}done`, 'NoOp', {}, [], []);
  done.control = assignments;
  return {
    bytes: encodeGraph(assignments.length > 0 ? [...graph.nodes, done] : graph.nodes),
    fetches: new Map([...graph.results].map(([name, value]) => [name, referenceTo(value)])),
    target: assignments.length > 0 ? done.name : undefined,
    peakBytes: peakBytes(graph.nodes, graph.results.values()),
  };
}

/**
 * Assigns each variable as soon as its new value is there, so that the old one goes. Where kernels can write over what they read
 * (`inPlace`), the variable lets go of its old value before: what then computes the new one is its only reader, and the state stays where
 * it is in memory from step to step.
 */
function addAssignments(prefix: string, graph: Graph, handles: ReadonlyMap<string, Value>, inPlace: boolean): Node[] {
  const before = new Map<Node, Node[]>();
  const behind = new Map<Node, Node[]>();
  const assignments = [...graph.updates].map(([variable, value]) => {
    const handle = handles.get(`${prefix}${variable}`);
    if (!handle) throw new Error(`The step updates ${variable}, which it does not read.`);
    const attributes = { dtype: { kind: 'type', value: dtypes.float32 } } as const;
    const assignment = makeNode(`${prefix}${variable}/assign`, 'AssignVariableOp', attributes, [handle, value], []);
    behind.set(value.node, [...(behind.get(value.node) ?? []), assignment]);
    if (inPlace && value.node.op !== 'ReadVariableOp') {
      const missing = { ignore_lookup_error: { kind: 'bool', value: false } } as const;
      const release = makeNode(`${prefix}${variable}/release`, 'DestroyResourceOp', missing, [handle], []);
      before.set(value.node, [...(before.get(value.node) ?? []), release]);
    }
    return assignment;
  });
  graph.nodes = graph.nodes.flatMap((node) => [...(before.get(node) ?? []), node, ...(behind.get(node) ?? [])]);
  return assignments;
}
