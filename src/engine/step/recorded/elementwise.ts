/**
 * Which recorded ops a fused kernel can take, and how each sees its operands in rows and columns: columns are the last dimension of
 * what it works on, rows all others together.
 */
import { behindReshapes, constantOf, dtypes, type Node, sizeOfShape, type Value } from './graph.ts';
import { assembleOp, type Layout, layoutsOf, viewOp } from './views.ts';

/** How an operand lies in an iteration space of rows × columns; row r of the space reads row ⌊r / div⌋ mod `mod`, or where `layout` says. */
export interface Operand {
  readonly kind: 'full' | 'row' | 'column' | 'scalar' | 'strided';
  readonly div: number;
  readonly mod: number;
  readonly layout?: Layout;
}

/** An op in the terms of the fused kernel. */
export interface Fusible {
  readonly node: Node;
  readonly rows: number;
  readonly columns: number;
  /** What it does: an instruction for each element; a sum or maximum over columns, rows or all; rows put where they belong. */
  readonly kind: 'map' | 'assemble' | 'rowSum' | 'rowMean' | 'rowMax' | 'columnSum' | 'columnMean' | 'total';
  /** The values it reads, behind any reshape, and how it sees them. */
  readonly operands: readonly { readonly value: Value; readonly operand: Operand }[];
}

const unary = new Set(
  'Neg Abs Square Sqrt Rsqrt Reciprocal Exp Log Log1p Expm1 Erf Tanh Sigmoid Relu Sign Floor'.split(' '),
);
const binary = new Set('Add AddV2 Sub Mul RealDiv Div Maximum Minimum SquaredDifference Pow'.split(' '));
const reductions = new Map([
  ['Sum', { row: 'rowSum', column: 'columnSum' }],
  ['Mean', { row: 'rowMean', column: 'columnMean' }],
  ['Max', { row: 'rowMax', column: undefined }],
] as const);

/** What the kernel would do for this node, or nothing where it cannot. */
export function fusible(node: Node): Fusible | undefined {
  const [output] = node.outputs;
  if (!output || node.control.length > 0) return undefined;
  if (node.outputs.length !== 1 || !isFloat(output)) return undefined;
  if (unary.has(node.op) || binary.has(node.op) || node.op === 'SelectV2' || isCast(node)) return map(node, output);
  if (reductions.has(node.op as 'Sum')) return reduction(node, output);
  if (node.op === viewOp) return moved(node, 'map', [output.shape]);
  if (node.op === assembleOp)
    return moved(
      node,
      'assemble',
      node.inputs.map((input) => input.shape),
    );
  return undefined;
}

const isFloat = ({ dtype }: Value) => dtype === dtypes.float32 || dtype === dtypes.bfloat16;

/** Casts between the floats; those of other types stay TensorFlow's. */
const isCast = (node: Node) => node.op === 'Cast' && isFloat(node.inputs[0] as Value);

function map(node: Node, output: Value): Fusible | undefined {
  const { rows, columns } = spaceOf(output.shape);
  const operands = operandsOf(node.inputs, output.shape);
  const areFloats = node.inputs.every((input, i) => isFloat(input) || (node.op === 'SelectV2' && i === 0));
  // A condition for each element would be a bool tensor; what is recorded selects between whole tensors.
  const isSelection = node.op !== 'SelectV2' || operands?.[0]?.operand.kind === 'scalar';
  return operands && areFloats && isSelection ? { node, rows, columns, kind: 'map', operands } : undefined;
}

function reduction(node: Node, output: Value): Fusible | undefined {
  const [input, axesValue] = node.inputs as [Value, Value];
  const kinds = reductions.get(node.op as 'Sum');
  const axes = constantOf(axesValue)?.map((axis) => (axis < 0 ? axis + input.shape.length : axis));
  if (!kinds || !axes || input.shape.length === 0 || !isFloat(input)) return undefined;
  const last = input.shape.length - 1;
  const space = spaceOf(input.shape);
  const identity = { value: behindReshapes(input), operand: full(space.rows) };
  const make = (kind: Fusible['kind']): Fusible => ({ node, ...space, kind, operands: [identity] });
  const reduced = new Set(axes);
  const overLast = reduced.has(last);
  // Dimensions of size 1 may be reduced or not, as they please.
  const others = input.shape.slice(0, last).map((dimension, i) => ({ dimension, reduced: reduced.has(i) }));
  const allOthers = others.every((other) => other.reduced || other.dimension === 1);
  const noOthers = others.every((other) => !other.reduced || other.dimension === 1);
  if (overLast && noOthers && space.rows > 1) return make(kinds.row);
  if (overLast && allOthers && node.op === 'Sum' && sizeOfShape(output.shape) === 1) return make('total');
  if (!overLast && allOthers && kinds.column) return make(kinds.column);
  return undefined;
}

/** A view reads its input's rows from where they lie, an assembly writes those of its inputs to where they belong. */
function moved(node: Node, kind: 'map' | 'assemble', shapes: readonly (readonly number[])[]): Fusible {
  const { rows, columns } = spaceOf(shapes[0] ?? []);
  const operands = node.inputs.map((value, i): Fusible['operands'][0] =>
    kind === 'map'
      ? { value, operand: { kind: 'strided', div: 1, mod: rows, layout: layoutsOf(node)[i] as Layout } }
      : { value: behindReshapes(value), operand: full(rows) },
  );
  return { node, rows, columns, kind, operands };
}

const full = (rows: number): Operand => ({ kind: 'full', div: 1, mod: rows });

function spaceOf(shape: readonly number[]): { rows: number; columns: number } {
  return { rows: sizeOfShape(shape.slice(0, -1)), columns: shape.at(-1) ?? 1 };
}

function operandsOf(inputs: readonly Value[], shape: readonly number[]) {
  const operands: { value: Value; operand: Operand }[] = [];
  for (const input of inputs) {
    const operand = operandOf(input.shape, shape);
    if (!operand) return undefined;
    operands.push({ value: behindReshapes(input), operand });
  }
  return operands;
}

/** How a tensor of shape `from` is broadcast to `to`; nothing where its own dimensions are not neighbours. */
function operandOf(from: readonly number[], to: readonly number[]): Operand | undefined {
  const rows = sizeOfShape(to.slice(0, -1));
  if (sizeOfShape(from) === 1) return { kind: 'scalar', div: 1, mod: 1 };
  const padded = [...Array.from({ length: to.length - from.length }, () => 1), ...from];
  const isWide = (padded.at(-1) ?? 1) === (to.at(-1) ?? 1);
  const leading = padded.slice(0, -1).map((own, i) => ({ own, all: to[i] as number }));
  const varying = leading.flatMap(({ own, all }, i) => (own === all && all > 1 ? [i] : []));
  const [first] = varying;
  const last = varying.at(-1);
  if (first === undefined || last === undefined) {
    if (!isWide) return undefined;
    return rows === 1 ? full(1) : { kind: 'column', div: 1, mod: 1 };
  }
  const between = leading.slice(first, last + 1);
  if (between.some(({ own, all }) => own !== all)) return undefined;
  const mod = between.reduce((product, { all }) => product * all, 1);
  const div = leading.slice(last + 1).reduce((product, { all }) => product * all, 1);
  // Whole rows, or one value for each.
  const kind = isWide ? 'full' : 'row';
  return mod === rows ? { kind, div: 1, mod: rows } : { kind, div, mod };
}
