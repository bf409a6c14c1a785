/** The variables of a session: parameters, buffers, optimizer slots and moving average, a variable for each parameter group and kind. */
import { type ParameterGroup, packValues, unpackValues } from '../../parameters.ts';
import type { Snapshot } from '../executor.ts';
import type { Feed, GraphSession } from '../graphRuntime.ts';
import type { Problem } from '../step.ts';
import { encodeGraph } from './encode.ts';
import { dtypes, makeNode, type Node, type Value, type ValueType } from './graph.ts';
import { variableAttributes } from './trace.ts';

/** Bytes that go in or out with one call: more would stand in memory twice for nothing. */
const CALL_BYTES = 1 << 25;

export interface Variable {
  readonly name: string;
  readonly group: ParameterGroup;
  readonly of: (snapshot: Snapshot) => ReadonlyMap<string, Float32Array> | undefined;
}

/** Names are `<kind>.<group>`: `parameters.0`, `buffers.0`, `optimizer.<slot>.0`, `ema.0`. */
export function variablesOf({ groups, bufferGroups, optimizer, ema }: Problem): Variable[] {
  const kind = (name: string, of: Variable['of'], grouped: readonly ParameterGroup[]) =>
    grouped.map((group, g): Variable => ({ name: `${name}.${g}`, group, of }));
  return [
    ...kind('parameters', (snapshot) => snapshot.parameters, groups),
    ...kind('buffers', (snapshot) => snapshot.buffers, bufferGroups),
    ...optimizer.slots.flatMap((slot) => kind(`optimizer.${slot}`, (snapshot) => snapshot.slots.get(slot), groups)),
    ...(ema === undefined ? [] : kind('ema', (snapshot) => snapshot.ema, [...groups, ...bufferGroups])),
  ];
}

/** The graph that declares the variables and, for each, can assign it, clear it and read it. */
export function variableGraph(variables: readonly Variable[]): Uint8Array {
  const dtype = { kind: 'type', value: dtypes.float32 } as const;
  const nodes = variables.flatMap(({ name, group: { size } }): Node[] => {
    const type = [{ dtype: dtypes.float32, shape: [size] }];
    const node = (
      suffix: string,
      op: string,
      attributes: Node['attributes'],
      inputs: Value[],
      types: readonly ValueType[],
    ) => makeNode(`${name}${suffix}`, op, attributes, inputs, types);
    const constant = (suffix: string, of: number, shape: number[], bytes: Uint8Array) => {
      const value = { kind: 'tensor', value: { dtype: of, shape, bytes } } as const;
      return node(suffix, 'Const', { dtype: { kind: 'type', value: of }, value }, [], [{ dtype: of, shape }]);
    };
    const first = (made: Node) => made.outputs[0] as Value;
    const handle = node(
      '',
      'VarHandleOp',
      variableAttributes(name, [size]),
      [],
      [{ dtype: dtypes.resource, shape: [] }],
    );
    const next = node('/next', 'Placeholder', { dtype, shape: { kind: 'shape', value: [size] } }, [], type);
    const length = constant('/length', dtypes.int32, [1], new Uint8Array(Int32Array.of(size).buffer));
    const zero = constant('/zero', dtypes.float32, [], new Uint8Array(4));
    const zeros = node('/zeros', 'Fill', { T: dtype }, [first(length), first(zero)], type);
    const assign = node('/assign', 'AssignVariableOp', { dtype }, [first(handle), first(next)], []);
    const clear = node('/clear', 'AssignVariableOp', { dtype }, [first(handle), first(zeros)], []);
    const value = node('/value', 'ReadVariableOp', { dtype }, [first(handle)], type);
    return [handle, next, length, zero, zeros, assign, clear, value];
  });
  return encodeGraph(nodes);
}

/** Sets every variable; those of slots that the snapshot lacks become zero. */
export async function writeState(session: GraphSession, variables: readonly Variable[], snapshot: Snapshot) {
  for (const some of inCalls(variables)) {
    const given = some.flatMap((variable) => {
      const values = variable.of(snapshot);
      return values ? [{ variable, values }] : [];
    });
    const feeds = given.map(({ variable: { name, group }, values }): Feed => {
      const [packed] = packValues([group], values) as [Float32Array];
      return { node: `${name}/next`, dtype: 'float32', shape: [group.size], values: packed };
    });
    const isGiven = new Set(given.map(({ variable }) => variable));
    const targets = some.map((variable) => `${variable.name}/${isGiven.has(variable) ? 'assign' : 'clear'}`);
    await session.run(feeds, [], targets);
  }
}

/** Reads every variable, bit by bit. */
export async function readState(
  session: GraphSession,
  variables: readonly Variable[],
  { groups, bufferGroups, optimizer, ema }: Problem,
): Promise<Snapshot> {
  const flats: Float32Array[] = [];
  for (const some of inCalls(variables)) {
    flats.push(
      ...(await session.run(
        [],
        some.map(({ name }) => `${name}/value`),
        [],
      )),
    );
  }
  const next = (of: readonly ParameterGroup[]) => unpackValues(of, flats.splice(0, of.length)); // in the variables' order
  return {
    parameters: next(groups),
    buffers: next(bufferGroups),
    slots: new Map(optimizer.slots.map((slot) => [slot, next(groups)])),
    ema: ema === undefined ? undefined : next([...groups, ...bufferGroups]),
  };
}

function inCalls(variables: readonly Variable[]): Variable[][] {
  const calls: Variable[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const variable of variables) {
    if (bytes >= CALL_BYTES) {
      calls.push([]);
      bytes = 0;
    }
    calls.at(-1)?.push(variable);
    bytes += variable.group.size * Float32Array.BYTES_PER_ELEMENT;
  }
  return calls;
}
