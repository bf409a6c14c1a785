/** Replaces each cluster of elementwise ops by one op of ours, `MaskSubFused`, and writes its program (`native/fused/program.h`). */
import { type Cluster, clustersOf } from './cluster.ts';
import { contract, type Instruction } from './contract.ts';
import type { Fusible, Operand } from './elementwise.ts';
import { fusedOps, operandKinds } from './fusedOps.ts';
import {
  constantOf,
  consumersOf,
  type Graph,
  makeNode,
  type Node,
  sizeOfShape,
  substitute,
  type Value,
} from './graph.ts';
import { type Layout, layoutsOf, viewOp } from './views.ts';

/** A single op below this size gains nothing from another kernel. */
const ALONE_ELEMENTS = 4096;

const unaryOps: Readonly<Record<string, number>> = {
  Neg: fusedOps.neg,
  Abs: fusedOps.abs,
  Square: fusedOps.square,
  Sqrt: fusedOps.sqrt,
  Rsqrt: fusedOps.rsqrt,
  Reciprocal: fusedOps.reciprocal,
  Exp: fusedOps.exp,
  Log: fusedOps.log,
  Log1p: fusedOps.log1p,
  Expm1: fusedOps.expm1,
  Erf: fusedOps.erf,
  Tanh: fusedOps.tanh,
  Sigmoid: fusedOps.sigmoid,
  Relu: fusedOps.relu,
  Sign: fusedOps.sign,
  Floor: fusedOps.floor,
};

/** An op, and the one that gives the same with its operands exchanged. */
const binaryOps: Readonly<Record<string, readonly [number, number | undefined]>> = {
  Add: [fusedOps.add, fusedOps.add],
  AddV2: [fusedOps.add, fusedOps.add],
  Sub: [fusedOps.sub, fusedOps.reverseSub],
  Mul: [fusedOps.mul, fusedOps.mul],
  RealDiv: [fusedOps.div, fusedOps.reverseDiv],
  Div: [fusedOps.div, fusedOps.reverseDiv],
  Maximum: [fusedOps.max, fusedOps.max],
  Minimum: [fusedOps.min, fusedOps.min],
  SquaredDifference: [fusedOps.squaredDifference, fusedOps.squaredDifference],
  Pow: [fusedOps.pow, undefined],
};

const kinds = { full: 0, row: 1, column: 2, scalar: 3, strided: 4 } as const;

/** Replaces what is worth it. `prefix` begins the new nodes' names. */
export function fuse(prefix: string, graph: Graph): void {
  const used = consumersOf(graph.nodes);
  const wanted = new Set([...graph.results.values(), ...graph.updates.values()]);
  const replacements = new Map<Value, Value>();
  const replaced = new Set<Node>();
  const made = new Map<Node, Node>(); // behind the last member of each
  clustersOf(graph).forEach((cluster, i) => {
    const [first] = cluster.members;
    const last = cluster.members.at(-1);
    if (!first || !last) return;
    const isWorthIt = cluster.members.length > 1 ? cluster.columns > 1 : isLarge(first);
    if (!isWorthIt) return;
    const inside = new Set(cluster.members.map(({ node }) => node));
    const leaves = (value: Value): boolean => {
      if (wanted.has(value)) return true;
      // A reshape that members look through is itself a reader, unless only members look through it.
      return [...(used.get(value) ?? [])].some((reader) =>
        reader.op === 'Reshape' ? leaves(reader.outputs[0] as Value) : !inside.has(reader),
      );
    };
    const outputs = cluster.members.map(({ node }) => node.outputs[0] as Value).filter(leaves);
    if (outputs.length === 0) return;
    const node = new Program(cluster).toNode(`${prefix}fused${i}`, outputs);
    outputs.forEach((output, k) => {
      replacements.set(output, node.outputs[k] as Value);
    });
    for (const member of inside) replaced.add(member);
    made.set(last.node, node);
  });
  graph.nodes = graph.nodes.flatMap((node) => {
    const fused = made.get(node);
    return fused ? [fused] : replaced.has(node) ? [] : [node];
  });
  substitute(graph, replacements);
}

/** Whether one op is worth a kernel of ours: the call costs as much as some thousand elements. */
function isLarge({ rows, columns }: Fusible): boolean {
  return rows * columns >= ALONE_ELEMENTS;
}

/** What an instruction can read: a value of the tile, one of each row, or a constant. */
type Source = { readonly kind: 'full' | 'row' | 'constant'; readonly index: number };

interface Input {
  readonly value: Value;
  readonly operand: Operand;
}

/** Writes a cluster's instructions. Instruction i gives value i. */
class Program {
  readonly #cluster: Cluster;
  readonly #instructions: Instruction[] = [];
  readonly #inputs: Input[] = [];
  readonly #scalars: Value[] = [];
  readonly #constants: number[] = [];
  readonly #layouts: Layout[] = [];
  readonly #sources = new Map<string, Source>();
  readonly #results = new Map<Value, Source>();
  readonly #sinks = new Map<Value, { readonly op: number; readonly source: Source }>();
  readonly #assemblies = new Map<Value, readonly Source[]>();

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
    for (const member of cluster.members) this.#add(member);
  }

  toNode(name: string, outputs: readonly Value[]): Node {
    const described = outputs.map((output, i) => this.#write(output, i));
    const inputs = [...this.#inputs.map(({ value }) => value), ...this.#scalars];
    const { rows, columns } = this.#cluster;
    const instructions = contract(this.#instructions);
    const program = [
      2, // the version
      rows,
      columns,
      inputs.length,
      outputs.length,
      instructions.length,
      this.#layouts.length,
      ...this.#inputs.flatMap(({ operand: { kind, div, mod, layout } }) =>
        layout ? [kinds[kind], this.#layouts.indexOf(layout), 1] : [kinds[kind], div, mod],
      ),
      ...this.#scalars.flatMap(() => [kinds.scalar, 1, 1]),
      ...described.flat(),
      ...this.#layouts.flatMap(({ offset, dimensions }) => {
        const leading = dimensions.slice(0, -1);
        return [offset, leading.length, ...leading.flatMap(({ size, stride }) => [size, stride])];
      }),
      ...instructions.flatMap((instruction) => this.#resolved(instruction)),
    ];
    return makeNode(
      name,
      'MaskSubFused',
      {
        Tin: { kind: 'types', value: inputs.map(({ dtype }) => dtype) },
        Tout: { kind: 'types', value: outputs.map(({ dtype }) => dtype) },
        program: { kind: 'ints', value: program },
        constants: { kind: 'floats', value: this.#constants },
      },
      inputs,
      outputs,
    );
  }

  /** Scalar inputs follow the constants, whose number is known only now: until here they count down from -1. */
  #resolved({ op, space, a, b, bKind, c, cKind }: Instruction): number[] {
    const resolved = (index: number, isConstant: boolean) =>
      isConstant && index < 0 ? this.#constants.length - 1 - index : index;
    return [
      op,
      space === 'row' ? 1 : 0,
      a,
      resolved(b, bKind === operandKinds.constant || op === fusedOps.fill),
      bKind + 4 * cKind,
      resolved(c, cKind === operandKinds.constant),
    ];
  }

  #add({ node, kind, columns, operands }: Fusible): void {
    const space = columns === 1 && this.#cluster.columns !== 1 ? 'row' : 'full';
    const [a, b, c] = operands.map((operand) => this.#read(operand, space)) as [Source, Source, Source];
    const [output] = node.outputs as [Value];
    switch (kind) {
      case 'map':
        this.#results.set(output, this.#map(node.op, space, a, b, c));
        return;
      case 'assemble': {
        const parts = [a, b, c].slice(0, operands.length);
        this.#assemblies.set(
          output,
          parts.map((part) => this.#value(part, 'full')),
        );
        return;
      }
      case 'rowMax':
        this.#results.set(output, this.#emit('row', fusedOps.rowMax, this.#value(a, 'full')));
        return;
      case 'rowSum':
        this.#results.set(output, this.#emit('row', fusedOps.rowSum, this.#value(a, 'full')));
        return;
      case 'rowMean': {
        const sum = this.#emit('row', fusedOps.rowSum, this.#value(a, 'full'));
        this.#results.set(output, this.#binary('row', fusedOps.mul, sum, this.#constant(1 / this.#cluster.columns)));
        return;
      }
      case 'columnSum':
        this.#sinks.set(output, { op: fusedOps.columnSum, source: this.#value(a, 'full') });
        return;
      case 'columnMean': {
        const share = this.#constant(1 / this.#cluster.rows);
        const scaled = this.#binary('full', fusedOps.mul, this.#value(a, 'full'), share);
        this.#sinks.set(output, { op: fusedOps.columnSum, source: scaled });
        return;
      }
      case 'total':
        this.#sinks.set(output, { op: fusedOps.total, source: this.#value(a, 'full') });
    }
  }

  #map(op: string, space: 'full' | 'row', a: Source, b: Source, c: Source): Source {
    if (op === 'Cast' || op === viewOp) return a;
    if (op === 'SelectV2') {
      const [condition, yes, no] = [a, b, c].map((source) => this.#value(source, space)) as [Source, Source, Source];
      return this.#emit(space, fusedOps.select, condition, yes.index, operandKinds.value, no.index);
    }
    const unary = unaryOps[op];
    if (unary !== undefined) return this.#emit(space, unary, this.#value(a, space));
    const [forward, reversed] = binaryOps[op] ?? [];
    if (forward === undefined) throw new Error(`The fused kernel has no ${op}.`);
    if (a.kind === space) return this.#binary(space, forward, a, b);
    // Only the second operand may be a constant or of another space.
    if (b.kind === space && reversed !== undefined) return this.#binary(space, reversed, b, a);
    return this.#binary(space, forward, this.#value(a, space), b);
  }

  #binary(space: 'full' | 'row', op: number, a: Source, b: Source): Source {
    const kind = b.kind === 'constant' ? 'constant' : b.kind === space ? 'value' : 'row';
    return this.#emit(space, op, a, b.index, operandKinds[kind]);
  }

  #emit(space: 'full' | 'row', op: number, a: Source, b = 0, bKind: number = 0, c = 0): Source {
    this.#instructions.push({ op, space, a: a.index, b, bKind, c, cKind: operandKinds.value });
    return { kind: space, index: this.#instructions.length - 1 };
  }

  /** A source as a value of the space, computed where it is a constant or one of each row. */
  #value(source: Source, space: 'full' | 'row'): Source {
    if (source.kind === space) return source;
    return this.#once(`${space} ${source.kind} ${source.index}`, () =>
      source.kind === 'constant'
        ? this.#emit(space, fusedOps.fill, { kind: 'constant', index: 0 }, source.index)
        : this.#emit(space, fusedOps.expand, source),
    );
  }

  #once(key: string, make: () => Source): Source {
    const known = this.#sources.get(key);
    const source = known ?? make();
    this.#sources.set(key, source);
    return source;
  }

  #constant(value: number): Source {
    return this.#once(`constant ${value}`, () => ({ kind: 'constant', index: this.#constants.push(value) - 1 }));
  }

  #read({ value, operand }: Input, space: 'full' | 'row'): Source {
    const result = this.#results.get(value);
    if (result) return result;
    if (operand.kind === 'scalar') return this.#scalar(value);
    // In the space of rows an element is one number a row.
    const seen: Operand = space === 'row' ? { ...operand, kind: 'row' } : operand;
    const { name } = value.node;
    const layout = seen.layout && this.#layoutIndex(seen.layout);
    return this.#once(`input ${name} ${value.index} ${seen.kind} ${seen.div} ${seen.mod} ${layout}`, () => {
      const index = this.#inputs.push({ value, operand: seen }) - 1;
      const ofRow = seen.kind === 'row';
      return this.#emit(ofRow ? 'row' : 'full', fusedOps.load, { kind: 'full', index });
    });
  }

  #layoutIndex(layout: Layout): number {
    const known = this.#layouts.indexOf(layout);
    return known >= 0 ? known : this.#layouts.push(layout) - 1;
  }

  #scalar(value: Value): Source {
    const [known] = sizeOfShape(value.shape) === 1 ? (constantOf(value) ?? []) : [];
    if (known !== undefined) return this.#constant(known);
    const { name } = value.node;
    return this.#once(`scalar ${name} ${value.index}`, () => ({
      kind: 'constant',
      index: -this.#scalars.push(value),
    }));
  }

  /** Lets a result leave the kernel; returns the description of the output. */
  #write(output: Value, index: number): number[] {
    const sink = this.#sinks.get(output);
    const shape = [output.shape.length, ...output.shape];
    if (sink) {
      this.#emit('full', sink.op, sink.source, index);
      return [sink.op === fusedOps.total ? kinds.scalar : kinds.column, ...shape];
    }
    const parts = this.#assemblies.get(output);
    if (parts) {
      const into = layoutsOf(output.node);
      parts.forEach((part, i) => {
        this.#emit('full', fusedOps.store, part, index, 0, this.#layoutIndex(into[i] as Layout) + 1);
      });
      return [kinds.full, ...shape];
    }
    const result = this.#results.get(output) as Source;
    const isOfRow = result.kind === 'row';
    const source = result.kind === 'constant' ? this.#value(result, 'full') : result;
    this.#emit(isOfRow ? 'row' : 'full', fusedOps.store, source, index);
    return [isOfRow ? kinds.row : kinds.full, ...shape];
  }
}
