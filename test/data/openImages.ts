/** Opens a data set of image files with threads that run the sources, and ends them after the test. */
import path from 'node:path';
import { onTestFinished } from 'vitest';
import type { View } from '../../src/augment/view.ts';
import type { Config } from '../../src/core/config.ts';
import type { Images } from '../../src/data/dataset.ts';
import { imageFolder } from '../../src/data/imageFolder.ts';
import { imageParquet } from '../../src/data/imageParquet.ts';
import type { StreamFolders } from '../../src/data/streamedImages.ts';
import { webDataset } from '../../src/data/webDataset.ts';
import { bundledLoaderWorker, decoderFolder } from '../support/loaderWorker.ts';

/** Small, and all of a square image. */
export const small: View = { side: 8, testCrop: 1 };

const readers = { 'image-folder': imageFolder, webdataset: webDataset, 'image-parquet': imageParquet };

/** To be called once in a test file. */
export function opener() {
  const workerFile = bundledLoaderWorker();
  return async (
    dataset: keyof typeof readers,
    folder: string,
    data: Partial<Config['data']> = {},
    more: Partial<StreamFolders> = {},
  ): Promise<Images> => {
    const reader = readers[dataset];
    if (reader.kind !== 'images') throw new Error(`${dataset} is no data set of image files.`);
    const folders: StreamFolders = {
      mediaFolder: path.resolve('media'),
      configFolder: path.dirname(folder),
      workerFile,
      engineFolder: decoderFolder,
      ...more,
    };
    const config = { dataset, validateEvery: 1, path: path.basename(folder), workers: 1, ...data };
    const images = await reader.read(config, folders);
    onTestFinished(() => images.close?.());
    return images;
  };
}
