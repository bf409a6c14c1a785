/**
 * One image as the model will see it: cropped and resized, then changed as the config asks. All draws come from streams of the
 * sample's own key, so that any worker gives the same pixels.
 */
import type { AugmentConfig } from '../core/augmentConfig.ts';
import { RandomStream } from '../core/random.ts';
import { jitterColors } from './colorJitter.ts';
import { drawCropAndFlip, mirrored, padAndFlip } from './padAndFlip.ts';
import type { Area, Pixels } from './pixels.ts';
import { applyRandAugment } from './randAugment.ts';
import { crop, resize } from './resize.ts';
import { drawResizedCrop, testGeometry } from './resizedCrop.ts';
import { threeAugment } from './threeAugment.ts';

/** How the images of a batch are to be seen. */
export interface View {
  /** Side of the square that comes out, in pixels. */
  readonly side: number;
  /** Share of the shorter side that a test image keeps. */
  readonly testCrop: number;
  /** Absent: as for validation. */
  readonly training?: TrainingView;
}

export interface TrainingView {
  readonly augment: AugmentConfig;
  readonly seed: number;
  readonly epoch: number;
  /** Of each channel, 0 to 255: the colour of what an operation brings in from outside. */
  readonly fill: readonly number[];
}

/** What a decoder does on the way: a part of the image, resized, mirrored where it says so, and a part of that. */
export interface Geometry {
  readonly before?: Area;
  readonly resize: { readonly height: number; readonly width: number };
  /** With no `after`: left becomes right, which a decoder gets for nothing. */
  readonly mirrored?: boolean;
  readonly after?: Area;
}

/** The geometry for an image of this size; `key` names the sample's streams. */
export function geometryOf(height: number, width: number, { side, testCrop, training }: View, key: number): Geometry {
  if (training?.augment.crop === 'resized') {
    const stream = streamOf(training, 'augment.crop', key);
    const before = drawResizedCrop(height, width, training.augment, stream);
    return { before, resize: { height: side, width: side }, mirrored: shiftOf(training, key).flip };
  }
  const { resize, area } = testGeometry(height, width, side, training ? 1 : testCrop);
  const isWhole = area.height === resize.height && area.width === resize.width;
  return isWhole ? { resize } : { resize, after: area };
}

/** What follows the geometry, on the image of its final size. */
export function finish(image: Pixels, { training }: View, key: number): Pixels {
  if (!training) return image;
  const { augment, fill } = training;
  let pixels = augment.crop === 'resized' ? image : padAndFlip(image, shiftOf(training, key));
  if (augment.threeAugment) pixels = threeAugment(pixels, streamOf(training, 'augment.three', key));
  if (augment.randAugment) {
    pixels = applyRandAugment(pixels, augment.randAugment, fill, streamOf(training, 'augment.rand', key));
  }
  if (augment.colorJitter > 0) {
    pixels = jitterColors(pixels, augment.colorJitter, streamOf(training, 'augment.color', key));
  }
  return pixels;
}

/** Both, for an image in memory. */
export function render(image: Pixels, view: View, key: number): Pixels {
  const geometry = geometryOf(image.height, image.width, view, key);
  const part = geometry.before ? crop(image, geometry.before) : image;
  const { height, width } = geometry.resize;
  const resized = part.height === height && part.width === width ? part : resize(part, height, width);
  const turned = geometry.mirrored ? mirrored(resized) : resized;
  return finish(geometry.after ? crop(turned, geometry.after) : turned, view, key);
}

const shiftOf = (training: TrainingView, key: number) =>
  drawCropAndFlip(training.augment, streamOf(training, 'augment', key));

const streamOf = ({ seed, epoch }: TrainingView, purpose: string, key: number) =>
  new RandomStream(seed, purpose, epoch, key);
