/** The order in which a graph runs: the recorded one, which frees one branch's activations before the next begins. */
import type { Graph, Node } from './graph.ts';

/** Sorts the nodes so that each comes after its inputs, as early as its place in `graph.nodes` allows. */
export function sortNodes(graph: Graph): void {
  const position = new Map(graph.nodes.map((node, i) => [node, i]));
  const done = new Set<Node>();
  const sorted: Node[] = [];
  const visit = (root: Node) => {
    const waiting = [root];
    for (let node = waiting.at(-1); node; node = waiting.at(-1)) {
      const missing = [...node.inputs.map((input) => input.node), ...node.control].filter(
        (source) => !done.has(source),
      );
      if (missing.length > 0 && !done.has(node)) {
        waiting.push(...missing.sort((a, b) => (position.get(b) ?? 0) - (position.get(a) ?? 0)));
        continue;
      }
      waiting.pop();
      if (done.has(node)) continue;
      done.add(node);
      sorted.push(node);
    }
  };
  for (const node of graph.nodes) visit(node);
  graph.nodes = sorted;
}

/** Lets each node wait for the one before it. Sources and constants may run whenever they like. */
export function runInOrder({ nodes }: Graph): void {
  let previous: Node | undefined;
  for (const node of nodes) {
    if (node.inputs.length === 0) continue;
    if (previous && !node.inputs.some((input) => input.node === previous)) node.control.push(previous);
    previous = node;
  }
}
