/**
 * Products of matrices in bfloat16, everything else in float32: what enters a product is rounded, what leaves it is widened. The casts
 * melt into the fused kernels on both sides, so that what lies between is stored in half the memory.
 */
import { consumersOf, dtypes, type Graph, makeNode, type Node, substitute, type Value } from './graph.ts';
import { assembleOp, layoutsOf, setLayouts, viewOp } from './views.ts';

const products = new Set(['MatMul', 'BatchMatMulV2']);

/** Rewrites the products. Each value is rounded once in each phase. */
export function productsInBfloat16(graph: Graph): void {
  const rounded = new Map<string, Value>();
  const replacements = new Map<Value, Value>();
  graph.nodes = graph.nodes.flatMap((node) => {
    const [output] = node.outputs;
    if (!products.has(node.op) || !output || output.dtype !== dtypes.float32) return [node];
    if (node.inputs.some(isSelection)) return [node]; // a selection copies
    const made: Node[] = [];
    const round = (value: Value): Value => {
      // A weight is rounded once for all branches and passes, what a pass computes once in each.
      const phase = value.node.phase === 0 ? 0 : node.phase;
      const key = `${value.node.name} ${value.index} ${phase}`;
      const known = rounded.get(key);
      if (known) return known;
      const cast = castTo(`${node.name}/round${made.length}`, value, dtypes.bfloat16, phase);
      rounded.set(key, cast.outputs[0] as Value);
      made.push(cast);
      return cast.outputs[0] as Value;
    };
    const inputs = node.inputs.map(round);
    const attributes = { ...node.attributes, T: { kind: 'type', value: dtypes.bfloat16 } } as const;
    const type = { dtype: dtypes.bfloat16, shape: output.shape };
    const product = makeNode(`${node.name}/bfloat16`, node.op, attributes, inputs, [type], node.phase);
    const widened = castTo(`${node.name}/widen`, product.outputs[0] as Value, dtypes.float32, node.phase);
    replacements.set(output, widened.outputs[0] as Value);
    return [...made, product, widened];
  });
  substitute(graph, replacements);
}

/** Widens where the wide numbers are read, for each reader by itself: gradients wait in bfloat16 for the update. */
export function widenLate(graph: Graph): void {
  const consumers = consumersOf(graph.nodes);
  const wanted = new Set([...graph.results.values(), ...graph.updates.values()]);
  const moved = new Map<Node, Node[]>(); // by the reader
  const gone = new Set<Node>();
  for (const node of graph.nodes) {
    const [output] = node.outputs;
    const [source] = node.inputs;
    if (!output || !source || !isWidened(output) || wanted.has(output)) continue;
    const readers = consumers.get(output) ?? [];
    if (readers.length === 0 || readers.some(({ phase }) => phase <= node.phase)) continue;
    gone.add(node);
    readers.forEach((reader, i) => {
      // A kernel reads a value once, however many of its members widen it; and none is tied to another by a shared copy.
      const copy = castTo(`${node.name}/late${i}`, source, output.dtype, reader.phase);
      reader.inputs = reader.inputs.map((input) => (input === output ? (copy.outputs[0] as Value) : input));
      moved.set(reader, [...(moved.get(reader) ?? []), copy]);
    });
  }
  graph.nodes = graph.nodes.flatMap((node) => (gone.has(node) ? [] : [...(moved.get(node) ?? []), node]));
}

/** Moves data in bfloat16 where it comes from a product or goes to one: what only moves is rounded before, and widened after. */
export function viewsInBfloat16(graph: Graph): void {
  const consumers = consumersOf(graph.nodes);
  const isMove = (node: Node) => node.op === viewOp || node.op === assembleOp;
  const goesToMoves = (value: Value) => (consumers.get(value) ?? []).every(isMove);
  const replacements = new Map<Value, Value>();
  graph.nodes = graph.nodes.flatMap((node) => {
    const [output] = node.outputs;
    if (!isMove(node) || output?.dtype !== dtypes.float32) return [node];
    const isNarrow = node.op === assembleOp || node.inputs.every((input) => isWidened(input) || goesToMoves(input));
    if (!isNarrow) return [node];
    const casts = node.inputs.map((input, i) => castTo(`${node.name}/round${i}`, input, dtypes.bfloat16, node.phase));
    const inputs = casts.map((cast) => cast.outputs[0] as Value);
    const type = { dtype: dtypes.bfloat16, shape: output.shape };
    const moved = makeNode(`${node.name}/bfloat16`, node.op, node.attributes, inputs, [type], node.phase);
    setLayouts(moved, layoutsOf(node));
    const widened = castTo(`${node.name}/widen`, moved.outputs[0] as Value, dtypes.float32, node.phase);
    replacements.set(output, widened.outputs[0] as Value);
    return [...casts, moved, widened];
  });
  substitute(graph, replacements);
  reshapeBeforeWidening(graph);
  dropRoundTrips(graph);
}

/** A reshape of widened numbers reshapes the narrow ones: then what reads them can widen them itself, or take them as they are. */
function reshapeBeforeWidening(graph: Graph): void {
  const replacements = new Map<Value, Value>();
  graph.nodes = graph.nodes.flatMap((node) => {
    const [input, shape] = node.inputs;
    const [output] = node.outputs;
    if (node.op !== 'Reshape' || !input || !shape || !output || !isWidened(input)) return [node];
    const attributes = { ...node.attributes, T: { kind: 'type', value: dtypes.bfloat16 } } as const;
    const type = { dtype: dtypes.bfloat16, shape: output.shape };
    const narrow = input.node.inputs[0] as Value;
    const reshaped = makeNode(`${node.name}/bfloat16`, 'Reshape', attributes, [narrow, shape], [type], node.phase);
    const widened = castTo(`${node.name}/widen`, reshaped.outputs[0] as Value, dtypes.float32, node.phase);
    replacements.set(output, widened.outputs[0] as Value);
    return [reshaped, widened];
  });
  substitute(graph, replacements);
}

const isWidened = ({ node }: Value) => node.op === 'Cast' && node.inputs[0]?.dtype === dtypes.bfloat16;

/** A bfloat16 number that is widened and rounded again is what it was. */
function dropRoundTrips(graph: Graph): void {
  const replacements = new Map<Value, Value>();
  for (const node of graph.nodes) {
    const [output] = node.outputs;
    const [input] = node.inputs;
    if (node.op !== 'Cast' || output?.dtype !== dtypes.bfloat16 || !input || !isWidened(input)) continue;
    replacements.set(output, input.node.inputs[0] as Value);
  }
  substitute(graph, replacements);
}

/** Whether a matrix selects rows: its elements are 0 and 1. */
function isSelection(value: Value): boolean {
  const { node } = value;
  if (node.op === 'OneHot') return true;
  const [source] = node.inputs;
  return (node.op === 'Cast' || node.op === 'Reshape') && source !== undefined && isSelection(source);
}

function castTo(name: string, value: Value, dtype: number, phase: number): Node {
  const attributes = { SrcT: { kind: 'type', value: value.dtype }, DstT: { kind: 'type', value: dtype } } as const;
  return makeNode(name, 'Cast', attributes, [value], [{ dtype, shape: value.shape }], phase);
}
