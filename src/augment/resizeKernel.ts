/** What bicubic resizing adds up, as Pillow does: the taps of each position, and which of the two passes comes first. */
import type { Pixels } from './pixels.ts';

export interface Kernel {
  /** Where the taps of each position begin in the line before … */
  readonly starts: Int32Array;
  /** … how many they are … */
  readonly counts: Int32Array;
  /** … and their weights, `stride` for each position, with `precision` bits behind the point. */
  readonly weights: Int32Array;
  readonly stride: number;
}

/** Bits behind the point: the sum of 8-bit values with weights of both signs stays within 32 bits. */
export const precision = 22;

/**
 * Whether the pass over the height comes before that over the width: where it takes away more than twice as many rows as columns.
 * Before version 13 of Pillow the width was always first.
 */
export function comesHeightFirst(image: Pick<Pixels, 'height' | 'width'>, height: number, width: number): boolean {
  const rows = image.height - height;
  return rows > 0 && rows > 2 * (image.width - width);
}

/** For each position of a line of `to` values what it is made of in the line of `from`. */
export function kernel(from: number, to: number): Kernel {
  const scale = from / to;
  const spread = Math.max(scale, 1);
  const support = 2 * spread;
  const stride = Math.ceil(support) * 2 + 1;
  const starts = new Int32Array(to);
  const counts = new Int32Array(to);
  const weights = new Int32Array(to * stride);
  const exact = new Float64Array(stride);
  for (let i = 0; i < to; i++) {
    const center = (i + 0.5) * scale;
    const start = Math.max(Math.trunc(center - support + 0.5), 0);
    const count = Math.min(Math.trunc(center + support + 0.5), from) - start;
    let sum = 0;
    for (let tap = 0; tap < count; tap++) {
      exact[tap] = keys((start + tap - center + 0.5) * (1 / spread));
      sum += exact[tap] as number;
    }
    starts[i] = start;
    counts[i] = count;
    for (let tap = 0; tap < count; tap++) {
      const weight = ((exact[tap] as number) / sum) * (1 << precision);
      weights[i * stride + tap] = Math.trunc(weight < 0 ? weight - 0.5 : weight + 0.5);
    }
  }
  return { starts, counts, weights, stride };
}

function keys(x: number): number {
  const a = -0.5;
  const d = Math.abs(x);
  if (d < 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  return d < 2 ? (((d - 5) * d + 8) * d - 4) * a : 0;
}
