/**
 * Gaussian blur as Pillow's `ImageFilter.GaussianBlur`, to the bit: three box blurs of fractional width in each direction.
 * Gwosdek et al. 2011 (https://doi.org/10.1007/978-3-642-24785-9_38). Any number of channels; the input is not changed.
 */
import type { Pixels } from './pixels.ts';

const passes = 3;

/** `radius` is the Gaussian's standard deviation in pixels, as Pillow calls it. */
export function gaussianBlur(image: Pixels, radius: number): Pixels {
  const { height, width, channels } = image;
  const boxRadius = boxRadiusOf(radius);
  if (boxRadius === 0) return image;
  let from = image.values;
  let to: Uint8Array = new Uint8Array(from.length);
  const spare = new Uint8Array(from.length);
  for (const along of ['x', 'y'] as const) {
    for (let pass = 0; pass < passes; pass++) {
      if (along === 'x') boxBlur(from, to, boxRadius, { lines: height, length: width, lanes: channels });
      else boxBlur(from, to, boxRadius, { lines: 1, length: height, lanes: width * channels });
      [from, to] = [to, from === image.values ? spare : from];
    }
  }
  return { ...image, values: from };
}

/** Radius of the boxes, not necessarily whole: equations 7, 11 and 14 of the paper, in Pillow's single precision. */
function boxRadiusOf(radius: number): number {
  const { fround } = Math;
  const single = fround(radius);
  const variance = fround(fround(single * single) / passes);
  const length = fround(Math.sqrt(12 * variance + 1));
  const whole = fround(Math.floor((length - 1) / 2));
  const next = whole + 1;
  const over = fround((2 * whole + 1) * fround(whole * next - fround(3 * variance)));
  const under = fround(6 * fround(variance - next * next));
  return fround(whole + fround(over / under));
}

/** How values lie: `lines` runs of `length` positions, each of `lanes` values that are blurred side by side. */
interface Layout {
  readonly lines: number;
  readonly length: number;
  readonly lanes: number;
}

/** Mean over a box around each position, whose two end values count in part; the outermost values go on beyond the edges. */
function boxBlur(from: Uint8Array, to: Uint8Array, radius: number, { lines, length, lanes }: Layout): void {
  const reach = Math.floor(radius);
  // 24 bits behind the point; the sums fill 32 bits without a sign, which wrapping multiplication keeps.
  const weight = Math.floor(Math.fround(0x100_0000 / Math.fround(Math.fround(radius * 2) + 1)));
  const endWeight = Math.floor((0x100_0000 - (reach * 2 + 1) * weight) / 2);
  const sums = new Int32Array(lanes);
  const last = length - 1;
  for (let line = 0; line < lines; line++) {
    const start = line * length * lanes;
    const at = (position: number) => start + (position < 0 ? 0 : Math.min(position, last)) * lanes;
    sums.fill(0);
    for (let position = -reach - 1; position < reach; position++) {
      const i = at(position);
      for (let lane = 0; lane < lanes; lane++) (sums[lane] as number) += from[i + lane] as number;
    }
    for (let position = 0; position < length; position++) {
      const out = start + position * lanes;
      const before = at(position - reach - 1);
      const newest = at(position + reach);
      const after = at(position + reach + 1);
      for (let lane = 0; lane < lanes; lane++) {
        const leaving = from[before + lane] as number;
        const sum = (sums[lane] as number) + (from[newest + lane] as number) - leaving;
        sums[lane] = sum;
        const ends = leaving + (from[after + lane] as number);
        to[out + lane] = (Math.imul(sum, weight) + Math.imul(ends, endWeight) + 0x80_0000) >>> 24;
      }
    }
  }
}
