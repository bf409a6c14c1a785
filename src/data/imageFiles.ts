/** What the data sets of image files have in common: their folder, their classes, their shards. */
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import type { Config } from '../core/config.ts';
import { UserError } from '../core/errors.ts';
import { fileError, lookAt, readWhole } from './dataFile.ts';
import type { StreamFolders } from './streamedImages.ts';

/** The folder that a data set of files cannot do without. */
export function dataFolder({ dataset, path: given }: Config['data'], { configFolder }: StreamFolders): string {
  if (given !== undefined) return path.resolve(configFolder, given);
  throw new UserError(`The data set "${dataset}" needs "path".`, { hint: 'Name the folder with the images.' });
}

/** A label is below it. */
export const maxClasses = 1_000_000;

/** By code points, as Python sorts. */
export const byCodePoints = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));

/** The class names of a file with one a line, or nothing where there is no such file. */
export async function readClassNames(file: string): Promise<string[] | undefined> {
  if ((await lookAt(file)) === undefined) return undefined;
  const names = linesOf(await readWhole(file)).map((line) => line.trim());
  if (names.length > 1 && !names.includes('') && new Set(names).size === names.length) return names;
  throw new UserError(`${file}: expected the names of two classes at least, one a line, each once.`, {
    hint: 'Correct the file, or remove it.',
  });
}

/** The lines of a text, but for empty ones at its end. */
export const linesOf = (bytes: Buffer) => bytes.toString('utf8').trimEnd().split(/\r?\n/);

export interface Shards {
  readonly train: readonly string[];
  /** None: a share of the samples is to be split off. */
  readonly validation: readonly string[];
}

/** The files of a folder with this ending; a name with `val` or else `test` in it is one for validation. */
export async function findShards(folder: string, ending: string): Promise<Shards> {
  const entries = await readdir(folder).catch((cause: unknown) => {
    throw fileError(folder, cause);
  });
  const names = entries.filter((name) => name.endsWith(ending) && !name.startsWith('.')).sort(byCodePoints);
  const isTest = (name: string) => word('test').test(name);
  const isValidation = (name: string) => word('val(id(ation)?)?').test(name);
  const train = names.filter((name) => !isTest(name) && !isValidation(name));
  const validation = names.filter(isValidation);
  if (train.length === 0) {
    throw new UserError(`${folder}: there is no ${ending} file for training.`, {
      hint: `Name the folder with train-0000${ending} and the others as "path".`,
    });
  }
  const inFolder = (name: string) => path.join(folder, name);
  return {
    train: train.map(inFolder),
    validation: (validation.length > 0 ? validation : names.filter(isTest)).map(inFolder),
  };
}

const word = (text: string) => new RegExp(`(^|[^a-z])${text}([^a-z]|$)`, 'i');
