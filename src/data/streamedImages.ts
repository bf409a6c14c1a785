/** The two sets of an index, read and decoded as they are wanted. */

import type { View } from '../augment/view.ts';
import type { Config } from '../core/config.ts';
import { fileDefaults } from '../core/dataConfig.ts';
import type { DataFolders, ImageSet, Images, Size, Statistics } from './dataset.ts';
import { type ImageList, type IndexedSet, indexImages, tooManyBroken } from './imageIndex.ts';
import { type LoaderOptions, openLoader } from './loader.ts';

/** What the readers of image files may be told besides where data lie. */
export interface StreamFolders extends DataFolders, Pick<LoaderOptions, 'workerFile' | 'engineFolder'> {
  /** Hears of an image that looked whole and could not be decoded: a grey one takes its place. */
  readonly onBroken?: ((name: string, reason: string) => void) | undefined;
}

/** Of ImageNet's training images, as torchvision and timm have them. */
export const imageNetStatistics: Statistics = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };

/** Throws a `UserError` where images are broken or the decoder is missing. */
export async function streamImages(
  list: ImageList,
  folder: string,
  data: Config['data'],
  folders: StreamFolders,
): Promise<Images> {
  const { split, skipBroken = fileDefaults.skipBroken, workers } = data;
  const index = await indexImages(list, { folder, split, skipBroken });
  const { workerFile, engineFolder, onBroken } = folders;
  const loader = await openLoader({ workers, workerFile, engineFolder });
  const broken = new Map<string, string>();
  const total = index.train.names.length + index.validation.names.length + index.skipped;

  function setOf({ names, labels, headers, place }: IndexedSet): ImageSet {
    return {
      count: names.length,
      labels,
      nameOf: (sample) => names[sample] as string,
      async read(samples: Int32Array, view: View, keys: Int32Array = samples) {
        const wanted = Array.from(samples, (sample, i) => {
          const header = headers[sample];
          if (!header) throw new Error(`There is no sample ${sample} of ${names.length}.`);
          return { ...header, place: place(sample), key: keys[i] as number };
        });
        const { pixels, failures } = await loader.read(wanted, view);
        for (const { at, reason } of failures) {
          const name = names[samples[at] as number] as string;
          if (broken.has(name)) continue;
          broken.set(name, reason);
          onBroken?.(name, reason);
        }
        if (failures.length > 0 && index.skipped + broken.size > skipBroken) {
          const sentences = Array.from(broken, ([name, reason]) => `${name} cannot be decoded (${reason})`);
          throw tooManyBroken(folder, sentences, total, skipBroken);
        }
        return pixels;
      },
    };
  }

  return {
    classNames: index.classNames,
    channels: 3,
    ...sizesOf([index.train, index.validation]),
    train: setOf(index.train),
    validation: setOf(index.validation),
    hash: index.hash,
    warnings: index.warnings,
    close: () => loader.close(),
  };
}

/** The one size of all images, or the smallest and the largest. */
function sizesOf(sets: readonly IndexedSet[]): Pick<Images, 'size' | 'sizes'> {
  const [first, ...rest] = sets.flatMap(({ headers }) => headers);
  if (!first) return {};
  const areaOf = ({ height, width }: Size) => height * width;
  let [smallest, largest]: [Size, Size] = [first, first];
  let same = true;
  for (const header of rest) {
    same &&= header.height === first.height && header.width === first.width;
    if (areaOf(header) < areaOf(smallest)) smallest = header;
    if (areaOf(header) > areaOf(largest)) largest = header;
  }
  const plain = ({ height, width }: Size): Size => ({ height, width });
  return same ? { size: plain(first) } : { sizes: { smallest: plain(smallest), largest: plain(largest) } };
}
