/**
 * Mixup and CutMix of a batch with itself in reverse order, as in timm's batch mode, on the host.
 * Zhang et al. 2018 (https://arxiv.org/abs/1710.09412); Yun et al. 2019 (https://arxiv.org/abs/1905.04899).
 */
import type { AugmentConfig } from '../core/augmentConfig.ts';
import type { RandomStream } from '../core/random.ts';

/** A batch as it enters the model. */
interface Images {
  readonly values: Float32Array;
  readonly shape: readonly [batch: number, height: number, width: number, channels: number];
}

/** Rows top to bottom and columns left to right; the ends are not inside. */
export interface Box {
  readonly top: number;
  readonly bottom: number;
  readonly left: number;
  readonly right: number;
}

/** How a batch is mixed: the share of each sample itself, and for CutMix the box that its partner fills. */
export interface Mix {
  readonly share: number;
  readonly box?: Box;
}

/** The draws of one batch of images of `height` × `width`; nothing where it stays as it is. */
export function drawMix(augment: AugmentConfig, height: number, width: number, stream: RandomStream): Mix | undefined {
  const { mixup, cutmix, switchProb, mixProb } = augment;
  const [mixes, switches] = [stream.uniform() < mixProb, stream.uniform() < switchProb];
  if (!mixes || (mixup === 0 && cutmix === 0)) return undefined;
  const cuts = cutmix > 0 && (mixup === 0 || switches);
  const share = stream.beta(cuts ? cutmix : mixup);
  if (!cuts) return { share };
  const box = drawBox(share, height, width, stream);
  return { share: 1 - ((box.bottom - box.top) * (box.right - box.left)) / (height * width), box };
}

/** A box of the area 1 − share around a random point, cut off at the edges. */
function drawBox(share: number, height: number, width: number, stream: RandomStream): Box {
  const side = Math.sqrt(1 - share);
  const [halfHeight, halfWidth] = [Math.floor(height * side) >> 1, Math.floor(width * side) >> 1];
  const [y, x] = [stream.below(height), stream.below(width)];
  return {
    top: Math.max(0, y - halfHeight),
    bottom: Math.min(height, y + halfHeight),
    left: Math.max(0, x - halfWidth),
    right: Math.min(width, x + halfWidth),
  };
}

/** Images (B, H, W, C), each mixed with its partner. */
export function mixImages<T extends Images>(images: T, { share, box }: Mix): T {
  const { values, shape } = images;
  const [batch, height, width, channels] = shape;
  const mixed = values.slice();
  const size = height * width * channels;
  const { top, bottom, left, right } = box ?? { top: 0, bottom: height, left: 0, right: width };
  const own = box ? 0 : share;
  for (let b = 0; b < batch; b++) {
    const partner = (batch - 1 - b) * size;
    for (let y = top; y < bottom; y++) {
      const from = (y * width + left) * channels;
      for (let i = from; i < from + (right - left) * channels; i++) {
        const at = b * size + i;
        mixed[at] = own * (values[at] as number) + (1 - own) * (values[partner + i] as number);
      }
    }
  }
  return { ...images, values: mixed };
}

/** Targets (B, classes), each with its share, its partner's with the rest. */
export function mixTargets(target: Float32Array, batch: number, { share }: Mix): Float32Array {
  const classes = target.length / batch;
  return target.map((value, at) => {
    const b = Math.floor(at / classes);
    const partner = (batch - 1 - b) * classes + (at % classes);
    return share * value + (1 - share) * (target[partner] as number);
  });
}
