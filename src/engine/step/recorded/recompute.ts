/**
 * Decides what of a forward pass is kept for its backward pass: the smallest set of tensors from which the rest can be computed again by
 * elementwise ops, a minimum cut. What is computed again melts into the kernels of the backward pass and so costs next to nothing.
 * The idea: Chen et al. 2016 (https://arxiv.org/abs/1604.06174), section 3; as a cut: Jain et al. 2020 (https://arxiv.org/abs/1910.02653).
 */
import { fusible } from './elementwise.ts';
import { bytesOf, type Graph, makeNode, type Node, sizeOfShape, type Value } from './graph.ts';
import { FlowNetwork } from './minimumCut.ts';
import { layoutsOf, setLayouts } from './views.ts';

/** Values that need more than so many tensors to be computed again are kept: a residual stream is not summed up from its beginning. */
const MOST_LEAVES = 2;
/** Smaller tensors are not worth a thought. */
const SMALLEST = 1024;

/** Odd phases are forward passes, each followed by its backward pass; see `trainStep`. */
export function recompute(graph: Graph): void {
  const phases = new Set(graph.nodes.map((node) => node.phase));
  for (const phase of phases) if (phase % 2 === 1 && phases.has(phase + 1)) recomputeIn(graph, phase);
}

function recomputeIn(graph: Graph, forward: number): void {
  const isForward = (node: Node) => node.phase === forward;
  const isBackward = (node: Node) => node.phase === forward + 1;
  const needed = new Set(
    graph.nodes.filter(isBackward).flatMap((node) => node.inputs.filter((input) => isForward(input.node))),
  );
  const recomputable = recomputableNodes(graph.nodes.filter(isForward));
  const kept = keptValues(needed, recomputable);

  const copies = new Map<Value, Value>();
  graph.nodes = graph.nodes.flatMap((node) => {
    if (!isBackward(node)) return [node];
    const made: Node[] = [];
    const again = (value: Value): Value => {
      const { node: origin, index } = value;
      const known = copies.get(value);
      if (known) return known;
      if (kept.has(value) || !recomputable.has(origin)) return value;
      const inputs = origin.inputs.map(again);
      const copy = makeNode(`${origin.name}/again`, origin.op, origin.attributes, inputs, origin.outputs, forward + 1);
      setLayouts(copy, layoutsOf(origin));
      made.push(copy);
      origin.outputs.forEach((output, i) => {
        copies.set(output, copy.outputs[i] as Value);
      });
      return copy.outputs[index] as Value;
    };
    node.inputs = node.inputs.map((input) => (isForward(input.node) ? again(input) : input));
    return [...made, node];
  });
}

/** Nodes of the forward pass that the fused kernel computes, from few enough tensors. */
function recomputableNodes(nodes: readonly Node[]): ReadonlySet<Node> {
  const leaves = new Map<Node, ReadonlySet<Value>>();
  const again = new Set(['map', 'rowSum', 'rowMean', 'rowMax']);
  const inside = new Set(nodes);
  for (const node of nodes) {
    if (node.op !== 'Reshape' && !again.has(fusible(node)?.kind ?? '')) continue;
    const all = node.inputs.flatMap((input): Value[] => {
      const own = leaves.get(input.node);
      if (own) return [...own];
      const isLeaf = inside.has(input.node) && sizeOfShape(input.shape) >= SMALLEST;
      return isLeaf ? [input] : [];
    });
    const distinct = new Set(all);
    if (distinct.size <= MOST_LEAVES) leaves.set(node, distinct);
  }
  return new Set(leaves.keys());
}

/** The values on the minimum cut between what cannot be computed again and what is needed. */
function keptValues(needed: ReadonlySet<Value>, recomputable: ReadonlySet<Node>): ReadonlySet<Value> {
  const network = new FlowNetwork();
  const vertices = new Map<Value, { readonly before: number; readonly after: number }>();
  const vertexOf = (value: Value, forward: number) => {
    const known = vertices.get(value);
    if (known) return known;
    const vertex = { before: network.addVertex(), after: network.addVertex() };
    vertices.set(value, vertex);
    network.addEdge(vertex.before, vertex.after, bytesOf(value));
    if (!recomputable.has(value.node)) network.addEdge(FlowNetwork.source, vertex.before, Number.POSITIVE_INFINITY);
    else {
      for (const input of value.node.inputs) {
        if (input.node.phase !== forward) continue; // there anyway
        network.addEdge(vertexOf(input, forward).after, vertex.before, Number.POSITIVE_INFINITY);
      }
    }
    return vertex;
  };
  for (const value of needed) {
    network.addEdge(vertexOf(value, value.node.phase).after, FlowNetwork.sink, Number.POSITIVE_INFINITY);
  }
  const side = network.cutNearSink();
  const kept = [...vertices].filter(([, { before, after }]) => !side.has(before) && side.has(after));
  return new Set(kept.map(([value]) => value));
}
