/**
 * Where images are cropped: a random part for training (Szegedy et al. 2015, section 6, https://arxiv.org/abs/1409.4842), the centre for
 * testing; sizes and places as torchvision and timm compute them.
 */
import type { RandomStream } from '../core/random.ts';
import type { Area } from './pixels.ts';
import { roundHalfToEven } from './rounding.ts';

const minRatio = 3 / 4;
const maxRatio = 4 / 3;
const tries = 10;

/**
 * A part with uniform share `minScale` … 1 of the area and log-uniform width / height 3/4 … 4/3; after ten that don't fit, the largest
 * part in the middle with an allowed ratio.
 */
export function drawResizedCrop(
  height: number,
  width: number,
  options: { readonly minScale: number },
  stream: RandomStream,
): Area {
  const { minScale } = options;
  for (let i = 0; i < tries; i++) {
    const area = height * width * (minScale + (1 - minScale) * stream.uniform());
    const ratio = minRatio * (maxRatio / minRatio) ** stream.uniform();
    const w = roundHalfToEven(Math.sqrt(area * ratio));
    const h = roundHalfToEven(Math.sqrt(area / ratio));
    if (w > 0 && w <= width && h > 0 && h <= height) {
      const top = stream.below(height - h + 1);
      const left = stream.below(width - w + 1);
      return { top, left, height: h, width: w };
    }
  }
  const h = width / height < minRatio ? roundHalfToEven(width / minRatio) : height;
  const w = width / height > maxRatio ? roundHalfToEven(height * maxRatio) : width;
  return { top: Math.floor((height - h) / 2), left: Math.floor((width - w) / 2), height: h, width: w };
}

/** How a test image becomes a square of `side`: resized so that its shorter side is `side / testCrop`, then this area of it cropped. */
export function testGeometry(height: number, width: number, side: number, testCrop: number) {
  const shorter = Math.floor(side / testCrop);
  const longer = Math.trunc((shorter * Math.max(height, width)) / Math.min(height, width));
  const resize = width <= height ? { height: longer, width: shorter } : { height: shorter, width: longer };
  const top = roundHalfToEven((resize.height - side) / 2);
  const left = roundHalfToEven((resize.width - side) / 2);
  const area: Area = { top, left, height: side, width: side };
  return { resize, area };
}
