/** Passes that make a recorded graph smaller without changing a number: what tfjs leaves behind and nobody needs. */
import { behindReshapes, type Graph, type Node, substitute, type Value } from './graph.ts';

/** Keeps what the results, the updates and `kept` need. */
export function prune(graph: Graph, kept: Iterable<Node> = []): void {
  const needed = new Set<Node>();
  const waiting = [...[...graph.results.values(), ...graph.updates.values()].map(({ node }) => node), ...kept];
  for (let node = waiting.pop(); node; node = waiting.pop()) {
    if (needed.has(node)) continue;
    needed.add(node);
    waiting.push(...node.inputs.map((input) => input.node), ...node.control);
  }
  graph.nodes = graph.nodes.filter((node) => needed.has(node));
}

/** Takes out ops that give what they get: casts to the same type, copies, reshapes to the same shape. */
export function dropIdentities(graph: Graph): void {
  const replacements = new Map<Value, Value>();
  for (const node of graph.nodes) {
    const [input] = node.inputs;
    const [output] = node.outputs;
    if (!input || !output || node.control.length > 0) continue;
    const isSame = input.dtype === output.dtype && sameShape(input.shape, output.shape);
    const isCopy = node.op === 'Cast' || node.op === 'Identity' || node.op === 'Reshape' || node.op === 'ExpandDims';
    if (isSame && isCopy) replacements.set(output, input);
  }
  substitute(graph, replacements);
}

/** A reshape of a reshape is one reshape. */
export function mergeReshapes(graph: Graph): void {
  for (const node of graph.nodes) {
    if (node.op === 'Reshape') node.inputs[0] = behindReshapes(node.inputs[0] as Value);
  }
  dropIdentities(graph);
}

export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((dimension, i) => dimension === b[i]);
}
