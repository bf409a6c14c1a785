/** Looks at every image of a data set once, without decoding it: which are broken, how large they are, which are there twice. */
import { createHash } from 'node:crypto';
import { fileDefaults } from '../core/dataConfig.ts';
import { UserError } from '../core/errors.ts';
import { listed } from '../core/format.ts';
import { createPlaceReader, headBytes, type Place } from './imageBytes.ts';
import { type ImageHeader, readHeader } from './imageHeader.ts';
import { stratifiedSplit } from './split.ts';

/** Images as the files list them. */
export interface ImageList {
  readonly classNames: readonly string[];
  /** For messages: the file, relative to the data set's folder, or a file and a place in it. */
  readonly names: readonly string[];
  readonly labels: ArrayLike<number>;
  place(image: number): Place;
  /** Images from this one on are for validation. Absent: a share of all is. */
  readonly validationFrom?: number | undefined;
}

export interface IndexOptions {
  /** Where the data set lies, for messages. */
  readonly folder: string;
  /** Share of the images that validation takes where the files don't divide them. */
  readonly split?: number | undefined;
  readonly skipBroken?: number | undefined;
}

/** The images of one set that can be read. */
export interface IndexedSet {
  readonly names: readonly string[];
  readonly labels: Int32Array;
  readonly headers: readonly ImageHeader[];
  place(sample: number): Place;
}

export interface ImageIndex {
  readonly classNames: readonly string[];
  readonly train: IndexedSet;
  readonly validation: IndexedSet;
  /** Over names, labels, sizes and the first bytes of each image. */
  readonly hash: string;
  readonly warnings: readonly string[];
  /** How many images were broken. */
  readonly skipped: number;
}

/** Broken or double images are named in messages, but not more than so many. */
const namedFiles = 5;
/** Files that are looked at at a time. */
const atOnce = 16;

/** Throws a `UserError` where more images are broken than may be skipped, or a class has no images to learn from. */
export async function indexImages(list: ImageList, options: IndexOptions): Promise<ImageIndex> {
  const { folder, split = fileDefaults.split, skipBroken = fileDefaults.skipBroken } = options;
  const sights = await lookAtAll(list);
  const broken = sights.flatMap((sight, image) => (typeof sight === 'string' ? [`${list.names[image]} ${sight}`] : []));
  if (broken.length > skipBroken) throw tooManyBroken(folder, broken, list.names.length, skipBroken);
  const warnings = broken.length > 0 ? [`${counted(broken.length, 'broken image')} left out: ${some(broken)}.`] : [];

  const kept = Int32Array.from(sights.keys()).filter((image) => typeof sights[image] !== 'string');
  const sets = divide(list, kept, split);
  checkClasses(list, sets, folder, warnings);
  const duplicates = await findDuplicates(list, sets, sights as readonly Sight[]);
  if (duplicates.length > 0) {
    const pairs = duplicates.map(([train, validation]) => `${list.names[validation]} is ${list.names[train]}`);
    warnings.push(`${counted(pairs.length, 'validation image')} also in the training set: ${some(pairs)}.`);
  }
  const train = indexed(list, sets.train, sights as readonly Sight[]);
  const validation = indexed(list, sets.validation, sights as readonly Sight[]);
  const hash = hashOf(list, sets, sights as readonly Sight[]);
  return { classNames: list.classNames, train, validation, hash, warnings, skipped: broken.length };
}

/** `items`, of which the first few are named. */
export const some = (items: readonly string[]) => listed(items, namedFiles);

/** "1 image is", "2 images are". */
export const counted = (count: number, what: string) => (count === 1 ? `1 ${what} is` : `${count} ${what}s are`);

/** Which images are for training and which for validation, by their place in the list. */
interface Sets {
  readonly train: Int32Array;
  readonly validation: Int32Array;
}

/** What is known of an image. */
interface Sight extends ImageHeader {
  readonly size: number;
  /** SHA-256 of the first bytes and the size. */
  readonly digest: string;
}

/** The sight of each image, or what is wrong with it. */
async function lookAtAll(list: ImageList): Promise<(Sight | string)[]> {
  const reader = createPlaceReader();
  const count = list.names.length;
  const sights = new Array<Sight | string>(count);
  let next = 0;
  const look = async () => {
    for (let image = next++; image < count; image = next++) sights[image] = await lookAt(reader, list.place(image));
  };
  await Promise.all(Array.from({ length: atOnce }, look));
  return sights;
}

async function lookAt(reader: ReturnType<typeof createPlaceReader>, place: Place): Promise<Sight | string> {
  const bytes = await reader.open(place).catch((error: NodeJS.ErrnoException) => {
    // Of a Parquet file every page may be damaged in its own way.
    if (error.code === undefined && !('row' in place)) throw error;
    return error.code ?? error.message;
  });
  if (typeof bytes === 'string') return `cannot be read (${bytes})`;
  try {
    const header = await readHeader(bytes);
    if (typeof header === 'string') return header;
    const head = await bytes.read(0, headBytes);
    const digest = createHash('sha256').update(head).update(`${bytes.size}`).digest('base64');
    return { ...header, size: bytes.size, digest };
  } finally {
    await bytes.close();
  }
}

function divide({ labels, validationFrom }: ImageList, kept: Int32Array, split: number): Sets {
  if (validationFrom !== undefined) {
    return {
      train: kept.filter((image) => image < validationFrom),
      validation: kept.filter((image) => image >= validationFrom),
    };
  }
  const { train, validation } = stratifiedSplit(
    kept.map((image) => labels[image] as number),
    split,
  );
  return { train: train.map((at) => kept[at] as number), validation: validation.map((at) => kept[at] as number) };
}

function checkClasses({ classNames, labels }: ImageList, sets: Sets, folder: string, warnings: string[]): void {
  const without = (images: Int32Array) => {
    const found = new Set(Array.from(images, (image) => labels[image]));
    return classNames.filter((_, label) => !found.has(label));
  };
  if (classNames.length < 2) {
    throw new UserError(`${folder}: all images are of one class, ${classNames.join()}.`, {
      hint: 'Training needs two classes at least.',
    });
  }
  const untrained = without(sets.train);
  if (untrained.length > 0) {
    throw new UserError(`${folder}: there are no images to learn from of ${some(untrained)}.`, {
      hint: 'Add training images of each class, or take the class out of the data.',
    });
  }
  if (sets.validation.length === 0) {
    throw new UserError(`${folder}: there are no images for validation.`, {
      hint: 'Add some, or give each class two images at least, so that a part of them can be split off.',
    });
  }
  const unvalidated = without(sets.validation);
  if (unvalidated.length > 0) warnings.push(`Validation has no images of ${some(unvalidated)}.`);
}

/** Pairs of a training and a validation image with the same bytes. */
async function findDuplicates(list: ImageList, sets: Sets, sights: readonly Sight[]): Promise<[number, number][]> {
  const reader = createPlaceReader();
  const whole = async (image: number) => {
    const bytes = await reader.open(list.place(image));
    const hash = createHash('sha256');
    for (let at = 0; at < bytes.size; at += headBytes) hash.update(await bytes.read(at, headBytes));
    await bytes.close();
    return hash.digest('hex');
  };
  const digestOf = (image: number) => (sights[image] as Sight).digest;
  const known = new Map<string, number>();
  for (const image of sets.train) if (!known.has(digestOf(image))) known.set(digestOf(image), image);
  const found: [number, number][] = [];
  for (const image of sets.validation) {
    const other = known.get(digestOf(image));
    if (other === undefined) continue;
    const isWhole = (sights[image] as Sight).size <= headBytes;
    if (isWhole || (await whole(image)) === (await whole(other))) found.push([other, image]);
  }
  return found;
}

function indexed({ names, labels, place }: ImageList, images: Int32Array, sights: readonly Sight[]): IndexedSet {
  const chosen = Array.from(images);
  return {
    names: chosen.map((image) => names[image] as string),
    labels: images.map((image) => labels[image] as number),
    headers: chosen.map((image) => {
      const { height, width, alpha } = sights[image] as Sight;
      return { height, width, alpha };
    }),
    place: (sample) => place(images[sample] as number),
  };
}

function hashOf({ classNames, names, labels }: ImageList, sets: Sets, sights: readonly Sight[]): string {
  const hash = createHash('sha256').update(`${classNames.join('\n')}\n`);
  for (const images of [sets.train, sets.validation]) {
    hash.update(`${images.length}\n`);
    for (const image of images) {
      hash.update(`${names[image]}\n${labels[image]} ${(sights[image] as Sight).digest}\n`);
    }
  }
  return `sha256:${hash.digest('hex')}`;
}

/** More than the limit of broken images: the error that a run must not start with. */
export function tooManyBroken(folder: string, broken: readonly string[], of: number, limit: number): UserError {
  const limits = limit > 0 ? `, more than the ${limit} of "data.skipBroken"` : '';
  return new UserError(`${folder}: ${broken.length} of ${of} images are broken${limits}: ${some(broken)}.`, {
    hint: `Mend or remove them, or set "data.skipBroken" to ${broken.length} or more.`,
  });
}
