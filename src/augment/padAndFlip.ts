/** Random crop after padding with black, and horizontal flip. He et al. 2016, section 4.2 (the CIFAR scheme). */
import type { AugmentConfig } from '../core/augmentConfig.ts';
import type { RandomStream } from '../core/random.ts';
import type { Pixels } from './pixels.ts';

/** Where a sample is cropped and whether it is flipped. */
export interface CropAndFlip {
  /** Top left corner of the crop in the unpadded image; −padding … padding. */
  readonly top: number;
  readonly left: number;
  readonly flip: boolean;
}

/** The draws of one sample. All are drawn whatever is switched on, so that a switch shifts no other draw. */
export function drawCropAndFlip(
  augment: Pick<AugmentConfig, 'crop' | 'padding' | 'flip'>,
  stream: RandomStream,
): CropAndFlip {
  const span = 2 * augment.padding + 1;
  const [top, left, flip] = [stream.below(span), stream.below(span), stream.below(2)];
  const crops = augment.crop === 'pad';
  return {
    top: crops ? top - augment.padding : 0,
    left: crops ? left - augment.padding : 0,
    flip: augment.flip && flip === 1,
  };
}

/** The image shifted by the crop's corner, black where it comes in from outside, and mirrored. */
export function padAndFlip(image: Pixels, { top, left, flip }: CropAndFlip): Pixels {
  if (top === 0 && left === 0 && !flip) return image;
  const { height, width, channels, values } = image;
  const out = new Uint8Array(values.length);
  for (let y = 0; y < height; y++) {
    const row = y + top;
    if (row < 0 || row >= height) continue;
    for (let x = 0; x < width; x++) {
      const column = left + (flip ? width - 1 - x : x);
      if (column < 0 || column >= width) continue;
      const [to, from] = [(y * width + x) * channels, (row * width + column) * channels];
      for (let c = 0; c < channels; c++) out[to + c] = values[from + c] as number;
    }
  }
  return { ...image, values: out };
}

/** Left becomes right. */
export const mirrored = (image: Pixels): Pixels => padAndFlip(image, { top: 0, left: 0, flip: true });
