/** The `data` group of a config: which keys a data set has, and what it cannot do without. */
import type { ConfigInput } from './configSchema.ts';

type DataInput = ConfigInput['data'];
export type DatasetName = DataInput['dataset'];

const files = ['path', 'split', 'skipBroken', 'workers'] as const;

/** The keys of each data set besides those of all; the others are refused. */
export const dataKeys = {
  'fashion-mnist-mini': ['mean', 'std'],
  'fashion-mnist': ['path', 'mean', 'std'],
  idx: ['path', 'mean', 'std'],
  cifar10: ['path', 'mean', 'std'],
  cifar100: ['path', 'labels', 'mean', 'std'],
  'image-folder': [...files, 'mean', 'std'],
  webdataset: [...files, 'mean', 'std'],
  'image-parquet': [...files, 'imageColumn', 'labelColumn', 'mean', 'std'],
  text: ['path', 'split', 'textColumn', 'pairColumn', 'labelColumn', 'tokenizer', 'lowercase', 'length'],
} as const satisfies Record<DatasetName, readonly (keyof DataInput)[]>;

/** Of image files that are read as they are wanted. */
export const fileDefaults = { split: 0.1, skipBroken: 0, workers: 2 } as const;
export const parquetDefaults = { imageColumn: 'image', labelColumn: 'label' } as const;
/** `lowercase` has none: the tokenizer's own files say it. */
export const textDefaults = { split: 0.1, textColumn: 'text', labelColumn: 'label', length: 128 } as const;
export const cifar100Defaults = { labels: 'fine' } as const;

/** What a data set's keys are where nobody writes them. */
export const dataDefaults: Readonly<Partial<Record<DatasetName, Partial<DataInput>>>> = {
  cifar100: cifar100Defaults,
  'image-folder': fileDefaults,
  webdataset: fileDefaults,
  'image-parquet': { ...fileDefaults, ...parquetDefaults },
  text: textDefaults,
};

const keysOfAll = ['dataset', 'trainOn', 'validateEvery', 'validateOn'] as const;

/** What a data set cannot be read without, and what that is. */
const needed: Readonly<Partial<Record<DatasetName, Readonly<Partial<Record<keyof DataInput, string>>>>>> = {
  idx: { path: 'the folder with the four IDX files' },
  cifar10: { path: 'the folder with data_batch_1.bin, or data_batch_1 of the version for Python' },
  cifar100: { path: 'the folder with train.bin, or train of the version for Python' },
  'image-folder': { path: 'the folder with train and val, or with a folder for each class' },
  webdataset: { path: 'the folder with the .tar shards' },
  'image-parquet': { path: 'the folder with the .parquet files' },
  text: {
    path: 'the file, or the folder with train and validation',
    tokenizer: 'the vocab.txt or tokenizer.json, which comes with the weights of a BERT',
  },
};

/** What is wrong with a key of the data group, in a sentence. */
export interface DataProblem {
  readonly key: keyof DataInput;
  readonly message: string;
}

/** What is wrong with the data group as it was written. */
export function dataProblems(data: DataInput): DataProblem[] {
  const { dataset } = data;
  const own: readonly string[] = [...keysOfAll, ...dataKeys[dataset]];
  const problems: DataProblem[] = [];
  for (const key of Object.keys(data) as (keyof DataInput)[]) {
    if (own.includes(key) || data[key] === undefined) continue;
    const message = `"${key}" does not apply to the data set "${dataset}". It has: ${own.join(', ')}.`;
    problems.push({ key, message });
  }
  for (const [key, what] of Object.entries(needed[dataset] ?? {})) {
    if (data[key as keyof DataInput] !== undefined) continue;
    problems.push({ key: 'dataset', message: `The data set "${dataset}" needs "${key}": ${what}.` });
  }
  if (data.mean && data.std && data.mean.length !== data.std.length) {
    const message = `"std" has ${data.std.length} channels, "mean" has ${data.mean.length}; they must be equal.`;
    problems.push({ key: 'std', message });
  }
  return problems;
}
