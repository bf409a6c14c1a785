/**
 * Operations on colours, equal to Pillow's ImageOps and ImageEnhance to the bit. None changes its input; each may return it.
 * A grey image (one channel) is as good as a coloured one, except that `grayscale` and `saturation` leave it as it is.
 */
import type { Pixels } from './pixels.ts';

/** Luma of ITU-R BT.601 in all three channels. */
export function grayscale(image: Pixels): Pixels {
  if (image.channels !== 3) return image;
  const input = image.values;
  const values = new Uint8Array(input.length);
  for (let i = 0; i < input.length; i += 3) {
    const value = luma(input, i);
    values[i] = value;
    values[i + 1] = value;
    values[i + 2] = value;
  }
  return { ...image, values };
}

/** Inverts the values that are at least the threshold. */
export function solarize(image: Pixels, threshold: number): Pixels {
  return mapValues(image, (value) => (value < threshold ? value : 255 - value));
}

/** Adds to the values below 128; timm's own. */
export function solarizeAdd(image: Pixels, added: number): Pixels {
  return mapValues(image, (value) => (value < 128 ? Math.min(255, value + added) : value));
}

/** Keeps the upper bits of each value, 0 to 8; with 0, which Pillow 13 refuses, the image is black, as it was before. */
export function posterize(image: Pixels, bits: number): Pixels {
  return mapValues(image, (value) => value & -(2 ** (8 - bits)));
}

export function invert(image: Pixels): Pixels {
  return mapValues(image, (value) => 255 - value);
}

/** Stretches each channel to 0 … 255. */
export function autocontrast(image: Pixels): Pixels {
  const tables = histograms(image).map((histogram) => {
    const low = histogram.findIndex((count) => count > 0);
    const high = histogram.findLastIndex((count) => count > 0);
    if (high <= low) return tableOf((value) => value);
    const scale = 255 / (high - low);
    const offset = -low * scale;
    return tableOf((value) => Math.min(255, Math.max(0, Math.trunc(value * scale + offset))));
  });
  return mapChannels(image, tables);
}

/** Spreads each channel so that its values are about equally frequent. */
export function equalize(image: Pixels): Pixels {
  const pixels = image.height * image.width;
  const tables = histograms(image).map((histogram) => {
    const ofHighest = histogram[histogram.findLastIndex((count) => count > 0)] as number;
    const step = Math.floor((pixels - ofHighest) / 255);
    if (step === 0) return tableOf((value) => value);
    let below = Math.floor(step / 2);
    return tableOf((value) => {
      const level = Math.min(255, Math.floor(below / step));
      below += histogram[value] as number;
      return level;
    });
  });
  return mapChannels(image, tables);
}

/** 0: black, 1: unchanged, more: brighter. */
export function brightness(image: Pixels, factor: number): Pixels {
  const single = Math.fround(factor);
  return mapValues(image, (value) => blend(0, value, single));
}

/** 0: the mean grey, 1: unchanged, more: more contrast. */
export function contrast(image: Pixels, factor: number): Pixels {
  const single = Math.fround(factor);
  const mean = Math.floor(meanLuma(image) + 0.5);
  return mapValues(image, (value) => blend(mean, value, single));
}

/** 0: grey, 1: unchanged, more: more colourful. ImageEnhance calls it `Color`. */
export function saturation(image: Pixels, factor: number): Pixels {
  if (image.channels !== 3) return image;
  const single = Math.fround(factor);
  const input = image.values;
  const values = new Uint8Array(input.length);
  for (let i = 0; i < input.length; i += 3) {
    const grey = luma(input, i);
    values[i] = blend(grey, input[i] as number, single);
    values[i + 1] = blend(grey, input[i + 1] as number, single);
    values[i + 2] = blend(grey, input[i + 2] as number, single);
  }
  return { ...image, values };
}

/** 0: smoothed, 1: unchanged, more: sharper. The outermost pixels stay. */
export function sharpness(image: Pixels, factor: number): Pixels {
  const { height, width, channels } = image;
  const single = Math.fround(factor);
  const row = width * channels;
  const input = image.values;
  const values = input.slice();
  for (let y = 1; y < height - 1; y++) {
    const end = (y + 1) * row - channels;
    for (let i = y * row + channels; i < end; i++) {
      const value = input[i] as number;
      // Eight neighbours once, the pixel itself five times; the sum's thirteenth is never half-way between whole numbers.
      const sum =
        4 * value +
        threeAround(input, i - row, channels) +
        threeAround(input, i, channels) +
        threeAround(input, i + row, channels);
      values[i] = blend(Math.floor((sum + 6.5) / 13), value, single);
    }
  }
  return { ...image, values };
}

function threeAround(values: Uint8Array, i: number, step: number): number {
  return (values[i - step] as number) + (values[i] as number) + (values[i + step] as number);
}

/** From the first value to the second and beyond, cut off, not rounded. Pillow computes it in single precision. */
function blend(from: number, to: number, factor: number): number {
  const value = Math.fround(from + Math.fround(factor * (to - from)));
  return value <= 0 ? 0 : value >= 255 ? 255 : Math.trunc(value);
}

/** In the fixed point of Pillow: sixteen bits behind the point. */
function luma(values: Uint8Array, i: number): number {
  const [r, g, b] = [values[i] as number, values[i + 1] as number, values[i + 2] as number];
  return (r * 19595 + g * 38470 + b * 7471 + 0x8000) >> 16;
}

function meanLuma({ values, channels }: Pixels): number {
  let sum = 0;
  if (channels === 3) for (let i = 0; i < values.length; i += 3) sum += luma(values, i);
  else for (let i = 0; i < values.length; i++) sum += values[i] as number;
  return sum / (values.length / channels);
}

function mapValues(image: Pixels, map: (value: number) => number): Pixels {
  const table = tableOf(map);
  const input = image.values;
  const values = new Uint8Array(input.length);
  for (let i = 0; i < input.length; i++) values[i] = table[input[i] as number] as number;
  return { ...image, values };
}

/** Each channel by its own table. */
function mapChannels(image: Pixels, tables: readonly Uint8Array[]): Pixels {
  const { channels, values: input } = image;
  const values = new Uint8Array(input.length);
  for (const [channel, table] of tables.entries()) {
    for (let i = channel; i < input.length; i += channels) values[i] = table[input[i] as number] as number;
  }
  return { ...image, values };
}

function tableOf(map: (value: number) => number): Uint8Array {
  const table = new Uint8Array(256);
  for (let value = 0; value < 256; value++) table[value] = map(value);
  return table;
}

/** How often each value occurs, for each channel. */
function histograms({ values, channels }: Pixels): Uint32Array[] {
  return Array.from({ length: channels }, (_, channel) => {
    const histogram = new Uint32Array(256);
    for (let i = channel; i < values.length; i += channels) (histogram[values[i] as number] as number)++;
    return histogram;
  });
}
