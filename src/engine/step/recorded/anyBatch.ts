/**
 * One graph for every batch size, from recordings at three of them: what differs between the recordings is what depends on the batch.
 * Only shapes may: a constant of a shape is then inferred (`Reshape`) or computed from the batch size.
 */
import { encodeAttribute } from './encode.ts';
import {
  type Attributes,
  constantOf,
  dtypes,
  type Graph,
  makeNode,
  type Node,
  sizeOfShape,
  substitute,
  type Value,
} from './graph.ts';
import { RecordingError } from './trace.ts';

/**
 * The batch sizes to record at: primes larger than what models are made of, so that a number in a shape has one as a factor or has
 * nothing to do with it; and far from each other, so that what is no line does not look like one.
 */
export const recordedBatches = [4099, 9973, 16411] as const;

/** Elements of an int32 constant as `slope` · batch + `offset`. */
interface Affine {
  readonly shape: readonly number[];
  readonly slope: readonly number[];
  readonly offset: readonly number[];
}

/**
 * The graph of `recordings`, one for each of `recordedBatches`, with the first dimension of its placeholders left open.
 * Throws a `RecordingError` where more than shapes depends on the batch.
 */
export function forAnyBatch(recordings: readonly [Graph, Graph, Graph]): Graph {
  const [graph] = recordings;
  if (recordings.some(({ nodes }) => nodes.length !== graph.nodes.length)) {
    throw new RecordingError('How many ops there are depends on the batch size.');
  }
  const affine = new Map<Node, Affine>();
  const replacements = new Map<Value, Value>();
  const nodes = graph.nodes.map((node, i) => {
    const twins = recordings.map((recording) => recording.nodes[i] as Node);
    const isSame = twins.every((twin) => sameOp(twin, node) && sameAttributes(twin.attributes, node.attributes));
    if (isSame) return node;
    if (node.op === 'Placeholder' && twins.every((twin) => twin.name === node.name)) {
      const open = openPlaceholder(node);
      replacements.set(node.outputs[0] as Value, open.outputs[0] as Value);
      return open;
    }
    affine.set(node, affineOf(twins));
    return node;
  });
  const [images] = replacements.values();
  if (!images) throw new RecordingError('No input has a batch.');
  graph.nodes = nodes;
  substitute(graph, replacements);

  const made = new Map<string, Value>();
  const batch = batchSize(images);
  graph.nodes = nodes.flatMap((node) => {
    const before: Node[] = [];
    node.inputs = node.inputs.map((input, position) => {
      const numbers = affine.get(input.node);
      if (!numbers) return input;
      const inferred = node.op === 'Reshape' && position === 1 ? inferredShape(numbers) : undefined;
      const key = `${input.node.name}/${inferred ? 'inferred' : 'computed'}`;
      const known = made.get(key);
      if (known) return known;
      const added = inferred
        ? [constant(key, numbers.shape, inferred)]
        : computed(key, numbers, batch.at(-1)?.outputs[0] as Value);
      before.push(...added);
      const value = added.at(-1)?.outputs[0] as Value;
      made.set(key, value);
      return value;
    });
    return node === images.node ? [node, ...batch] : [...before, node];
  });
  return graph;
}

function sameOp(a: Node, b: Node): boolean {
  const sources = ({ inputs }: Node) => inputs.map(({ node, index }) => `${node.name}:${index}`).join();
  return a.name === b.name && a.op === b.op && sources(a) === sources(b);
}

function sameAttributes(a: Attributes, b: Attributes): boolean {
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => {
      const [one, other] = [a[name], b[name]];
      if (!one || !other) return false;
      const [ours, theirs] = [encodeAttribute(one), encodeAttribute(other)];
      return ours.length === theirs.length && ours.every((byte, i) => byte === theirs[i]);
    })
  );
}

function openPlaceholder(node: Node): Node {
  const [output] = node.outputs as [Value];
  const shape = { kind: 'shape', value: [-1, ...output.shape.slice(1)] } as const;
  return makeNode(node.name, node.op, { ...node.attributes, shape }, [], [output]);
}

/** Numbers of a shape at the three batch sizes: two give the line, the third must lie on it. */
function affineOf(twins: readonly Node[]): Affine {
  const [node] = twins as [Node];
  const values = twins.map((twin) => (sameOp(twin, node) && twin.outputs[0] ? constantOf(twin.outputs[0]) : undefined));
  const [first, second, third] = values;
  const [b0, b1, b2] = recordedBatches;
  const isShape = node.outputs[0]?.dtype === dtypes.int32 && values.every((value) => value?.length === first?.length);
  if (!isShape || !first || !second || !third) {
    throw new RecordingError(`An op (${node.op}) depends on the batch size in more than its shapes.`);
  }
  const slope = first.map((value, i) => ((second[i] as number) - value) / (b1 - b0));
  const offset = first.map((value, i) => value - (slope[i] as number) * b0);
  if (slope.some((s, i) => !Number.isInteger(s) || s * b2 + (offset[i] as number) !== third[i])) {
    throw new RecordingError('A shape does not grow in proportion to the batch size.');
  }
  return { shape: node.outputs[0]?.shape ?? [], slope, offset };
}

/** A shape with −1 for the one dimension that depends on the batch; nothing where there are more. */
function inferredShape({ slope, offset }: Affine): number[] | undefined {
  const open = slope.map((s, i) => (s === 0 ? (offset[i] as number) : -1));
  return open.filter((dimension) => dimension === -1).length === 1 && !open.includes(0) ? open : undefined;
}

/** The first dimension of `images` as a scalar; the last node gives it. */
function batchSize(images: Value): Node[] {
  const { name } = images.node;
  const T = { kind: 'type', value: dtypes.int32 } as const;
  const vector = { dtype: dtypes.int32, shape: [1] };
  const ofShape = { T: { kind: 'type', value: images.dtype }, out_type: T } as const;
  const whole = { dtype: dtypes.int32, shape: [images.shape.length] };
  const shape = makeNode(`${name}/shape`, 'Shape', ofShape, [images], [whole]);
  const begin = constant(`${name}/begin`, [1], [0]);
  const size = constant(`${name}/size`, [1], [1]);
  const scalar = constant(`${name}/scalar`, [0], []);
  const outputs = [shape, begin, size].map((node) => node.outputs[0] as Value);
  const first = makeNode(`${name}/first`, 'Slice', { T, Index: T }, outputs, [vector]);
  const inputs = [first, scalar].map((node) => node.outputs[0] as Value);
  const batch = makeNode(`${name}/batch`, 'Reshape', { T, Tshape: T }, inputs, [{ dtype: dtypes.int32, shape: [] }]);
  return [shape, begin, size, scalar, first, batch];
}

/** slope · batch + offset; the last node gives it. */
function computed(name: string, { shape, slope, offset }: Affine, batch: Value): Node[] {
  const T = { T: { kind: 'type', value: dtypes.int32 } } as const;
  const type = [{ dtype: dtypes.int32, shape }];
  const factor = constant(`${name}/slope`, shape, slope);
  const summand = constant(`${name}/offset`, shape, offset);
  const product = makeNode(`${name}/product`, 'Mul', T, [factor.outputs[0] as Value, batch], type);
  const terms = [product, summand].map((node) => node.outputs[0] as Value);
  return [factor, summand, product, makeNode(name, 'AddV2', T, terms, type)];
}

function constant(name: string, shape: readonly number[], values: readonly number[]): Node {
  if (sizeOfShape(shape) !== values.length)
    throw new Error(`${values.length} values for a constant of shape ${shape}.`);
  const bytes = new Uint8Array(Int32Array.from(values).buffer);
  const attributes = {
    dtype: { kind: 'type', value: dtypes.int32 },
    value: { kind: 'tensor', value: { dtype: dtypes.int32, shape, bytes } },
  } as const;
  return makeNode(name, 'Const', attributes, [], [{ dtype: dtypes.int32, shape }]);
}
