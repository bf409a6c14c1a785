/** What a recorded step needs of memory, known before it runs. */
import { bytesOf, type Node, type Value } from './graph.ts';

/** Ops that give what they are given, without a copy. */
const aliases = new Set(['Reshape', 'Identity', 'ReadVariableOp']);

/** Bytes of all values that are alive at the same time, at most, when the nodes run in this order; `kept` live to the end. */
export function peakBytes(nodes: readonly Node[], kept: Iterable<Value>): number {
  const roots = new Map<Value, Value>();
  const rootOf = (value: Value): Value => roots.get(value) ?? value;
  const lastUse = new Map<Value, number>();
  nodes.forEach((node, i) => {
    const [input] = node.inputs;
    const [output] = node.outputs;
    if (input && output && aliases.has(node.op)) roots.set(output, rootOf(input));
    for (const value of node.inputs) lastUse.set(rootOf(value), i);
  });
  for (const value of kept) lastUse.set(rootOf(value), nodes.length);
  const freed = new Map<number, Value[]>();
  for (const [value, i] of lastUse) freed.set(i, [...(freed.get(i) ?? []), value]);

  let [live, peak] = [0, 0];
  nodes.forEach((node, i) => {
    for (const output of node.outputs) if (lastUse.has(output) && !roots.has(output)) live += ownBytes(output);
    peak = Math.max(peak, live);
    for (const value of freed.get(i) ?? []) live -= ownBytes(value);
  });
  return peak;
}

/** A handle is no memory of its own: the variable's is counted as state. */
function ownBytes(value: Value): number {
  return value.node.op === 'VarHandleOp' ? 0 : bytesOf(value);
}
