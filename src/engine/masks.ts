/** Which units of an input a masked branch sees: at random, with whole blocks hidden, or in a regular grid. */
import type { Config } from '../core/config.ts';
import type { RandomStream } from '../core/random.ts';
import type { Masking } from './models/model.ts';

/** Units that a mask may hide. */
export const unitsOf = ({ rows, columns }: Masking): number => rows * columns;

/** What a branch sees of one sample, in the order in which it sees it, and what not. */
export interface DrawnMask {
  readonly visible: Int32Array;
  readonly hidden: Int32Array;
}

/** Shows `kept` of the first `places` units, the fixed ones among them; what comes after them is padding. */
export function drawMask(
  masking: Masking,
  shape: Config['method']['maskShape'],
  { kept, places }: { readonly kept: number; readonly places: number },
  stream: RandomStream,
): DrawnMask {
  const fixed = masking.fixed ?? 0;
  const columns = masking.columns - (unitsOf(masking) - places) - fixed;
  const order = drawOrder({ ...masking, columns }, shape, kept - fixed, stream).map((unit) => unit + fixed);
  const first = Int32Array.from({ length: fixed }, (_, unit) => unit);
  return { visible: Int32Array.of(...first, ...order.subarray(0, kept - fixed)), hidden: order.subarray(kept - fixed) };
}

/** All units of one sample in an order of which the first `kept` are visible. */
export function drawOrder(
  masking: Masking,
  shape: Config['method']['maskShape'],
  kept: number,
  stream: RandomStream,
): Int32Array {
  switch (shape) {
    case 'random':
      // Uniform noise sorted, as MAE does; kept tokens stay in that order.
      return stream.permutation(unitsOf(masking));
    case 'block':
      return visibleFirst(masking, hideBlocks(masking, unitsOf(masking) - kept, stream));
    case 'grid':
      return ditheredOrder(masking, stream);
  }
}

/**
 * Hides rectangles at random places until `count` units are hidden; the last one only as far as needed. Bao et al. 2022 (BEiT),
 * algorithm 1 (https://arxiv.org/abs/2106.08254), with its aspect ratios of 0.3 to 1/0.3.
 */
function hideBlocks({ rows, columns }: Masking, count: number, stream: RandomStream): ReadonlySet<number> {
  const hidden = new Set<number>();
  while (hidden.size < count) {
    const left = count - hidden.size;
    const area = Math.min(left, 4) + stream.uniform() * Math.max(0, left - 4);
    const aspect = 0.3 ** (1 - 2 * stream.uniform());
    const height = Math.min(rows, Math.max(1, Math.round(Math.sqrt(area * aspect))));
    const width = Math.min(columns, Math.max(1, Math.round(Math.sqrt(area / aspect))));
    const [top, start] = [stream.below(rows - height + 1), stream.below(columns - width + 1)];
    for (let i = 0; i < height * width && hidden.size < count; i++) {
      hidden.add((top + Math.floor(i / width)) * columns + start + (i % width));
    }
  }
  return hidden;
}

function visibleFirst(masking: Masking, hidden: ReadonlySet<number>): Int32Array {
  const units = Int32Array.from({ length: unitsOf(masking) }, (_, unit) => unit);
  return Int32Array.from([...units.filter((unit) => !hidden.has(unit)), ...units.filter((unit) => hidden.has(unit))]);
}

/**
 * Ordered dither from a random corner: at 75 % one of each 2 × 2 units is visible, at 50 % a chequerboard, and in between it is as even.
 * Bayer 1973, "An optimum method for two-level rendition of continuous-tone pictures".
 */
function ditheredOrder({ rows, columns }: Masking, stream: RandomStream): Int32Array {
  const [down, right] = [stream.below(64), stream.below(64)];
  const rank = (unit: number) => bayerRank(Math.floor(unit / columns) + down, (unit % columns) + right);
  const units = Array.from({ length: rows * columns }, (_, unit) => unit);
  return Int32Array.from(units.sort((a, b) => rank(a) - rank(b) || a - b));
}

/** The place of a point among those of its 64 × 64 tile. */
function bayerRank(y: number, x: number): number {
  let rank = 0;
  for (let bit = 0; bit < 6; bit++) {
    const [v, h] = [(y >> bit) & 1, (x >> bit) & 1];
    rank = rank * 4 + 2 * (v ^ h) + v; // (0, 0), (1, 1), (0, 1), (1, 0)
  }
  return rank;
}
