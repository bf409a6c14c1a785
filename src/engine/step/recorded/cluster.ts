/**
 * Groups neighbouring elementwise ops and reductions into clusters that one fused kernel computes in a single pass. A cluster is convex:
 * nothing outside lies between two of its members, so that it can run as one node.
 */
import { type Fusible, fusible } from './elementwise.ts';
import { type Graph, type Node, sizeOfShape, type Value } from './graph.ts';

/** A set of ops over one iteration space, in the order in which they were recorded. */
export interface Cluster {
  readonly phase: number;
  readonly rows: number;
  readonly columns: number;
  readonly members: Fusible[];
}

/** Programs longer than this have more live tiles than the cache holds. */
const MOST_MEMBERS = 96;
/** Two clusters that only share an input are joined when it is worth reading once instead of twice. */
const SHARED_ELEMENTS = 4096;

/** A vertex of the graph while clusters form: an op that stays alone, or a cluster. */
interface Unit {
  cluster: Cluster | undefined;
  first: number;
  last: number;
  readonly successors: Set<number>; // positions of nodes that read from it
}

/** The clusters of a graph. */
export function clustersOf(graph: Graph): Cluster[] {
  const { nodes } = graph;
  const position = new Map(nodes.map((node, i) => [node, i]));
  const at = (node: Node) => position.get(node) as number;
  const parent = nodes.map((_, i) => i);
  const find = (i: number): number => {
    let root = i;
    while (parent[root] !== root) root = parent[root] as number;
    for (let j = i; j !== root; ) {
      const next = parent[j] as number;
      parent[j] = root;
      j = next;
    }
    return root;
  };
  const units: Unit[] = nodes.map((node, i) => {
    const found = fusible(node);
    const cluster = found && { phase: node.phase, rows: found.rows, columns: found.columns, members: [found] };
    return { cluster, first: i, last: i, successors: new Set<number>() };
  });
  const unit = (i: number) => units[find(i)] as Unit;
  const sourcesOf = (node: Node) => {
    const [member] = units[at(node)]?.cluster?.members ?? [];
    return [
      ...(member ? member.operands.map(({ value }) => value.node) : node.inputs.map((input) => input.node)),
      ...node.control,
    ];
  };
  nodes.forEach((node, i) => {
    for (const source of sourcesOf(node)) units[at(source)]?.successors.add(i);
  });

  /** Whether something outside of both lies on a way from `from` to `to`. */
  function isBetween(from: number, to: number): boolean {
    const limit = unit(to).last;
    const seen = new Set([from, to]);
    const waiting = [...unit(from).successors].map(find).filter((i) => !seen.has(i));
    for (let i = waiting.pop(); i !== undefined; i = waiting.pop()) {
      if (seen.has(i)) continue;
      seen.add(i);
      if (unit(i).first > limit) continue;
      for (const successor of unit(i).successors) {
        const next = find(successor);
        if (next === to) return true;
        if (!seen.has(next)) waiting.push(next);
      }
    }
    return false;
  }

  function merge(a: number, b: number): void {
    const [i, j] = [find(a), find(b)];
    if (i === j) return;
    const [one, other] = [units[i] as Unit, units[j] as Unit];
    const joined = one.cluster && other.cluster && join(one.cluster, other.cluster);
    if (!joined || isBetween(i, j) || isBetween(j, i)) return;
    parent[j] = i;
    one.cluster = joined;
    one.first = Math.min(one.first, other.first);
    one.last = Math.max(one.last, other.last);
    for (const successor of other.successors) one.successors.add(successor);
  }

  /** The union of two clusters, in recorded order, or nothing where one kernel cannot compute both. */
  function join(a: Cluster, b: Cluster): Cluster | undefined {
    // What is computed again for the backward pass must not melt into the forward pass.
    if (a.phase !== b.phase || a.rows !== b.rows) return undefined;
    if (a.members.length + b.members.length > MOST_MEMBERS) return undefined;
    if (a.columns !== b.columns && a.columns !== 1 && b.columns !== 1) return undefined;
    const inside = new Map([...a.members, ...b.members].map((member) => [member.node, member]));
    const fits = [...inside.values()].every((member) =>
      member.operands.every(({ value, operand }) => {
        const producer = inside.get(value.node);
        if (!producer) return true;
        const isWhole = operand.kind === 'full' || operand.kind === 'row';
        return isWhole && operand.div === 1 && operand.mod === a.rows && staysInside(producer, value);
      }),
    );
    if (!fits) return undefined;
    const members = [...inside.values()].sort((x, y) => at(x.node) - at(y.node));
    return { phase: a.phase, rows: a.rows, columns: Math.max(a.columns, b.columns), members };
  }

  nodes.forEach((node, i) => {
    const [member] = units[i]?.cluster?.members ?? [];
    for (const { value } of member?.operands ?? []) merge(at(value.node), at(node));
  });
  for (const readers of readersOf(nodes, units)) {
    for (let k = 1; k < readers.length; k++) merge(readers[0] as number, readers[k] as number);
  }
  const roots = new Set(nodes.map((_, i) => find(i)));
  return [...roots].flatMap((root) => units[root]?.cluster ?? []);
}

/** Whether a member's result is there before the last row is through: an element or a row, no sum over rows. */
function staysInside(producer: Fusible, value: Value): boolean {
  if (producer.kind === 'map') return true; // an assembly puts rows elsewhere
  const isOfRow = producer.kind === 'rowSum' || producer.kind === 'rowMean' || producer.kind === 'rowMax';
  return isOfRow && sizeOfShape(value.shape) === producer.rows;
}

/** For each large value the positions of the fusible ops that read it whole. */
function readersOf(nodes: readonly Node[], units: readonly Unit[]): number[][] {
  const readers = new Map<Value, number[]>();
  nodes.forEach((_, i) => {
    const members = units[i]?.cluster?.members.filter((member) => member.node === nodes[i]) ?? [];
    for (const { value, operand } of members.flatMap((member) => member.operands)) {
      if (operand.kind !== 'full' || sizeOfShape(value.shape) < SHARED_ELEMENTS) continue;
      const list = readers.get(value);
      if (list) list.push(i);
      else readers.set(value, [i]);
    }
  });
  return [...readers.values()];
}
