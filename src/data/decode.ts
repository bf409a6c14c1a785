/** JPEG, PNG and WebP to pixels by way of sharp, cropped and resized on the way: what torchvision and Pillow make of them, as RGB. */
import { createRequire } from 'node:module';
import path from 'node:path';
import type sharpModule from 'sharp';
import type { Pixels } from '../augment/pixels.ts';
import { crop } from '../augment/resize.ts';
import type { Geometry } from '../augment/view.ts';
import { UserError } from '../core/errors.ts';
import { type ImageHeader, maxPixels } from './imageHeader.ts';
import { createResizer } from './wasmResize.ts';

export type Sharp = typeof sharpModule;

/** The decoder in the engine's folder, else the one that Node finds from here. */
export function loadSharp(engineFolder: string | undefined): Sharp {
  const from = [...(engineFolder === undefined ? [] : [path.join(engineFolder, 'package.json')]), import.meta.url];
  const failures: unknown[] = [];
  for (const place of from) {
    try {
      const sharp: Sharp = createRequire(place)('sharp');
      // A thread for each image, and none looked at twice.
      sharp.concurrency(1);
      sharp.cache(false);
      return sharp;
    } catch (error) {
      failures.push(error);
    }
  }
  throw new UserError(`Images cannot be decoded: the package sharp cannot be loaded${inFolder(engineFolder)}.`, {
    hint: 'Install the engine again, or in a checkout run npm start.',
    cause: failures[0],
  });
}

/**
 * The image in RGB as a geometry wants it; `header` is what its file says. Colour profiles and orientation marks are ignored,
 * transparency is dropped.
 */
export async function decode(
  sharp: Sharp,
  content: string | Uint8Array,
  header: ImageHeader,
  { before, resize: size, mirrored, after }: Geometry,
): Promise<Pixels> {
  // With transparency in the picture, the colours would be weighed by it.
  const image = header.alpha ? await opaque(sharp, content, header) : sharp(content, reading);
  const { height, width } = header;
  const part = before ?? { top: 0, left: 0, height, width };
  if (part.height * part.width > maxExactPixels) {
    // A part, even where it is all: else the decoder would read JPEGs at half their size, which is no bicubic resizing.
    image.extract(part).resize({ ...size, fit: 'fill', kernel: 'cubic' });
    if (mirrored) image.flop();
    return pixelsOf(after ? image.extract(after) : image, after ?? size);
  }
  const source = await pixelsOf(before ? image.extract(part) : image, part);
  const resized = resize(source, size.height, size.width, mirrored);
  return after ? crop(resized, after) : resized;
}

/** Equal to Pillow's to the bit, as `augment/resize.ts`. */
const resize = createResizer();
/**
 * Larger ones are resized by the decoder row by row, so that they need not be in memory: its weights are coarser, which makes 2 of
 * 255 levels and more where neighbours differ much.
 */
const maxExactPixels = 8e6;

/** Broken files are errors, as in Pillow; what decoders merely warn of is not. */
const reading = {
  failOn: 'error',
  limitInputPixels: maxPixels,
  ignoreIcc: true,
  sequentialRead: true,
} as const;

async function opaque(sharp: Sharp, content: string | Uint8Array, { height, width }: Size) {
  const { values, channels } = await pixelsOf(sharp(content, reading).removeAlpha(), { height, width });
  return sharp(values, { raw: { height, width, channels } });
}

interface Size {
  readonly height: number;
  readonly width: number;
}

/** RGB of 8 bits, which is what the decoder makes of every image unless it is told otherwise. */
async function pixelsOf(image: ReturnType<Sharp>, { height, width }: Size) {
  const { buffer, byteOffset, length } = await image.raw().toBuffer();
  const channels = 3;
  if (length !== height * width * channels) throw new Error('The image is of another size than its header says.');
  return { values: new Uint8Array(buffer, byteOffset, length), height, width, channels } as const;
}

const inFolder = (folder: string | undefined) => (folder === undefined ? '' : ` (looked in ${folder} first)`);
