/** Position embeddings for another grid of patches, as the published fine-tunings resize them: bicubic, as PyTorch interpolates. */

/** The coefficient of the cubic convolution; PyTorch's. Keys 1981 (https://doi.org/10.1109/TASSP.1981.1163711) has −½. */
const A = -0.75;

/**
 * A table (from², width), row by row of the grid → (to², width). Half-pixel centres, no antialiasing, the border repeated:
 * `interpolate(mode="bicubic", align_corners=False)`.
 */
export function resizePositions(table: Float32Array, from: number, to: number): Float32Array {
  const width = table.length / (from * from);
  const taps = Array.from({ length: to }, (_, i) => tapsOf(i, from, to));
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
function tapsOf(index: number, from: number, to: number): { readonly at: number; readonly weight: number }[] {
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
