/** A recorded computation: nodes in the order in which they ran, each with its attributes, inputs and output shapes. */

/** TensorFlow's numbers of element types (`tensorflow/core/framework/types.proto`). */
export const dtypes = { float32: 1, int32: 3, int64: 9, bool: 10, bfloat16: 14, resource: 20 } as const;

export type Attribute =
  | { readonly kind: 'int' | 'float' | 'type'; readonly value: number }
  | { readonly kind: 'bool'; readonly value: boolean }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'shape'; readonly value: readonly number[] }
  | { readonly kind: 'tensor'; readonly value: Constant }
  | { readonly kind: 'ints' | 'floats' | 'types'; readonly value: readonly number[] };

export type Attributes = Readonly<Record<string, Attribute>>;

/** A constant as TensorFlow stores it: elements in row-major order, little-endian. */
export interface Constant {
  readonly dtype: number;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/** One output of a node. */
export interface Value {
  readonly node: Node;
  readonly index: number;
  readonly dtype: number;
  readonly shape: readonly number[];
}

export interface Node {
  readonly name: string;
  readonly op: string;
  readonly attributes: Attributes;
  /** Which stretch of the recording it belongs to; forward and backward passes take turns. */
  phase: number;
  inputs: Value[];
  /** Nodes that must have run before. */
  control: Node[];
  readonly outputs: readonly Value[];
}

/** What `makeNode` needs to know of an output. */
export type ValueType = Pick<Value, 'dtype' | 'shape'>;

export function makeNode(
  name: string,
  op: string,
  attributes: Attributes,
  inputs: readonly Value[],
  types: readonly ValueType[],
  phase = 0,
): Node {
  const outputs: Value[] = [];
  const node: Node = { name, op, attributes, phase, inputs: [...inputs], control: [], outputs };
  types.forEach(({ dtype, shape }, index) => {
    outputs.push({ node, index, dtype, shape });
  });
  return node;
}

/** Bytes of a value of one of the types that a step computes with. */
export const bytesOf = ({ dtype, shape }: ValueType) => sizeOfShape(shape) * (dtype === dtypes.bfloat16 ? 2 : 4);

export const sizeOfShape = (shape: readonly number[]) => shape.reduce((product, dimension) => product * dimension, 1);

/** A recorded computation and what is wanted of it. */
export interface Graph {
  /** In an order in which they can run. */
  nodes: Node[];
  /** What is fetched, by name. */
  readonly results: Map<string, Value>;
  /** What is assigned to variables once everything else has run, by variable. */
  readonly updates: Map<string, Value>;
}

/** Replaces values by others wherever they are used; chains of replacements are followed. */
export function substitute(graph: Graph, replacements: ReadonlyMap<Value, Value>): void {
  if (replacements.size === 0) return;
  const final = (value: Value): Value => {
    let current = value;
    for (let next = replacements.get(current); next; next = replacements.get(current)) current = next;
    return current;
  };
  for (const node of graph.nodes) node.inputs = node.inputs.map(final);
  for (const targets of [graph.results, graph.updates]) {
    for (const [name, value] of targets) targets.set(name, final(value));
  }
}

/** The value behind reshapes: the same elements in the same order. */
export function behindReshapes(value: Value): Value {
  let current = value;
  while (current.node.op === 'Reshape') current = current.node.inputs[0] as Value;
  return current;
}

/** Nodes that use each value as an input. */
export function consumersOf(nodes: readonly Node[]): Map<Value, Node[]> {
  const consumers = new Map<Value, Node[]>();
  for (const node of nodes) {
    for (const input of new Set(node.inputs)) {
      const list = consumers.get(input);
      if (list) list.push(node);
      else consumers.set(input, [node]);
    }
  }
  return consumers;
}

/** The elements of a small numeric constant, or nothing where the value is not one. */
export function constantOf(value: Value): readonly number[] | undefined {
  const attribute = value.node.op === 'Const' ? value.node.attributes.value : undefined;
  if (attribute?.kind !== 'tensor') return undefined;
  const { dtype, bytes } = attribute.value;
  const aligned = bytes.slice();
  if (dtype === dtypes.float32) return [...new Float32Array(aligned.buffer)];
  if (dtype === dtypes.int32) return [...new Int32Array(aligned.buffer)];
  return undefined;
}
