/**
 * RandAugment: some operations drawn from fifteen, at one strength. Cubuk et al. 2020 (https://arxiv.org/abs/1909.13719), in the form
 * that timm gave it: each is applied with probability ½, the magnitude is drawn anew, and increasing operations grow with it.
 */
import type { RandAugment } from '../core/augmentConfig.ts';
import type { RandomStream } from '../core/random.ts';
import { rotate, shearX, shearY, translateX, translateY } from './affine.ts';
import {
  autocontrast,
  brightness,
  contrast,
  equalize,
  invert,
  posterize,
  saturation,
  sharpness,
  solarize,
  solarizeAdd,
} from './color.ts';
import type { Pixels } from './pixels.ts';

export interface RandAugmentOp {
  /** timm's name. */
  readonly name: string;
  /** What the magnitudes 0 and 10 mean, in the operation's own unit and with a positive sign; absent: they mean nothing. */
  readonly levels?: readonly [number, number];
  /** What a magnitude means, with a random sign where there is one; a sign is drawn in any case. */
  drawLevel(magnitude: number, stream: RandomStream): number;
  /** At a level in the operation's own unit. Does not change its input; `fill` is the colour of what comes from outside of it. */
  applyLevel(image: Pixels, level: number, fill: readonly number[]): Pixels;
  /** At a magnitude of 0 to 10, its sign drawn. */
  apply(image: Pixels, magnitude: number, stream: RandomStream, fill: readonly number[]): Pixels;
}

const maxMagnitude = 10;

const autoContrast = operation('AutoContrast', autocontrast);
const equalized = operation('Equalize', equalize);
const inverted = operation('Invert', invert);
const rotated = operation('Rotate', rotate, (share, sign) => sign * share * 30);
const addition = operation('SolarizeAdd', solarizeAdd, (share) => Math.trunc(share * 110));
const sheared = [
  operation('ShearX', shearX, (share, sign) => sign * share * 0.3),
  operation('ShearY', shearY, (share, sign) => sign * share * 0.3),
];
const translated = [
  operation(
    'TranslateXRel',
    (image, level, fill) => translateX(image, level * image.width, fill),
    (share, sign) => sign * share * 0.45,
  ),
  operation(
    'TranslateYRel',
    (image, level, fill) => translateY(image, level * image.height, fill),
    (share, sign) => sign * share * 0.45,
  ),
];

const factor: LevelOf = (share) => share * 1.8 + 0.1;
/** Away from 1, where the image stays as it is. */
const increasingFactor: LevelOf = (share, sign) => Math.max(0.1, 1 + sign * share * 0.9);

/** Of the first form; several of these grow weaker with the magnitude. */
export const randAugmentOps: readonly RandAugmentOp[] = [
  autoContrast,
  equalized,
  inverted,
  rotated,
  operation('Posterize', posterize, (share) => Math.trunc(share * 4)),
  operation('Solarize', solarize, (share) => Math.trunc(share * 256)),
  addition,
  operation('Color', saturation, factor),
  operation('Contrast', contrast, factor),
  operation('Brightness', brightness, factor),
  operation('Sharpness', sharpness, factor),
  ...sheared,
  ...translated,
];

/** Of the increasing form. */
export const increasingRandAugmentOps: readonly RandAugmentOp[] = [
  autoContrast,
  equalized,
  inverted,
  rotated,
  operation('PosterizeIncreasing', posterize, (share) => 4 - Math.trunc(share * 4)),
  operation('SolarizeIncreasing', solarize, (share) => 256 - Math.trunc(share * 256)),
  addition,
  operation('ColorIncreasing', saturation, increasingFactor),
  operation('ContrastIncreasing', contrast, increasingFactor),
  operation('BrightnessIncreasing', brightness, increasingFactor),
  operation('SharpnessIncreasing', sharpness, increasingFactor),
  ...sheared,
  ...translated,
];

export interface DrawnOp {
  readonly op: RandAugmentOp;
  readonly magnitude: number;
  readonly level: number;
}

/** `fill` is the mean colour of the data, 0 to 255 per channel. Does not change its input. */
export function applyRandAugment(
  image: Pixels,
  options: RandAugment,
  fill: readonly number[],
  stream: RandomStream,
): Pixels {
  let result = image;
  for (const { op, level } of drawRandAugment(options, stream)) result = op.applyLevel(result, level, fill);
  return result;
}

/** The operations that are applied to an image, in order; every operation takes the same number of draws, applied or not. */
export function drawRandAugment(options: RandAugment, stream: RandomStream): DrawnOp[] {
  const table = options.increasing ? increasingRandAugmentOps : randAugmentOps;
  const drawn: DrawnOp[] = [];
  for (let i = 0; i < options.ops; i++) {
    const op = table[stream.below(table.length)] as RandAugmentOp;
    const applied = stream.uniform() < 0.5;
    const normal = options.magnitude + options.std * stream.normal();
    const magnitude = Math.min(maxMagnitude, Math.max(0, normal));
    const level = op.drawLevel(magnitude, stream);
    if (applied) drawn.push({ op, magnitude, level });
  }
  return drawn;
}

/** An operation's level, of the magnitude as a share of the largest one, and a sign. */
type LevelOf = (share: number, sign: 1 | -1) => number;

function operation(name: string, applyLevel: RandAugmentOp['applyLevel'], levelOf?: LevelOf): RandAugmentOp {
  const drawLevel = (magnitude: number, stream: RandomStream) => {
    const sign = stream.below(2) === 0 ? 1 : -1;
    return levelOf?.(magnitude / maxMagnitude, sign) ?? 0;
  };
  return {
    name,
    ...(levelOf && { levels: [levelOf(0, 1), levelOf(1, 1)] as const }),
    drawLevel,
    applyLevel,
    apply: (image, magnitude, stream, fill) => applyLevel(image, drawLevel(magnitude, stream), fill),
  };
}
