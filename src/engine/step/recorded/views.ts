/**
 * Ops that only move data, as the fused kernel moves it: a transposition, a slice or one of stacked tensors is read row by row from where
 * it lies; a stack that is transposed is written row by row to where it belongs. So they cost no pass of their own beside arithmetic.
 */
import { constantOf, type Graph, makeNode, type Node, sizeOfShape, substitute, type Value } from './graph.ts';

/** Where the elements of a tensor lie within another: at `offset` + Σ index · stride, in elements. */
export interface Layout {
  readonly offset: number;
  /** Size and stride of each dimension; the last one is the columns of a row and has stride 1. */
  readonly dimensions: readonly { readonly size: number; readonly stride: number }[];
}

/** Ops of this kind exist between this pass and the fusion, which takes them all. */
export const viewOp = 'MaskSubView';
export const assembleOp = 'MaskSubAssemble';

/** What moves less than this is left to TensorFlow. */
const SMALLEST = 4096;

const layouts = new WeakMap<Node, readonly Layout[]>();

/** How a view reads its input, or an assembly writes each of its inputs. */
export function layoutsOf(node: Node): readonly Layout[] {
  return layouts.get(node) ?? [];
}

export function setLayouts(node: Node, parts: readonly Layout[]): void {
  layouts.set(node, parts);
}

/** Writes data movement as views and assemblies, where whole rows move. */
export function lowerViews(graph: Graph): void {
  const replacements = new Map<Value, Value>();
  graph.nodes = graph.nodes.flatMap((node) => {
    const made = assembly(node) ?? node.outputs.flatMap((output) => view(output) ?? []);
    for (const { from, to } of made) replacements.set(from, to);
    return [node, ...made.map(({ to }) => to.node)];
  });
  substitute(graph, replacements);
}

interface Replacement {
  readonly from: Value;
  readonly to: Value;
}

function view(output: Value): Replacement | undefined {
  if (sizeOfShape(output.shape) < SMALLEST || !moves.has(output.node.op)) return undefined;
  const { source, layout } = place(output);
  if (layout.dimensions.at(-1)?.stride !== 1 || source === output) return undefined;
  return { from: output, to: makeMove(viewOp, output, [source], [layout]) };
}

const moves = new Set(['Transpose', 'Slice', 'Unpack']);

/** A stack of equal tensors along its first dimension, transposed: each tensor's rows are strided rows of the result. */
function assembly(node: Node): Replacement[] | undefined {
  const [output] = node.outputs;
  const stack = node.inputs[0]?.node;
  if (node.op !== 'Transpose' || stack?.op !== 'Pack' || !output || sizeOfShape(output.shape) < SMALLEST)
    return undefined;
  const { axis } = stack.attributes;
  const order = constantOf(node.inputs[1] as Value);
  if (axis?.kind !== 'int' || axis.value !== 0 || !order || order.at(-1) !== order.length - 1) return undefined;
  const strides = stridesOf(output.shape);
  // Dimension `order[i]` of the stack is dimension i of the result.
  const strideOf = (dimension: number) => strides[order.indexOf(dimension)] as number;
  const parts = stack.inputs.map(
    (input, i): Layout => ({
      offset: i * strideOf(0),
      dimensions: input.shape.map((size, dimension) => ({ size, stride: strideOf(dimension + 1) })),
    }),
  );
  return [{ from: output, to: makeMove(assembleOp, output, stack.inputs, parts) }];
}

function makeMove(op: string, output: Value, inputs: readonly Value[], parts: readonly Layout[]): Value {
  const node = makeNode(`${output.node.name}/${op}${output.index}`, op, {}, inputs, [output], output.node.phase);
  setLayouts(node, parts);
  return node.outputs[0] as Value;
}

/** The tensor in which the elements of `value` lie, and where. */
function place(value: Value): { readonly source: Value; readonly layout: Layout } {
  const { node, index } = value;
  const [input] = node.inputs;
  const own = { source: value, layout: contiguous(value.shape) };
  if (!input) return own;
  if (node.op === 'Reshape') {
    const inner = place(input);
    return isContiguous(inner.layout)
      ? { source: inner.source, layout: { ...contiguous(value.shape), offset: inner.layout.offset } }
      : own;
  }
  if (!moves.has(node.op)) return own;
  const { source, layout } = place(input);
  const { offset, dimensions } = layout;
  if (node.op === 'Transpose') {
    const order = constantOf(node.inputs[1] as Value);
    return order
      ? { source, layout: { offset, dimensions: order.map((d) => dimensions[d] as Layout['dimensions'][0]) } }
      : own;
  }
  if (node.op === 'Slice') {
    const begin = constantOf(node.inputs[1] as Value);
    if (!begin) return own;
    const skipped = begin.reduce((sum, start, d) => sum + start * (dimensions[d]?.stride ?? 0), offset);
    const sizes = dimensions.map(({ stride }, d) => ({ size: value.shape[d] as number, stride }));
    return { source, layout: { offset: skipped, dimensions: sizes } };
  }
  const { axis } = node.attributes;
  if (axis?.kind !== 'int') return own;
  const along = axis.value < 0 ? axis.value + dimensions.length : axis.value;
  const stride = dimensions[along]?.stride ?? 0;
  return { source, layout: { offset: offset + index * stride, dimensions: dimensions.filter((_, d) => d !== along) } };
}

function stridesOf(shape: readonly number[]): number[] {
  return shape.map((_, d) => sizeOfShape(shape.slice(d + 1)));
}

function contiguous(shape: readonly number[]): Layout {
  const strides = stridesOf(shape);
  return { offset: 0, dimensions: shape.map((size, d) => ({ size, stride: strides[d] as number })) };
}

function isContiguous({ dimensions }: Layout): boolean {
  const strides = stridesOf(dimensions.map(({ size }) => size));
  return dimensions.every(({ size, stride }, d) => size === 1 || stride === strides[d]);
}
