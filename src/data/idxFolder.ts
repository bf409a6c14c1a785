/** A folder of four IDX files, as MNIST is published: images and labels for training (`train`) and for validation (`t10k`). */
import { access } from 'node:fs/promises';
import path from 'node:path';
import { UserError } from '../core/errors.ts';
import { damaged } from './dataFile.ts';
import type { PixelImages, PixelSet } from './dataset.ts';
import { type IdxArray, readIdx } from './idxFile.ts';
import { readClassNames } from './imageFiles.ts';

/**
 * Reads the folder; images are `…-images-idx3-ubyte` (grey, [count, height, width]) or `…-images-idx4-ubyte` (the last dimension
 * is the channels), each with or without `.gz`. Class names come from `classNames`, else from the folder's `labels.txt` (one a line), else they are the
 * numbers. Throws a `UserError` where a file is missing, damaged or does not fit the others.
 */
export async function readIdxFolder(folder: string, classNames?: readonly string[]): Promise<PixelImages> {
  const train = await readSet(folder, 'train');
  const validation = await readSet(folder, 't10k');
  const [ofTrain, ofValidation] = [sizeOf(train.images), sizeOf(validation.images)];
  if (ofTrain.join() !== ofValidation.join()) {
    throw damaged(
      validation.images.file,
      8,
      `the images are ${ofValidation.join(' × ')} (height × width × channels), those for training ${ofTrain.join(' × ')}`,
    );
  }
  const named = classNames ?? (await readClassNames(path.join(folder, 'labels.txt')));
  const count = named?.length ?? 1 + Math.max(largest(train.labels.values), largest(validation.labels.values));
  if (count < 2) {
    throw new UserError(`${folder}: all images are of one class.`, { hint: 'Training needs two classes at least.' });
  }
  const [height, width, channels] = ofTrain;
  return {
    classNames: named ? [...named] : Array.from({ length: count }, (_, i) => String(i)),
    height,
    width,
    channels,
    train: imageSet(train, count),
    validation: imageSet(validation, count),
  };
}

interface IdxPair {
  readonly images: IdxArray;
  readonly labels: IdxArray;
}

async function readSet(folder: string, prefix: 'train' | 't10k'): Promise<IdxPair> {
  const imageNames = [`${prefix}-images-idx3-ubyte`, `${prefix}-images-idx4-ubyte`];
  const images = await readIdx(await find(folder, imageNames), [3, 4]);
  const labels = await readIdx(await find(folder, [`${prefix}-labels-idx1-ubyte`]), [1]);
  if (labels.shape[0] !== images.shape[0]) {
    throw damaged(
      labels.file,
      4,
      `there are ${labels.shape[0]} labels, but ${images.shape[0]} images in ${images.file}`,
    );
  }
  return { images, labels };
}

/** The first that exists, plain or gzipped. */
async function find(folder: string, names: readonly string[]): Promise<string> {
  for (const name of names.flatMap((plain) => [plain, `${plain}.gz`])) {
    const file = path.join(folder, name);
    const exists = await access(file).then(
      () => true,
      () => false,
    );
    if (exists) return file;
  }
  throw new UserError(`Data file not found: ${path.join(folder, names[0] ?? '')} (or the same with .gz).`, {
    hint: 'The folder must hold images and labels of both "train" and "t10k"; put the file there, or correct "path".',
  });
}

function imageSet({ images, labels }: IdxPair, classes: number): PixelSet {
  const wrong = labels.values.findIndex((label) => label >= classes);
  if (wrong >= 0) {
    throw damaged(
      labels.file,
      labels.offset + wrong,
      `label ${labels.values[wrong]}, but there are ${classes} classes`,
    );
  }
  return { count: labels.values.length, pixels: images.values, labels: Int32Array.from(labels.values) };
}

function sizeOf({ shape }: IdxArray): [height: number, width: number, channels: number] {
  const [, height = 0, width = 0, channels = 1] = shape;
  return [height, width, channels];
}

const largest = (values: Uint8Array) => values.reduce((a, b) => Math.max(a, b), 0);
