/** The data sets by name, and how one is opened. */
import { createHash } from 'node:crypto';
import type { Config } from '../core/config.ts';
import { UserError } from '../core/errors.ts';
import { cifar10, cifar100 } from './cifar.ts';
import type { Dataset, DatasetReader, Images, PixelImages, Statistics } from './dataset.ts';
import { fashionMnist } from './fashionMnist.ts';
import { fashionMnistMini } from './fashionMnistMini.ts';
import { idx } from './idx.ts';
import { imageFolder } from './imageFolder.ts';
import { imageParquet } from './imageParquet.ts';
import { memoryImages } from './memoryImages.ts';
import type { StreamFolders } from './streamedImages.ts';
import { texts } from './texts.ts';
import { webDataset } from './webDataset.ts';

/** One line a data set; its title and sentence stand in `core/catalog.ts`, its keys in `core/dataConfig.ts`. */
export const datasetReaders = {
  'fashion-mnist-mini': fashionMnistMini,
  'fashion-mnist': fashionMnist,
  idx,
  cifar10,
  cifar100,
  'image-folder': imageFolder,
  webdataset: webDataset,
  'image-parquet': imageParquet,
  text: texts,
} as const satisfies Record<Config['data']['dataset'], DatasetReader>;

/**
 * Opens a config's data set; `trainOn` and `validateOn` are for the training loop. Throws a `UserError` where files are missing or
 * damaged, or `mean` and `std` do not fit the channels.
 */
export async function openDataset(data: Config['data'], folders: StreamFolders): Promise<Dataset> {
  const reader: DatasetReader = datasetReaders[data.dataset];
  const name = data.dataset;
  switch (reader.kind) {
    case 'text': {
      const read = await reader.read(data, folders);
      return { ...read, name, classes: read.classNames.length, close() {} };
    }
    case 'pixels': {
      const pixels = await reader.read(data, folders);
      return imageDataset(data, inMemory(pixels), reader.statistics ?? pixelStatistics(pixels));
    }
    case 'images':
      return imageDataset(data, await reader.read(data, folders), reader.statistics);
  }
}

function imageDataset(data: Config['data'], images: Images, own: Statistics): Dataset {
  for (const key of ['mean', 'std'] as const) {
    const given = data[key];
    if (!given || given.length === images.channels) continue;
    images.close?.();
    throw new UserError(`"data.${key}" has ${given.length} values, but the images have ${images.channels} channels.`, {
      hint: `Write one value a channel, or leave "${key}" out.`,
    });
  }
  return {
    kind: 'images',
    ...images,
    name: data.dataset,
    classes: images.classNames.length,
    mean: [...(data.mean ?? own.mean)],
    std: [...(data.std ?? own.std)],
    close: () => images.close?.(),
  };
}

function inMemory(images: PixelImages): Images {
  const { classNames, height, width, channels, train, validation } = images;
  return {
    classNames,
    channels,
    size: { height, width },
    train: memoryImages({ ...train, height, width, channels }),
    validation: memoryImages({ ...validation, height, width, channels }),
    hash: hashOf(images),
    warnings: [],
  };
}

/** Mean and standard deviation of each channel over the training pixels, as 0 to 1. */
function pixelStatistics({ train, channels }: PixelImages): Statistics {
  // By way of histograms the sums are exact, whatever the number of pixels.
  const histograms = Array.from({ length: channels }, () => new Float64Array(256));
  for (let i = 0; i < train.pixels.length; i++) {
    const histogram = histograms[i % channels] as Float64Array;
    const value = train.pixels[i] as number;
    histogram[value] = (histogram[value] as number) + 1;
  }
  const moments = histograms.map((histogram) => {
    const pixels = train.pixels.length / channels;
    const mean = histogram.reduce((sum, count, value) => sum + count * value, 0) / pixels;
    const variance = histogram.reduce((sum, count, value) => sum + count * (value - mean) ** 2, 0) / pixels;
    return { mean: mean / 255, std: Math.sqrt(variance) / 255 || 1 }; // a channel that never changes is only shifted
  });
  return { mean: moments.map((moment) => moment.mean), std: moments.map((moment) => moment.std) };
}

function hashOf({ height, width, channels, train, validation }: PixelImages): string {
  const hash = createHash('sha256');
  for (const { count, pixels, labels } of [train, validation]) {
    hash.update(`${count}×${height}×${width}×${channels}\n`).update(pixels);
    hash.update(new Uint8Array(labels.buffer, labels.byteOffset, labels.byteLength));
  }
  return `sha256:${hash.digest('hex')}`;
}
