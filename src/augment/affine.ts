/**
 * Rotation, shear and translation with bicubic interpolation, as Pillow's `Image.transform(…, AFFINE)` and `Image.rotate`, to the bit.
 * None changes its input. What comes from outside of the image gets the fill colour, one value per channel.
 */
import type { Pixels } from './pixels.ts';

/** Counter-clockwise around the centre. */
export function rotate(image: Pixels, degrees: number, fill: readonly number[]): Pixels {
  // Modulo and decimals as Pillow has them, so that the edge of the fill lies at the same pixels.
  const angle = -((degrees % 360) + (degrees < 0 ? 360 : 0)) * (Math.PI / 180);
  const cos = toDecimals(Math.cos(angle));
  const sin = toDecimals(Math.sin(angle));
  const [x, y] = [image.width / 2, image.height / 2];
  return transform(image, [cos, sin, cos * -x + sin * -y + x, -sin, cos, -sin * -x + cos * -y + y], fill);
}

/** Row y moves left by `factor` · y. */
export function shearX(image: Pixels, factor: number, fill: readonly number[]): Pixels {
  return transform(image, [1, factor, 0, 0, 1, 0], fill);
}

/** Column x moves up by `factor` · x. */
export function shearY(image: Pixels, factor: number, fill: readonly number[]): Pixels {
  return transform(image, [1, 0, 0, factor, 1, 0], fill);
}

/** To the left by a number of pixels, not necessarily whole. */
export function translateX(image: Pixels, pixels: number, fill: readonly number[]): Pixels {
  return transform(image, [1, 0, pixels, 0, 1, 0], fill);
}

/** Up by a number of pixels, not necessarily whole. */
export function translateY(image: Pixels, pixels: number, fill: readonly number[]): Pixels {
  return transform(image, [1, 0, 0, 0, 1, pixels], fill);
}

/** Of a point of the output the point of the input: x' = a·x + b·y + c, y' = d·x + e·y + f. */
type Matrix = readonly [a: number, b: number, c: number, d: number, e: number, f: number];

function transform(image: Pixels, [a, b, c, d, e, f]: Matrix, fill: readonly number[]): Pixels {
  const { height, width, channels, values: input } = image;
  const values = new Uint8Array(input.length);
  const row = width * channels;
  let out = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      // Pixels have their centres at halves.
      const fromX = a * (x + 0.5) + b * (y + 0.5) + c;
      const fromY = d * (x + 0.5) + e * (y + 0.5) + f;
      if (!(fromX >= 0 && fromX < width && fromY >= 0 && fromY < height)) {
        for (let channel = 0; channel < channels; channel++) values[out++] = fill[channel] as number;
        continue;
      }
      const left = Math.floor(fromX - 0.5);
      const top = Math.floor(fromY - 0.5);
      const dx = fromX - 0.5 - left;
      const dy = fromY - 0.5 - top;
      const x0 = inside(left - 1, width) * channels;
      const x1 = inside(left, width) * channels;
      const x2 = inside(left + 1, width) * channels;
      const x3 = inside(left + 2, width) * channels;
      const y0 = inside(top - 1, height) * row;
      const y1 = inside(top, height) * row;
      const y2 = inside(top + 1, height) * row;
      const y3 = inside(top + 2, height) * row;
      for (let channel = 0; channel < channels; channel++) {
        // Where a line is met exactly, as all are in a shear or a translation, the other lines have no part in it.
        let value = alongRow(input, y1 + channel, x0, x1, x2, x3, dx);
        if (dy !== 0) {
          const above = alongRow(input, y0 + channel, x0, x1, x2, x3, dx);
          const below = alongRow(input, y2 + channel, x0, x1, x2, x3, dx);
          const last = alongRow(input, y3 + channel, x0, x1, x2, x3, dx);
          value = cubic(above, value, below, last, dy);
        }
        values[out++] = value <= 0 ? 0 : value >= 255 ? 255 : Math.trunc(value);
      }
    }
  }
  return { ...image, values };
}

function alongRow(values: Uint8Array, start: number, x0: number, x1: number, x2: number, x3: number, dx: number) {
  const value = values[start + x1] as number;
  if (dx === 0) return value;
  return cubic(values[start + x0] as number, value, values[start + x2] as number, values[start + x3] as number, dx);
}

/**
 * Between the second and the third of four values. Keys' kernel with a = −1 (resizing has −0.5); in this form equal values give their
 * value exactly, which matters since the result is cut off, not rounded.
 */
function cubic(v0: number, v1: number, v2: number, v3: number, d: number): number {
  return v1 + d * (v2 - v0 + d * (2 * (v0 - v1) + v2 - v3 + d * (v1 - v0 - v2 + v3)));
}

function inside(i: number, size: number): number {
  return i < 0 ? 0 : i < size ? i : size - 1;
}

function toDecimals(value: number): number {
  return Number(value.toFixed(15));
}
