/** Images that lie in memory, all of one size. */
import { render, type View } from '../augment/view.ts';
import type { ImageSet } from './dataset.ts';

export interface MemoryImages extends ImageSet {
  /** (count, height, width, channels), 0 to 255. */
  readonly pixels: Uint8Array;
}

interface Content {
  readonly pixels: Uint8Array;
  readonly labels: Int32Array;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

export function memoryImages({ pixels, labels, height, width, channels }: Content): MemoryImages {
  const size = height * width * channels;
  return {
    count: labels.length,
    pixels,
    labels,
    async read(samples: Int32Array, view: View, keys: Int32Array = samples) {
      const each = view.side * view.side * channels;
      const out = new Uint8Array(samples.length * each);
      samples.forEach((sample, i) => {
        const values = pixels.subarray(sample * size, (sample + 1) * size);
        out.set(render({ values, height, width, channels }, view, keys[i] as number).values, i * each);
      });
      return out;
    },
  };
}
