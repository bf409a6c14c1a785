/** Colour jitter: brightness, contrast and saturation change by random factors in a random order, as torchvision's `ColorJitter`. */
import type { RandomStream } from '../core/random.ts';
import { brightness, contrast, saturation } from './color.ts';
import type { Pixels } from './pixels.ts';

const adjustments = [brightness, contrast, saturation];

/** Each factor is uniform in 1 ± strength, cut off at 0; the draws are the same in number whatever the strength. Grey: no saturation. */
export function jitterColors(image: Pixels, strength: number, stream: RandomStream): Pixels {
  const order = stream.permutation(adjustments.length);
  const least = Math.max(0, 1 - strength);
  const factors = adjustments.map(() => least + (1 + strength - least) * stream.uniform());
  if (strength === 0) return image;
  let result = image;
  for (const i of order) result = adjustments[i]?.(result, factors[i] as number) ?? result;
  return result;
}
