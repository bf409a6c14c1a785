/**
 * Random erasing: a rectangle of a normalized image becomes noise, as timm's `RandomErasing` with mode `pixel`.
 * Zhong et al. 2020 (https://arxiv.org/abs/1708.04896).
 */
import type { RandomStream } from '../core/random.ts';
import type { Area } from './pixels.ts';
import { roundHalfToEven } from './rounding.ts';

// timm's defaults; the paper has a largest area of 0.4.
const minArea = 0.02;
const maxArea = 1 / 3;
const minAspect = 0.3;
const tries = 10;

/** What to erase, if anything: uniform share of the area, log-uniform height / width; nothing after ten that don't fit. */
export function drawErasure(
  probability: number,
  height: number,
  width: number,
  stream: RandomStream,
): Area | undefined {
  if (stream.uniform() >= probability) return undefined;
  for (let i = 0; i < tries; i++) {
    const area = height * width * (minArea + (maxArea - minArea) * stream.uniform());
    const aspect = minAspect ** (1 - 2 * stream.uniform());
    const h = roundHalfToEven(Math.sqrt(area * aspect));
    const w = roundHalfToEven(Math.sqrt(area / aspect));
    if (h < height && w < width) {
      const top = stream.below(height - h + 1);
      const left = stream.below(width - w + 1);
      return { top, left, height: h, width: w };
    }
  }
  return undefined;
}

/** Fills the area of the image that begins at `offset`, (height, width, channels), with standard normal noise, in place. */
export function erase(
  values: Float32Array,
  offset: number,
  shape: { readonly height: number; readonly width: number; readonly channels: number },
  area: Area,
  stream: RandomStream,
): void {
  const { width, channels } = shape;
  const row = area.width * channels;
  for (let y = area.top; y < area.top + area.height; y++) {
    const start = offset + (y * width + area.left) * channels;
    for (let i = start; i < start + row; i++) values[i] = stream.normal();
  }
}
