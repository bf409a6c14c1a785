/** Which products and sums of a fused program become one instruction. */
import { describe, expect, test } from 'vitest';
import { contract, type Instruction } from '../../src/engine/step/recorded/contract.ts';
import { fusedOps, operandKinds } from '../../src/engine/step/recorded/fusedOps.ts';

const { value, constant } = operandKinds;

function instruction(op: keyof typeof fusedOps, a: number, b = 0, bKind: number = value): Instruction {
  return { op: fusedOps[op], space: 'full', a, b, bKind, c: 0, cKind: value };
}
/** Three inputs, the numbers 0, 1 and 2. */
const loads = [0, 1, 2].map((input) => instruction('load', input));
const opsOf = (instructions: readonly Instruction[]) =>
  instructions.map(({ op }) => Object.entries(fusedOps).find(([, number]) => number === op)?.[0]);

describe('a product and a sum', () => {
  test('are one instruction, from either side of the sum', () => {
    const product = instruction('mul', 0, 1);
    for (const sum of [instruction('add', 3, 2), instruction('add', 2, 3)]) {
      const joined = contract([...loads, product, sum, instruction('store', 4)]);
      expect(opsOf(joined)).toEqual(['load', 'load', 'load', 'mulAdd', 'store']);
      expect(joined[3]).toMatchObject({ a: 0, b: 1, c: 2, cKind: value });
      expect(joined[4]).toMatchObject({ a: 3 });
    }
  });

  test('with a constant on each side keep their constants', () => {
    const program = [...loads, instruction('mul', 0, 7, constant), instruction('add', 3, 8, constant)];
    const joined = contract([...program, instruction('store', 4)]);
    expect(joined[3]).toMatchObject({ op: fusedOps.mulAdd, a: 0, b: 7, bKind: constant, c: 8, cKind: constant });
  });

  test('stay two where something else reads the product', () => {
    for (const reader of [instruction('store', 3), instruction('exp', 3), instruction('columnSum', 3)]) {
      const program = [...loads, instruction('mul', 0, 1), instruction('add', 3, 2), reader];
      expect(opsOf(contract(program))).toEqual(opsOf(program));
    }
    const twice = [...loads, instruction('mul', 0, 1), instruction('add', 3, 3)];
    expect(opsOf(contract(twice))).toEqual(opsOf(twice));
  });

  test('a sum of two products takes one of them in', () => {
    const program = [...loads, instruction('mul', 0, 1), instruction('mul', 1, 2), instruction('add', 3, 4)];
    const joined = contract([...program, instruction('store', 5)]);
    expect(opsOf(joined)).toEqual(['load', 'load', 'load', 'mul', 'mulAdd', 'store']);
    expect(joined[4]).toMatchObject({ a: 0, b: 1, c: 3 });
    expect(joined[5]).toMatchObject({ a: 4 });
  });
});
