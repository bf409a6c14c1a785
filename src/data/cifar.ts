/** CIFAR-10 and CIFAR-100 in their binary version. Krizhevsky 2009, https://www.cs.toronto.edu/~kriz/cifar.html */
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { UserError } from '../core/errors.ts';
import type { DatasetReader, ImageSet, Images } from './dataset.ts';
import { damaged } from './idxFile.ts';

export const cifar10: DatasetReader = {
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
    });
  },
};

export const cifar100: DatasetReader = {
  statistics: { mean: [0.5071, 0.4865, 0.4409], std: [0.2673, 0.2564, 0.2762] },
  read({ path: folder, labels = 'fine' }, { configFolder }) {
    return readCifar(folder, configFolder, {
      title: 'CIFAR-100',
      archive: 'cifar-100-binary.tar.gz',
      train: ['train.bin'],
      test: ['test.bin'],
      names: `${labels}_label_names.txt`,
      defaultNames: Array.from({ length: labels === 'fine' ? 100 : 20 }, (_, i) => String(i)),
      labelBytes: 2,
      labelAt: labels === 'fine' ? 1 : 0,
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
}

async function readCifar(given: string | undefined, configFolder: string, layout: Layout): Promise<Images> {
  const { title, archive, train, test } = layout;
  const hint = `Unpack ${archive} of https://www.cs.toronto.edu/~kriz/cifar.html, and name the folder with ${train[0]} as "path".`;
  if (given === undefined) throw new UserError(`The data set ${title} needs "path".`, { hint });
  const folder = path.resolve(configFolder, given);
  const sizes = new Map<string, number>();
  for (const name of [...train, ...test]) {
    const size = await sizeOf(path.join(folder, name));
    if (size !== undefined) sizes.set(name, size);
  }
  const missing = [...train, ...test].filter((name) => !sizes.has(name));
  if (missing.length > 0) {
    throw new UserError(`${title} is not complete in ${folder}: missing ${missing.join(', ')}.`, { hint });
  }
  const classNames = await readClassNames(path.join(folder, layout.names), layout.defaultNames);
  const read = (names: readonly string[]) => {
    const files = names.map((name) => ({ file: path.join(folder, name), size: sizes.get(name) ?? 0 }));
    return readSet(files, layout, classNames.length);
  };
  return { classNames, height: side, width: side, channels: 3, train: await read(train), validation: await read(test) };
}

/** One set out of its files, in their order; no more than one of them is in memory beside it. */
async function readSet(
  files: readonly { readonly file: string; readonly size: number }[],
  { labelBytes, labelAt }: Layout,
  classes: number,
): Promise<ImageSet> {
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

async function readClassNames(file: string, defaultNames: readonly string[]): Promise<string[]> {
  if ((await sizeOf(file)) === undefined) return [...defaultNames];
  const text = new TextDecoder().decode(await readWhole(file)); // the original ends with empty lines
  const names = text
    .trimEnd()
    .split(/\r?\n/)
    .map((line) => line.trim());
  if (names.length < 2 || names.includes('')) {
    throw new UserError(`${file}: expected the names of two classes at least, one a line, without empty lines.`, {
      hint: 'Correct the file, or remove it.',
    });
  }
  return names;
}

/** Nothing, where there is no such file. */
async function sizeOf(file: string): Promise<number | undefined> {
  try {
    return (await stat(file)).size;
  } catch (cause) {
    const code = codeOf(cause);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw unreadable(file, code, cause);
  }
}

async function readWhole(file: string): Promise<Uint8Array> {
  return readFile(file).catch((cause: unknown) => {
    throw unreadable(file, codeOf(cause), cause);
  });
}

const codeOf = (error: unknown) => (error instanceof Error && 'code' in error ? String(error.code) : undefined);

/** An error of the file system for a person; one without a code is a bug and stays as it is. */
function unreadable(file: string, code: string | undefined, cause: unknown): unknown {
  if (code === undefined) return cause;
  return new UserError(`Data file cannot be read: ${file} (${code}).`, { hint: 'Check its permissions.', cause });
}
