/** Images for a batch: cropped, flipped, normalized and mixed on the host. */
import type { Config } from '../core/config.ts';
import { RandomStream } from '../core/random.ts';
import { drawMix, mixImages, mixTargets } from './augment/mix.ts';
import { type CropAndFlip, drawCropAndFlip } from './augment/pad.ts';
import type { SampleSource } from './sampleSource.ts';
import type { HostImages } from './step/executor.ts';
import type { ImageData, ImageSet } from './trainingData.ts';

const asTheyAre: CropAndFlip = { top: 0, left: 0, flip: false };

/** `units` is what a mask hides of an image: of every image as much. */
export function imageSource({ train: { seed }, augment }: Config, data: ImageData, units: number): SampleSource {
  const { height, width, channels } = data;
  const normalized = data.mean.map((mean, c) =>
    Float32Array.from({ length: 256 }, (_, pixel) => (pixel / 255 - mean) / (data.std[c] as number)),
  );
  const black = normalized.map((table) => table[0] as number);

  function imagesOf(set: ImageSet, samples: Int32Array, crops?: readonly CropAndFlip[]): HostImages {
    const values = new Float32Array(samples.length * height * width * channels);
    let at = 0;
    samples.forEach((sample, i) => {
      const { top, left, flip } = crops?.[i] ?? asTheyAre;
      const start = sample * height * width * channels;
      for (let y = 0; y < height; y++) {
        const row = y + top;
        for (let x = 0; x < width; x++) {
          const column = left + (flip ? width - 1 - x : x);
          const inside = row >= 0 && row < height && column >= 0 && column < width;
          const pixel = start + (row * width + column) * channels;
          for (let c = 0; c < channels; c++) {
            const table = normalized[c] as Float32Array;
            values[at++] = inside ? (table[set.pixels[pixel + c] as number] as number) : (black[c] as number);
          }
        }
      }
    });
    return { kind: 'images', values, shape: [samples.length, height, width, channels] };
  }

  return {
    training({ epoch, index, samples }, target) {
      const crops = Array.from(samples, (sample) =>
        drawCropAndFlip(augment, new RandomStream(seed, 'augment', epoch, sample)),
      );
      const images = imagesOf(data.train, samples, crops);
      const mix = drawMix(augment, height, width, new RandomStream(seed, 'mix', epoch, index));
      if (!mix) return { input: images, target };
      return { input: mixImages(images, mix), target: mixTargets(target, samples.length, mix) };
    },
    validation: (samples) => imagesOf(data.validation, samples),
    places: () => units,
  };
}
