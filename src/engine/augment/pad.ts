/** Random crop after padding with black, and horizontal flip, on the host. He et al. 2016, section 4.2 (the CIFAR scheme). */
import type { Config } from '../../core/config.ts';
import type { RandomStream } from '../../core/random.ts';

/** Where a sample is cropped and whether it is flipped. */
export interface CropAndFlip {
  /** Top left corner of the crop in the unpadded image; −padding … padding. */
  readonly top: number;
  readonly left: number;
  readonly flip: boolean;
}

/** The draws of one sample. All are drawn whatever is switched on, so that a switch shifts no other draw. */
export function drawCropAndFlip(
  augment: Pick<Config['augment'], 'crop' | 'padding' | 'flip'>,
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
