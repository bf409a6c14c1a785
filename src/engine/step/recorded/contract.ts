/** Joins a product and the sum that alone reads it into one instruction of a fused program: a pass over the tile less, a rounding less. */
import { fusedOps, operandKinds } from './fusedOps.ts';

/** An instruction while a program is written; its place in the list is its number. */
export interface Instruction {
  readonly op: number;
  readonly space: 'full' | 'row';
  /** An earlier instruction; of `load` an input. */
  readonly a: number;
  readonly b: number;
  readonly bKind: number;
  readonly c: number;
  readonly cKind: number;
}

/** Replaces a·b and (a·b) + c by one instruction where nothing else reads the product. */
export function contract(instructions: readonly Instruction[]): Instruction[] {
  const uses = instructions.map(() => 0);
  for (const instruction of instructions) {
    withOperands(instruction, (operand) => {
      uses[operand] = (uses[operand] as number) + 1;
      return operand;
    });
  }
  const gone = new Set<number>();
  const joined = instructions.map((sum): Instruction => {
    if (sum.op !== fusedOps.add) return sum;
    const productAt = (index: number) => {
      const product = instructions[index];
      const isOnlyHere = product?.op === fusedOps.mul && product.space === sum.space && uses[index] === 1;
      return isOnlyHere ? product : undefined;
    };
    const first = productAt(sum.a);
    const second = !first && sum.bKind === operandKinds.value ? productAt(sum.b) : undefined;
    const product = first ?? second;
    if (!product) return sum;
    gone.add(first ? sum.a : sum.b);
    const rest = first ? { c: sum.b, cKind: sum.bKind } : { c: sum.a, cKind: operandKinds.value };
    return { ...product, op: fusedOps.mulAdd, ...rest };
  });
  return renumbered(joined, gone);
}

/** An instruction with the numbers of those that it reads replaced. */
function withOperands(instruction: Instruction, replaced: (operand: number) => number): Instruction {
  const { op, a, b, bKind, c, cKind } = instruction;
  if (op === fusedOps.load || op === fusedOps.fill) return instruction;
  const readsB = op >= fusedOps.add && op < fusedOps.rowSum && bKind !== operandKinds.constant;
  const readsC = (op === fusedOps.mulAdd || op === fusedOps.select) && cKind !== operandKinds.constant;
  return { ...instruction, a: replaced(a), b: readsB ? replaced(b) : b, c: readsC ? replaced(c) : c };
}

/** The list without `gone`, whose numbers nobody reads. */
function renumbered(instructions: readonly Instruction[], gone: ReadonlySet<number>): Instruction[] {
  let next = 0;
  const number = instructions.map((_, i) => (gone.has(i) ? -1 : next++));
  return instructions
    .filter((_, i) => !gone.has(i))
    .map((instruction) => withOperands(instruction, (operand) => number[operand] as number));
}
