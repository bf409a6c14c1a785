/** Images for a batch: seen as the config asks, normalized, erased in part and mixed. */
import { drawErasure, erase } from '../augment/erase.ts';
import { drawMix, mixImages, mixTargets } from '../augment/mix.ts';
import type { Config } from '../core/config.ts';
import { RandomStream } from '../core/random.ts';
import type { Drawn, SampleSource } from './sampleSource.ts';
import type { HostImages } from './step/executor.ts';
import type { ImageData } from './trainingData.ts';

/** `side`: of the square that the model sees. `units` is what a mask hides of an image: of every image as much. */
export function imageSource(
  { train: { seed }, augment }: Config,
  data: ImageData,
  side: number,
  units: number,
): SampleSource {
  const { channels, mean, std } = data;
  const normalized = mean.map((value, c) =>
    Float32Array.from({ length: 256 }, (_, pixel) => (pixel / 255 - value) / (std[c] as number)),
  );
  const view = { side, testCrop: augment.testCrop };
  const fill = mean.map((value) => Math.min(255, Math.round(255 * value))); // as timm rounds it

  function normalize(pixels: Uint8Array): HostImages {
    const values = new Float32Array(pixels.length);
    for (let c = 0; c < channels; c++) {
      const table = normalized[c] as Float32Array;
      for (let at = c; at < pixels.length; at += channels) values[at] = table[pixels[at] as number] as number;
    }
    return { kind: 'images', values, shape: [pixels.length / (side * side * channels), side, side, channels] };
  }

  function eraseParts({ values, shape }: HostImages, { epoch, keys }: Drawn): void {
    const size = values.length / shape[0];
    keys.forEach((key, i) => {
      const stream = new RandomStream(seed, 'augment.erase', epoch, key);
      const area = drawErasure(augment.randomErasing, side, side, stream);
      if (area) erase(values, i * size, { height: side, width: side, channels }, area, stream);
    });
  }

  return {
    size: side * side * channels,
    async training(drawn, target) {
      const { epoch, index, samples, keys } = drawn;
      const training = { augment, seed, epoch, fill };
      const images = normalize(await data.train.read(samples, { ...view, training }, keys));
      if (augment.randomErasing > 0) eraseParts(images, drawn);
      const mix = drawMix(augment, side, side, new RandomStream(seed, 'mix', epoch, index));
      if (!mix) return { input: images, target };
      return { input: mixImages(images, mix), target: mixTargets(target, samples.length, mix) };
    },
    validation: async (samples) => normalize(await data.validation.read(samples, view)),
    places: () => units,
  };
}
