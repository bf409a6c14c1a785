/** Opens a data set whose images lie in memory, where tests can look at them. */
import type { Config } from '../../src/core/config.ts';
import type { DataFolders, ImageDataset } from '../../src/data/dataset.ts';
import { openDataset } from '../../src/data/index.ts';
import type { MemoryImages } from '../../src/data/memoryImages.ts';

export type PixelDataset = ImageDataset & { readonly train: MemoryImages; readonly validation: MemoryImages };

export async function openPixels(data: Config['data'], folders: DataFolders): Promise<PixelDataset> {
  const opened = await openDataset(data, folders);
  if (opened.kind !== 'images' || !('pixels' in opened.train)) throw new Error('These are no images in memory.');
  return opened as PixelDataset;
}
