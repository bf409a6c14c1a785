/** Position embeddings and biases of relative positions for another grid of patches, as the published fine-tunings resize them. */

/** The coefficient of the cubic convolution; PyTorch's. Keys 1981 (https://doi.org/10.1109/TASSP.1981.1163711) has −½. */
const A = -0.75;

/**
 * A table (from², width), row by row of the grid → (to², width): bicubic, as PyTorch interpolates. Half-pixel centres, no antialiasing,
 * the border repeated: `interpolate(mode="bicubic", align_corners=False)`.
 */
export function resizePositions(table: Float32Array, from: number, to: number): Float32Array {
  const taps = Array.from({ length: to }, (_, i) => tapsOf(i, from, to));
  return resized(table, from, taps);
}

/**
 * Biases of relative positions (from², heads) → (to², heads), where both sides are odd and the middle is no offset. Neighbours keep their
 * bias: the old offsets are placed at 0, 1, 1 + q, 1 + q + q², …, with the q at which the last one comes to the new end, and between them
 * it is linear. So BEiT's are resized by timm 1.0 (resize_rel_pos_bias_table in timm/layers/pos_embed_rel.py); the code of its authors,
 * from which that comes, is cubic between them (run_class_finetuning.py in https://github.com/microsoft/unilm/tree/master/beit2).
 */
export function resizeOffsets(table: Float32Array, from: number, to: number): Float32Array {
  const half = offsetsOf(from, to);
  const places = [...half.map((place) => -place).reverse(), 0, ...half];
  const taps = Array.from({ length: to }, (_, i) => linearTaps(i - Math.floor(to / 2), places));
  return resized(table, from, taps);
}

/** An old place and its share in a new one. */
interface Tap {
  readonly at: number;
  readonly weight: number;
}

/** The table of which each new place is made of old ones, along both sides. */
function resized(table: Float32Array, from: number, taps: readonly (readonly Tap[])[]): Float32Array {
  const width = table.length / (from * from);
  const to = taps.length;
  const resized = new Float32Array(to * to * width);
  taps.forEach((rows, y) => {
    taps.forEach((columns, x) => {
      for (let d = 0; d < width; d++) {
        let sum = 0;
        for (const row of rows) {
          for (const column of columns) {
            sum += row.weight * column.weight * (table[(row.at * from + column.at) * width + d] as number);
          }
        }
        resized[(y * to + x) * width + d] = sum;
      }
    });
  });
  return resized;
}

/** The four old places that a new one is made of. */
function tapsOf(index: number, from: number, to: number): Tap[] {
  const centre = ((index + 0.5) * from) / to - 0.5;
  const first = Math.floor(centre);
  return [-1, 0, 1, 2].map((offset) => ({
    at: Math.min(from - 1, Math.max(0, first + offset)),
    weight: cubic(Math.abs(centre - (first + offset))),
  }));
}

/** The cubic convolution kernel at distance x. */
function cubic(x: number): number {
  if (x <= 1) return ((A + 2) * x - (A + 3)) * x * x + 1;
  if (x < 2) return ((x - 5) * x + 8) * x * A - 4 * A;
  return 0;
}

/** Where the offsets to one side are placed: q is found by halving, in timm's steps, since a nearer q would be another result. */
function offsetsOf(from: number, to: number): number[] {
  const count = Math.floor(from / 2);
  const end = Math.floor(to / 2);
  let [low, high, q] = [1.01, 1.5, 1.01];
  while (high - low > 1e-6) {
    q = (low + high) / 2;
    if ((1 - q ** count) / (1 - q) > end) high = q;
    else low = q;
  }
  let place = 0;
  return Array.from({ length: count }, (_, i) => {
    place += q ** i;
    return place;
  });
}

/** The two places around; outside, the last one. */
function linearTaps(at: number, places: readonly number[]): Tap[] {
  const right = places.findIndex((place) => place >= at);
  if (right <= 0) return [{ at: right === 0 ? 0 : places.length - 1, weight: 1 }];
  const [before, after] = [places[right - 1] as number, places[right] as number];
  const share = (at - before) / (after - before);
  return [
    { at: right - 1, weight: 1 - share },
    { at: right, weight: share },
  ];
}
