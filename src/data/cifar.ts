/** CIFAR-10 and CIFAR-100, in their binary version or in that for Python. Krizhevsky 2009, https://www.cs.toronto.edu/~kriz/cifar.html */
import path from 'node:path';
import { cifar100Defaults } from '../core/dataConfig.ts';
import { UserError } from '../core/errors.ts';
import { readPickledBatch, readPickledNames, wrong } from './cifarPickle.ts';
import { damaged, lookAt, readWhole } from './dataFile.ts';
import type { DatasetReader, PixelImages, PixelSet } from './dataset.ts';
import { readClassNames } from './imageFiles.ts';

export const cifar10: DatasetReader = {
  kind: 'pixels',
  // Of the 50,000 training images, as commonly published, rounded to four digits; so are those of CIFAR-100.
  statistics: { mean: [0.4914, 0.4822, 0.4465], std: [0.247, 0.2435, 0.2616] },
  read({ path: folder }, { configFolder }) {
    return readCifar(folder, configFolder, {
      title: 'CIFAR-10',
      archive: 'cifar-10-binary.tar.gz',
      train: [1, 2, 3, 4, 5].map((batch) => `data_batch_${batch}.bin`),
      test: ['test_batch.bin'],
      names: 'batches.meta.txt',
      defaultNames: ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck'],
      labelBytes: 1,
      labelAt: 0,
      pickled: {
        archive: 'cifar-10-python.tar.gz',
        train: [1, 2, 3, 4, 5].map((batch) => `data_batch_${batch}`),
        test: ['test_batch'],
        labels: 'labels',
        names: { file: 'batches.meta', key: 'label_names' },
      },
    });
  },
};

export const cifar100: DatasetReader = {
  kind: 'pixels',
  statistics: { mean: [0.5071, 0.4865, 0.4409], std: [0.2673, 0.2564, 0.2762] },
  read({ path: folder, labels = cifar100Defaults.labels }, { configFolder }) {
    return readCifar(folder, configFolder, {
      title: 'CIFAR-100',
      archive: 'cifar-100-binary.tar.gz',
      train: ['train.bin'],
      test: ['test.bin'],
      names: `${labels}_label_names.txt`,
      defaultNames: Array.from({ length: labels === 'fine' ? 100 : 20 }, (_, i) => String(i)),
      labelBytes: 2,
      labelAt: labels === 'fine' ? 1 : 0,
      pickled: {
        archive: 'cifar-100-python.tar.gz',
        train: ['train'],
        test: ['test'],
        labels: `${labels}_labels`,
        names: { file: 'meta', key: `${labels}_label_names` },
      },
    });
  },
};

const side = 32;
const planeBytes = side * side;
const pixelBytes = 3 * planeBytes;

interface Layout {
  readonly title: string;
  /** Where the files come from, on the data set's page. */
  readonly archive: string;
  readonly train: readonly string[];
  readonly test: readonly string[];
  /** A file with the names of the classes, one a line … */
  readonly names: string;
  /** … and what they are without it. */
  readonly defaultNames: readonly string[];
  /** A record is so many labels, then the image: the red plane, the green and the blue one, each row by row. */
  readonly labelBytes: number;
  /** Which of the labels counts. */
  readonly labelAt: number;
  readonly pickled: PickledLayout;
}

/** The same, for Python. */
interface PickledLayout extends Pick<Layout, 'archive' | 'train' | 'test'> {
  /** The key of the labels that count. */
  readonly labels: string;
  readonly names: { readonly file: string; readonly key: string };
}

async function readCifar(given: string | undefined, configFolder: string, layout: Layout): Promise<PixelImages> {
  const { title, pickled } = layout;
  const hint =
    `Unpack ${layout.archive} or ${pickled.archive} of https://www.cs.toronto.edu/~kriz/cifar.html, and name the folder ` +
    `with ${layout.train[0]} or ${pickled.train[0]} as "path".`;
  if (given === undefined) throw new UserError(`The data set ${title} needs "path".`, { hint });
  const folder = path.resolve(configFolder, given);
  const binaryFiles = await sizesOf(folder, layout);
  const pickledFiles = await sizesOf(folder, pickled);
  const missing = namesOf(layout).filter((name) => !binaryFiles.has(name));
  const missingPickled = namesOf(pickled).filter((name) => !pickledFiles.has(name));
  const size = { height: side, width: side, channels: 3 };
  if (missing.length === 0) {
    const classNames = (await readClassNames(path.join(folder, layout.names))) ?? [...layout.defaultNames];
    const read = (names: readonly string[]) => {
      const files = names.map((name) => ({ file: path.join(folder, name), size: binaryFiles.get(name) ?? 0 }));
      return readSet(files, layout, classNames.length);
    };
    return { classNames, ...size, train: await read(layout.train), validation: await read(layout.test) };
  }
  if (missingPickled.length === 0) {
    const classNames = await readPickledClassNames(folder, layout);
    const read = (names: readonly string[]) => {
      const files = names.map((name) => path.join(folder, name));
      return readPickledSet(files, pickled.labels, classNames.length);
    };
    return { classNames, ...size, train: await read(pickled.train), validation: await read(pickled.test) };
  }
  const forms = [
    ...(binaryFiles.size > 0 || pickledFiles.size === 0 ? [missing.join(', ')] : []),
    ...(pickledFiles.size > 0 || binaryFiles.size === 0 ? [missingPickled.join(', ')] : []),
  ];
  const either = forms.join('; or, in the version for Python, ');
  throw new UserError(`${title} is not complete in ${folder}: missing ${either}.`, { hint });
}

const namesOf = ({ train, test }: Pick<Layout, 'train' | 'test'>) => [...train, ...test];

/** Of the files that are there. */
async function sizesOf(folder: string, layout: Pick<Layout, 'train' | 'test'>): Promise<Map<string, number>> {
  const sizes = new Map<string, number>();
  for (const name of namesOf(layout)) {
    const found = await lookAt(path.join(folder, name));
    // A folder of images has folders that are named as the batches of CIFAR-100.
    if (found && !found.isFolder) sizes.set(name, found.size);
  }
  return sizes;
}

/** One set out of its batches, in their order. */
async function readPickledSet(files: readonly string[], labelKey: string, classes: number): Promise<PixelSet> {
  const sets: PixelSet[] = [];
  for (const file of files) {
    const { count, rows, labels } = readPickledBatch(await readWhole(file), file, labelKey, pixelBytes);
    const odd = labels.findIndex((label) => label >= classes);
    if (odd >= 0) {
      const range = `there are ${classes} classes (0 to ${classes - 1})`;
      throw wrong(file, `image ${odd + 1} has the label ${labels[odd]}, but ${range}`);
    }
    const pixels = new Uint8Array(rows.length);
    for (let start = 0; start < rows.length; start += pixelBytes) {
      copyChannelsLast(rows.subarray(start, start + pixelBytes), pixels.subarray(start, start + pixelBytes));
    }
    sets.push({ count, pixels, labels: Int32Array.from(labels) });
  }
  const [only] = sets;
  if (only && sets.length === 1) return only;
  const count = sets.reduce((sum, set) => sum + set.count, 0);
  const pixels = new Uint8Array(count * pixelBytes);
  const labels = new Int32Array(count);
  let image = 0;
  for (const set of sets) {
    pixels.set(set.pixels, image * pixelBytes);
    labels.set(set.labels, image);
    image += set.count;
  }
  return { count, pixels, labels };
}

async function readPickledClassNames(folder: string, { pickled, defaultNames }: Layout): Promise<string[]> {
  const file = path.join(folder, pickled.names.file);
  if (!(await lookAt(file))) return [...defaultNames];
  const names = readPickledNames(await readWhole(file), file, pickled.names.key);
  if (names.length < 2 || names.includes('')) throw wrong(file, 'expected the names of two classes at least');
  return names;
}

/** One set out of its files, in their order; no more than one of them is in memory beside it. */
async function readSet(
  files: readonly { readonly file: string; readonly size: number }[],
  { labelBytes, labelAt }: Layout,
  classes: number,
): Promise<PixelSet> {
  const recordBytes = labelBytes + pixelBytes;
  for (const { file, size } of files) checkSize(file, size, recordBytes);
  const count = files.reduce((sum, { size }) => sum + size / recordBytes, 0);
  const pixels = new Uint8Array(count * pixelBytes);
  const labels = new Int32Array(count);
  let image = 0;
  for (const { file, size } of files) {
    const bytes = await readWhole(file);
    if (bytes.length !== size) throw damaged(file, Math.min(bytes.length, size), 'the file changed while it was read');
    for (let start = 0; start < size; start += recordBytes, image++) {
      const label = bytes[start + labelAt] as number;
      if (label >= classes) {
        throw damaged(
          file,
          start + labelAt,
          `record ${start / recordBytes + 1} has the label ${label}, but there are ${classes} classes (0 to ${classes - 1})`,
        );
      }
      labels[image] = label;
      const planes = bytes.subarray(start + labelBytes, start + recordBytes);
      copyChannelsLast(planes, pixels.subarray(image * pixelBytes, (image + 1) * pixelBytes));
    }
  }
  return { count, pixels, labels };
}

function checkSize(file: string, size: number, recordBytes: number): void {
  const whole = Math.floor(size / recordBytes);
  if (whole > 0 && size === whole * recordBytes) return;
  const right = whole > 0 ? `${whole * recordBytes} or ${(whole + 1) * recordBytes}` : `at least ${recordBytes}`;
  throw damaged(
    file,
    whole * recordBytes,
    `the file has ${size} bytes, which is no whole number of records of ${recordBytes} bytes; expected ${right}`,
  );
}

/** [3, height, width] to [height, width, 3]. */
function copyChannelsLast(planes: Uint8Array, image: Uint8Array): void {
  for (let at = 0; at < planeBytes; at++) {
    image[3 * at] = planes[at] as number;
    image[3 * at + 1] = planes[planeBytes + at] as number;
    image[3 * at + 2] = planes[2 * planeBytes + at] as number;
  }
}
