/** From what was recorded to what is run: passes over the graph, the assignments at its end, its bytes. */
import { encodeGraph, referenceTo } from './encode.ts';
import { dtypes, type Graph, makeNode, type Node, type Value } from './graph.ts';
import { decomposeSoftmax, productsOfMatrices } from './decompose.ts';
import { fuse } from './fuse.ts';
import { recompute } from './recompute.ts';
import { runInOrder, sortNodes } from './schedule.ts';
import { dropIdentities, mergeReshapes, prune } from './simplify.ts';

/** A recorded computation, ready for a session. */
export interface Compiled {
  readonly bytes: Uint8Array;
  /** What to fetch for each result. */
  readonly fetches: ReadonlyMap<string, string>;
  /** The node that runs last, once every variable has its new value; nothing where none changes. */
  readonly target: string | undefined;
}

/** `placeholders` stay in the graph even where nothing reads them, so that they can always be fed. */
export function compileGraph(prefix: string, graph: Graph): Compiled {
  const placeholders = graph.nodes.filter((node) => node.op === 'Placeholder');
  const handles = new Map(
    graph.nodes.filter((node) => node.op === 'VarHandleOp').map((node) => [node.name, node.outputs[0] as Value]),
  );
  dropIdentities(graph);
  mergeReshapes(graph);
  prune(graph, placeholders);
  if (!process.env.X_NOMM) productsOfMatrices(graph);
  if (!process.env.X_NOFUSE) {
  decomposeSoftmax(graph);
  if (!process.env.X_NOREMAT) recompute(graph);
  prune(graph, placeholders);
  fuse(prefix, graph);
  prune(graph, placeholders);
  }
  sortNodes(graph);
  if (!process.env.X_NOORDER) runInOrder(graph.nodes);
  if (process.env.X_DUMP) { const c: any = {}; for (const n of graph.nodes) { const k = n.op + " " + n.inputs.map((v) => `[${v.shape}]`).join(" ") + " -> " + n.outputs.map((v) => `[${v.shape}]`).join(" "); c[k] = (c[k] ?? 0) + 1; } for (const [k, v] of Object.entries(c)) console.log(v, k); }
  const nodes = [...graph.nodes];
  const assignments: Node[] = [];
  for (const [variable, value] of graph.updates) {
    const handle = handles.get(`${prefix}${variable}`);
    if (!handle) throw new Error(`The step updates ${variable}, which it does not read.`);
    if (!nodes.includes(handle.node)) nodes.unshift(handle.node);
    const attributes = { dtype: { kind: 'type', value: dtypes.float32 } } as const;
    assignments.push(makeNode(`${prefix}${variable}/assign`, 'AssignVariableOp', attributes, [handle, value], []));
  }
  nodes.push(...assignments);
  let target: string | undefined;
  if (assignments.length > 0) {
    const done = makeNode(`${prefix}done`, 'NoOp', {}, [], []);
    done.control = assignments;
    nodes.push(done);
    target = done.name;
  }
  return {
    bytes: encodeGraph(nodes),
    fetches: new Map([...graph.results].map(([name, value]) => [name, referenceTo(value)])),
    target,
  };
}
