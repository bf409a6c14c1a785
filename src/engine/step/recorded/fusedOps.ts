/**
 * The op numbers of a fused program: what the TensorFlow op MaskSubFused computes, tile by tile, in `native/fused`.
 *
 * They belong together with `Op` in `native/fused/program.h`, which refuses a program that is wrong.
 */

/**
 * A program is a list of integers over R rows and C columns:
 *
 *     [2, R, C, inputs, outputs, instructions, layouts,
 *      kind, div, mod,                            for each input
 *      kind, rank, dimensions…,                   for each output
 *      offset, n, n times size and stride,        for each layout
 *      op, space, a, b, kinds, c]                 for each instruction; what an op does not use is 0
 *
 * - kind: 0 full (R, C), 1 row (R), 2 column (C), 3 scalar. Row r of a full or row input is its row
 *   ⌊r / div⌋ mod `mod`, of which there are `mod`: 1, R where it has all. Other inputs say 1, 1.
 *   Kind 4 strided: a full input whose rows lie where the layout `div` says (mod is 1): row r, written in mixed radix over the
 *   layout's sizes, the first of them the slowest, begins at element offset + Σ digit · stride.
 * - space: 0 a full value, 1 one number a row; of the result, or of what `store` and `total` read. `rowSum` and
 *   `rowMax` say 1.
 * - a, b, c: earlier instructions, by index. `kinds` is the kind of b plus 4 times the kind of c: 0 a value of the
 *   same space, 1 a constant (index into the attribute `constants`, then the scalar inputs), 2 a row value in full
 *   space.
 * - `load`: a is an input, not a scalar; `fill`: b is a constant. `store` (full, row), `columnSum` and `total`: b is the
 *   output; each is written once. A `store` of a full value with c > 0 writes its rows by layout c − 1; as many of them as
 *   the output has elements for write one output together.
 * - `reverseSub` is b − a, `reverseDiv` b / a, `mulAdd` a·b + c, `select` a ≠ 0 ? b : c; comparisons give 1 or 0.
 */
export const fusedOps = {
  load: 0,
  fill: 1,
  expand: 2,
  neg: 3,
  abs: 4,
  square: 5,
  sqrt: 6,
  rsqrt: 7,
  reciprocal: 8,
  exp: 9,
  log: 10,
  log1p: 11,
  expm1: 12,
  erf: 13,
  tanh: 14,
  sigmoid: 15,
  relu: 16,
  sign: 17,
  floor: 18,
  logicalNot: 19,
  add: 20,
  sub: 21,
  reverseSub: 22,
  mul: 23,
  div: 24,
  reverseDiv: 25,
  max: 26,
  min: 27,
  pow: 28,
  greater: 29,
  greaterEqual: 30,
  less: 31,
  lessEqual: 32,
  equal: 33,
  notEqual: 34,
  logicalAnd: 35,
  logicalOr: 36,
  squaredDifference: 37,
  mulAdd: 38,
  select: 39,
  rowSum: 40,
  rowMax: 41,
  store: 42,
  columnSum: 43,
  total: 44,
} as const;

/** The kinds of a second or third operand. */
export const operandKinds = { value: 0, constant: 1, row: 2 } as const;
