/**
 * 3-Augment: every image becomes grey, is solarized or is blurred, one of the three.
 * Touvron et al. 2022, "DeiT III: Revenge of the ViT", section 3.2 (https://arxiv.org/abs/2204.07118).
 */
import type { RandomStream } from '../core/random.ts';
import { gaussianBlur } from './blur.ts';
import { grayscale, solarize } from './color.ts';
import type { Pixels } from './pixels.ts';

// The paper names the three only; the numbers are those of its published code.
const threshold = 128;
const minRadius = 0.1;
const maxRadius = 2;

/** Does not change its input. An image that is grey already stays as it is where grey is drawn. */
export function threeAugment(image: Pixels, stream: RandomStream): Pixels {
  const choice = stream.below(3);
  const radius = minRadius + (maxRadius - minRadius) * stream.uniform();
  if (choice === 0) return grayscale(image);
  return choice === 1 ? solarize(image, threshold) : gaussianBlur(image, radius);
}
