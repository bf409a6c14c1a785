/** Augmentations that several families share, each under the source that the family has it from. */
import type { from, Sourced } from './sources.ts';

type FromSource = ReturnType<typeof from>;

/** Random resized crop (bicubic) and flip: what timm does unless told otherwise. */
export const resizedCrop = (of: FromSource) => ({ crop: of('resized'), minScale: of(0.08), flip: of(true) }) as const;

/** timm's `rand-m<magnitude>-mstd0.5`, with `-inc1` where it is increasing. */
export function randAugment(
  of: FromSource,
  magnitude: number,
  increasing = true,
): Sourced<{ magnitude: number; std: number; ops: number; increasing: boolean }> {
  return of({ magnitude, std: 0.5, ops: 2, increasing }, `rand-m${magnitude}-mstd0.5${increasing ? '-inc1' : ''}`);
}

/** Mixup 0.8 and CutMix 1 in turn, RandAugment 9, erasing 0.25: of Swin, MAE and BEiT fine-tuning. */
export const strongMix = (of: FromSource) =>
  ({
    ...resizedCrop(of),
    randAugment: randAugment(of, 9),
    mixup: of(0.8),
    cutmix: of(1),
    switchProb: of(0.5),
    mixProb: of(1),
    randomErasing: of(0.25),
    repeated: of(1),
  }) as const;

/** Test images are resized to 256 for a crop of 224. */
export const TEST_CROP = 224 / 256;
