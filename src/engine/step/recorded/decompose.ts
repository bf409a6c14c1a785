/**
 * Passes that write an op in the terms that later passes know: softmax as elementwise ops, products of matrices as `MatMul`, a choice
 * between whole tensors as `SelectV2`.
 */
import {
  type Attributes,
  dtypes,
  type Graph,
  makeNode,
  type Node,
  sizeOfShape,
  substitute,
  type Value,
} from './graph.ts';

/** Softmax over the last dimension, as the fused kernel computes it: x − max, exp, divided by the sum. */
export function decomposeSoftmax(graph: Graph): void {
  const replacements = new Map<Value, Value>();
  graph.nodes = graph.nodes.flatMap((node) => {
    if (node.op !== 'Softmax') return [node];
    const [x] = node.inputs as [Value];
    const type = { dtype: x.dtype, shape: x.shape };
    const ofRow = { dtype: x.dtype, shape: [...x.shape.slice(0, -1), 1] };
    const T = { T: { kind: 'type', value: x.dtype } } as const;
    const axis = lastAxis(node);
    const reduce = {
      ...T,
      Tidx: { kind: 'type', value: dtypes.int32 },
      keep_dims: { kind: 'bool', value: true },
    } as const;
    const make = (op: string, attributes: Attributes, inputs: readonly Node[], output: typeof type) =>
      makeNode(
        `${node.name}/${op}`,
        op,
        attributes,
        inputs.map((input) => input.outputs[0] as Value),
        [output],
      );
    const max = makeNode(`${node.name}/Max`, 'Max', reduce, [x, axis.outputs[0] as Value], [ofRow]);
    const shifted = makeNode(`${node.name}/Sub`, 'Sub', T, [x, max.outputs[0] as Value], [type]);
    const exponential = make('Exp', T, [shifted], type);
    const sum = make('Sum', reduce, [exponential, axis], ofRow);
    const quotient = make('RealDiv', T, [exponential, sum], type);
    replacements.set(node.outputs[0] as Value, quotient.outputs[0] as Value);
    const made = [axis, max, shifted, exponential, sum, quotient];
    for (const part of made) part.phase = node.phase;
    return made;
  });
  substitute(graph, replacements);
}

function lastAxis(node: Node): Node {
  const bytes = new Uint8Array(Int32Array.of(-1).buffer);
  const value = { kind: 'tensor', value: { dtype: dtypes.int32, shape: [1], bytes } } as const;
  const attributes = { dtype: { kind: 'type', value: dtypes.int32 }, value } as const;
  return makeNode(`${node.name}/axis`, 'Const', attributes, [], [{ dtype: dtypes.int32, shape: [1] }]);
}

/** tfjs writes every product as a batched one; of two matrices it is a `MatMul`, whose kernels are faster. */
export function productsOfMatrices(graph: Graph): void {
  const replacements = new Map<Value, Value>();
  graph.nodes = graph.nodes.map((node) => {
    if (node.op !== 'BatchMatMulV2' || node.inputs.some((input) => input.shape.length !== 2)) return node;
    const { T, adj_x, adj_y } = node.attributes;
    if (!T || !adj_x || !adj_y) return node;
    const attributes = { T, transpose_a: adj_x, transpose_b: adj_y };
    const product = makeNode(node.name, 'MatMul', attributes, node.inputs, node.outputs, node.phase);
    replacements.set(node.outputs[0] as Value, product.outputs[0] as Value);
    return product;
  });
  substitute(graph, replacements);
}

/** tfjs repeats a single condition for every element of what it chooses between; `SelectV2` takes it as it is. */
export function choicesOfTensors(graph: Graph): void {
  const replacements = new Map<Value, Value>();
  graph.nodes = graph.nodes.map((node) => {
    const { T } = node.attributes;
    if (node.op !== 'Select' || !T) return node;
    const [repeated, yes, no] = node.inputs as [Value, Value, Value];
    const condition = behindRepetitions(repeated);
    if (sizeOfShape(condition.shape) !== 1) return node;
    const choice = makeNode(node.name, 'SelectV2', { T }, [condition, yes, no], node.outputs, node.phase);
    replacements.set(node.outputs[0] as Value, choice.outputs[0] as Value);
    return choice;
  });
  substitute(graph, replacements);
}

function behindRepetitions(value: Value): Value {
  const { op, inputs } = value.node;
  return op === 'Tile' || op === 'Reshape' ? behindRepetitions(inputs[0] as Value) : value;
}
