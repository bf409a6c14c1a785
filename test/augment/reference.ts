/** What Pillow, torchvision and timm make of the same images and draw of their own, through scripts/reference/augment.py. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import * as z from 'zod';
import type { Pixels } from '../../src/augment/pixels.ts';
import { RandomStream } from '../../src/core/random.ts';

export const packages = ['PIL', 'torchvision', 'timm'];

export interface Request {
  readonly images: readonly Pixels[];
  readonly cases?: readonly { readonly image: number; readonly operation: string; readonly arguments: number[] }[];
  readonly samples?: readonly { readonly of: string; readonly count: number; readonly [option: string]: unknown }[];
}

export const imageSchema = z
  .object({ height: z.number(), width: z.number(), channels: z.number(), values: z.base64() })
  .transform((image): Pixels => ({ ...image, values: new Uint8Array(Buffer.from(image.values, 'base64')) }));

const responseSchema = z.object({
  cases: z.array(imageSchema),
  samples: z.array(z.array(z.union([z.number(), z.array(z.number())]))),
  levels: z.record(z.string(), z.record(z.string(), z.record(z.string(), z.array(z.number())))),
});

export async function reference(python: { readonly command: string }, { images, cases = [], samples = [] }: Request) {
  const encoded = images.map((image) => ({ ...image, values: Buffer.from(image.values).toString('base64') }));
  const running = promisify(execFile)(python.command, ['scripts/reference/augment.py'], {
    maxBuffer: 2 ** 28,
    timeout: 110_000,
  });
  running.child.stdin?.end(JSON.stringify({ images: encoded, cases, samples }));
  return responseSchema.parse(JSON.parse((await running).stdout));
}

/** Something like a photograph: soft gradients, hard edges, areas of one colour, texture and noise, with values from 0 to 255. */
export function photo(height: number, width: number, channels: 1 | 3): Pixels {
  const stream = new RandomStream(height * 1000 + width, 'test.photo');
  const values = new Uint8ClampedArray(height * width * channels);
  let i = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [u, v] = [x / width, y / height];
      const inDisc = Math.hypot(u - 0.6, v - 0.4) < 0.2;
      const isFlat = u < 0.2 && v > 0.7;
      for (let channel = 0; channel < channels; channel++) {
        const shade = 120 + 90 * Math.sin(2.5 * u + 4 * v + channel) + (inDisc ? 60 * (1 - channel) : 0);
        const texture = v > 0.6 && u > 0.5 ? 45 * Math.sign(Math.sin(x * 1.1 + y * 0.4)) : 0;
        values[i++] = isFlat ? 255 - 120 * channel : shade + texture + 7 * stream.normal();
      }
    }
  }
  return { values: new Uint8Array(values.buffer), height, width, channels };
}

/** The largest difference of two values, and the share of values that differ. */
export function difference(a: Pixels, b: Pixels): { readonly most: number; readonly share: number } {
  if (a.height !== b.height || a.width !== b.width || a.channels !== b.channels) {
    throw new Error(`${a.height}×${a.width}×${a.channels} is not ${b.height}×${b.width}×${b.channels}.`);
  }
  let most = 0;
  let differing = 0;
  for (let i = 0; i < a.values.length; i++) {
    const by = Math.abs((a.values[i] as number) - (b.values[i] as number));
    most = Math.max(most, by);
    if (by > 0) differing++;
  }
  return { most, share: differing / a.values.length };
}
