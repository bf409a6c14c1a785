/** Looks at a data set before training: what `masksub data` says and the editor shows. */
import { datasets } from '../core/catalog.ts';
import type { Config } from '../core/config.ts';
import type { DataReport, DataSample } from '../core/dataReport.ts';
import type { Dataset, ImageDataset, TextDataset } from '../data/dataset.ts';
import { loadSharp } from '../data/decode.ts';
import { pngDataUri } from '../data/encode.ts';
import { engineFolder } from './paths.ts';

/** Side of a sample's picture, in pixels. */
export const PICTURE = 96;
/** Samples of each class, of the training set; and of how many classes. */
const SAMPLES_A_CLASS = 8;
const SAMPLED_CLASSES = 40;

/** `path` is the data's, for the person. Reads the samples that it shows and no more. */
export async function dataReport(config: Config, data: Dataset, path: string | undefined): Promise<DataReport> {
  const { trainOn } = config.data;
  return {
    dataset: data.name,
    title: datasets[config.data.dataset].title,
    ...(path === undefined ? {} : { path }),
    hash: data.hash,
    kind: data.kind,
    classes: countsOf(data),
    train: data.train.count,
    validation: data.validation.count,
    ...(trainOn !== undefined && trainOn < data.train.count ? { trainOn } : {}),
    ...(data.kind === 'images' ? { images: imagesOf(data) } : { texts: textsOf(data) }),
    warnings: [...data.warnings],
    samples: data.kind === 'images' ? await pictures(data) : texts(data),
  };
}

function countsOf({ classNames, train, validation }: Dataset): DataReport['classes'] {
  const counts = classNames.map((name) => ({ name, train: 0, validation: 0 }));
  for (const [set, { labels }] of Object.entries({ train, validation })) {
    for (const label of labels) {
      const count = counts[label];
      if (count) count[set as 'train' | 'validation'] += 1;
    }
  }
  return counts;
}

function imagesOf({ name, size, sizes, channels, mean, std }: ImageDataset): DataReport['images'] {
  const { smallest, largest } = sizes ?? { smallest: size, largest: size };
  if (!smallest || !largest) throw new Error(`The reader of ${name} does not say how large its images are.`);
  return { smallest, largest, channels, mean, std };
}

function textsOf({ length, vocabulary, train }: TextDataset): DataReport['texts'] {
  const tokens = Int32Array.from(train.tokens).sort();
  const at = (share: number) => tokens[Math.min(tokens.length - 1, Math.floor(share * tokens.length))] ?? 0;
  return { length, vocabulary, tokens: { median: at(0.5), p95: at(0.95), longest: tokens.at(-1) ?? 0 } };
}

/** The first training samples of each class, class by class. */
function firstOfClasses({ classNames, train }: Dataset): number[] {
  const found = classNames.slice(0, SAMPLED_CLASSES).map((): number[] => []);
  for (let sample = 0; sample < train.count; sample++) {
    const own = found[train.labels[sample] as number];
    if (own && own.length < SAMPLES_A_CLASS) own.push(sample);
  }
  return found.flat();
}

async function pictures(data: ImageDataset): Promise<DataSample[]> {
  const { train, channels } = data;
  const samples = firstOfClasses(data);
  const pixels = await train.read(Int32Array.from(samples), { side: PICTURE, testCrop: 1 });
  const bytes = PICTURE * PICTURE * channels;
  const sharp = loadSharp(engineFolder());
  return Promise.all(
    samples.map(async (sample, i) => {
      const values = pixels.subarray(i * bytes, (i + 1) * bytes);
      const image = await pngDataUri(sharp, { values, height: PICTURE, width: PICTURE, channels });
      return { ...described(data, sample), image };
    }),
  );
}

const texts = (data: TextDataset): DataSample[] =>
  firstOfClasses(data).map((sample) => ({ ...described(data, sample), text: data.textOf('train', sample) }));

const described = (data: Dataset, sample: number) => ({
  set: 'train' as const,
  label: data.train.labels[sample] as number,
  name: (data.kind === 'images' && data.train.nameOf?.(sample)) || `training sample ${sample + 1}`,
});
