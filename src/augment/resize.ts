/**
 * Bicubic resizing with antialiasing, as Pillow's `Image.resize(…, BICUBIC)`: Keys' kernel with a = −0.5, made wider where the image
 * shrinks. Keys 1981 (https://doi.org/10.1109/TASSP.1981.1163711). Neither function changes its input; either may return it.
 */
import type { Area, Pixels } from './pixels.ts';

/**
 * Any number of channels. Equal to Pillow 13 to the bit: of the two passes, between which values are rounded and clipped, it begins
 * with the height where it takes away more than twice as many rows as columns; before version 13 the width was always first.
 */
export function resize(image: Pixels, height: number, width: number): Pixels {
  const [rows, columns] = [image.height - height, image.width - width];
  return rows > 0 && rows > 2 * columns
    ? resizeWidth(resizeHeight(image, height), width)
    : resizeHeight(resizeWidth(image, width), height);
}

/** The part of an image, which must lie inside it. */
export function crop(image: Pixels, area: Area): Pixels {
  const { channels } = image;
  if (area.height === image.height && area.width === image.width) return image;
  const row = area.width * channels;
  const values = new Uint8Array(area.height * row);
  for (let y = 0; y < area.height; y++) {
    const start = ((area.top + y) * image.width + area.left) * channels;
    values.set(image.values.subarray(start, start + row), y * row);
  }
  return { values, height: area.height, width: area.width, channels };
}

/** Bits behind the point: the sum of 8-bit values with weights of both signs stays within 32 bits. */
const precision = 22;
const half = 1 << (precision - 1);

function resizeWidth(image: Pixels, width: number): Pixels {
  if (width === image.width) return image;
  const { height, channels } = image;
  const input = image.values;
  const values = new Uint8Array(height * width * channels);
  const { starts, counts, weights, stride } = kernel(image.width, width);
  let out = 0;
  for (let y = 0; y < height; y++) {
    const row = y * image.width;
    for (let x = 0; x < width; x++) {
      const first = x * stride;
      const last = first + (counts[x] as number);
      const start = (row + (starts[x] as number)) * channels;
      // Three sums side by side are a third faster than one after the other.
      if (channels === 3) {
        let r = half;
        let g = half;
        let b = half;
        for (let tap = first, at = start; tap < last; tap++, at += 3) {
          const weight = weights[tap] as number;
          r = (r + Math.imul(input[at] as number, weight)) | 0;
          g = (g + Math.imul(input[at + 1] as number, weight)) | 0;
          b = (b + Math.imul(input[at + 2] as number, weight)) | 0;
        }
        values[out++] = clip(r >> precision);
        values[out++] = clip(g >> precision);
        values[out++] = clip(b >> precision);
        continue;
      }
      for (let channel = 0; channel < channels; channel++) {
        let sum = half;
        let at = start + channel;
        for (let tap = first; tap < last; tap++) {
          sum = (sum + Math.imul(input[at] as number, weights[tap] as number)) | 0;
          at += channels;
        }
        values[out++] = clip(sum >> precision);
      }
    }
  }
  return { values, height, width, channels };
}

function resizeHeight(image: Pixels, height: number): Pixels {
  if (height === image.height) return image;
  const { width, channels } = image;
  const input = image.values;
  const row = width * channels;
  const values = new Uint8Array(height * row);
  const { starts, counts, weights, stride } = kernel(image.height, height);
  let out = 0;
  for (let y = 0; y < height; y++) {
    const first = y * stride;
    const last = first + (counts[y] as number);
    const start = (starts[y] as number) * row;
    for (let i = 0; i < row; i++) {
      let sum = half;
      let at = start + i;
      for (let tap = first; tap < last; tap++) {
        sum = (sum + Math.imul(input[at] as number, weights[tap] as number)) | 0;
        at += row;
      }
      values[out++] = clip(sum >> precision);
    }
  }
  return { values, height, width, channels };
}

function clip(value: number): number {
  return value < 0 ? 0 : Math.min(value, 255);
}

/** For each position of a line of `to` values: where its taps begin in the line of `from`, how many they are, and their weights. */
function kernel(from: number, to: number) {
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
