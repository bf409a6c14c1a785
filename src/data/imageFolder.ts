/**
 * A folder of images: `train/<class>/…` and `val/<class>/…`, or `<class>/…` alone, or lists of files in `train.txt` and `val.txt`. Order of
 * classes and images as in torchvision's `ImageFolder`.
 */
import { readdir, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Config } from '../core/config.ts';
import { UserError } from '../core/errors.ts';
import { fileError, lookAt, readWhole } from './dataFile.ts';
import type { DatasetReader, Images } from './dataset.ts';
import { byCodePoints, dataFolder, linesOf, readClassNames } from './imageFiles.ts';
import { counted, type ImageList, some } from './imageIndex.ts';
import { imageNetStatistics, type StreamFolders, streamImages } from './streamedImages.ts';

export const imageFolder: DatasetReader = {
  kind: 'images',
  statistics: imageNetStatistics,
  read: readImageFolder,
};

async function readImageFolder(data: Config['data'], folders: StreamFolders): Promise<Images> {
  const folder = dataFolder(data, folders);
  const warnings: string[] = [];
  const list = (await listedImages(folder)) ?? (await foundImages(folder, warnings));
  const images = await streamImages(list, folder, data, folders);
  return { ...images, warnings: [...warnings, ...images.warnings] };
}

/** The first of some files or folders that is there. */
const trainNames = ['train', 'training'];
const validationNames = ['val', 'validation', 'valid', 'validate', 'dev', 'test'];
const extension = /\.(jpe?g|png|webp)$/i;

/** The images of `train.txt` and `val.txt`, or nothing where there is no `train.txt`. */
async function listedImages(folder: string): Promise<ImageList | undefined> {
  if (!(await lookAt(folder))?.isFolder) return undefined;
  const trainFile = await firstOf(folder, trainNames, '.txt');
  if (trainFile === undefined) return undefined;
  const validationFile = await firstOf(folder, validationNames, '.txt');
  const lines: { name: string; label: string; where: string }[] = [];
  let validationFrom: number | undefined;
  for (const file of [trainFile, validationFile]) {
    if (file === undefined) break;
    if (file === validationFile) validationFrom = lines.length;
    for (const [i, line] of linesOf(await readWhole(file)).entries()) {
      const [, name, label] = /^(.+?)[ \t]+(\S+)[ \t]*$/.exec(line) ?? [];
      const where = `${file}:${i + 1}`;
      if (name === undefined || label === undefined) {
        throw new UserError(`${where}: expected an image and its label, found "${line.slice(0, 80)}".`, {
          hint: 'Each line names an image, relative to the folder, and after a space its label.',
        });
      }
      lines.push({ name, label, where });
    }
  }
  const classNames = (await readClassNames(path.join(folder, 'classes.txt'))) ?? labelNames(lines);
  const labelOf = new Map(classNames.map((name, label) => [name, label]));
  const labels = lines.map(({ label, where }) => labelIn(labelOf, label, where));
  const names = lines.map(({ name }) => name);
  return { classNames, names, labels, validationFrom, place: (i) => ({ file: path.join(folder, names[i] as string) }) };
}

/** Numbers from 0 where all labels are numbers, else the labels. */
function labelNames(lines: readonly { label: string }[]): string[] {
  const labels = [...new Set(lines.map(({ label }) => label))];
  if (!labels.every((label) => /^\d{1,7}$/.test(label))) return labels.sort(byCodePoints);
  return Array.from({ length: 1 + labels.map(Number).reduce((a, b) => Math.max(a, b), 0) }, (_, i) => String(i));
}

/** By its name, else by its number. */
function labelIn(labelOf: ReadonlyMap<string, number>, label: string, where: string): number {
  const found = labelOf.get(label) ?? (/^\d+$/.test(label) ? Number(label) : -1);
  if (found >= 0 && found < labelOf.size) return found;
  throw new UserError(`${where}: the label "${label}" is none of the ${labelOf.size} classes.`, {
    hint: 'Correct the label, or add the class to classes.txt.',
  });
}

interface ClassFolder {
  readonly name: string;
  /** Relative to the data set's folder. */
  readonly images: readonly string[];
}

/** The images in the folders of their classes. */
async function foundImages(folder: string, warnings: string[]): Promise<ImageList> {
  const found = await lookAt(folder);
  if (!found?.isFolder) {
    throw new UserError(`There is no folder of images ${folder}.`, { hint: 'Correct "path".' });
  }
  const others: string[] = [];
  const loops: string[] = [];
  const classesOf = (from: string) => classFolders(folder, from, others, loops);
  const trainFolder = await firstOf(folder, trainNames);
  const validationFolder = trainFolder === undefined ? undefined : await firstOf(folder, validationNames);
  const train = await classesOf(trainFolder ?? folder);
  const validation = validationFolder === undefined ? [] : await classesOf(validationFolder);
  checkFolders(trainFolder ?? folder, train, validationFolder, validation);
  if (others.length > 0)
    warnings.push(`${counted(others.length, 'file')} no JPEG, PNG or WebP by name: ${some(others)}.`);
  if (loops.length > 0) warnings.push(`Left out, since they lead back to where they lie: ${some(loops)}.`);

  const classNames = train.map(({ name }) => name);
  const all = [...train, ...validation];
  const names = all.flatMap(({ images }) => images);
  const labels = Int32Array.from(
    all.flatMap(({ name, images }) => new Array<number>(images.length).fill(classNames.indexOf(name))),
  );
  const validationFrom =
    validationFolder === undefined ? undefined : train.reduce((sum, { images }) => sum + images.length, 0);
  return { classNames, names, labels, validationFrom, place: (i) => ({ file: path.join(folder, names[i] as string) }) };
}

function checkFolders(
  trainFolder: string,
  train: readonly ClassFolder[],
  validationFolder: string | undefined,
  validation: readonly ClassFolder[],
): void {
  if (train.length === 0) {
    throw new UserError(`${trainFolder}: there is no folder for a class.`, {
      hint: 'Each class needs a folder of its own, which bears its name, with its images.',
    });
  }
  const empty = train.filter(({ images }) => images.length === 0).map(({ name }) => name);
  if (empty.length > 0) {
    throw new UserError(`${trainFolder}: there are no images in ${some(empty)}.`, {
      hint: 'Add JPEG, PNG or WebP images of each class, or remove its folder.',
    });
  }
  const known = new Set(train.map(({ name }) => name));
  const unknown = validation.filter(({ name, images }) => !known.has(name) && images.length > 0);
  if (unknown.length === 0) return;
  throw new UserError(
    `${validationFolder}: there are no training images of ${some(unknown.map(({ name }) => name))}.`,
    {
      hint: `Every class needs a folder in ${trainFolder}, too; correct the names, or remove these.`,
    },
  );
}

/** In whatever case. */
async function firstOf(folder: string, names: readonly string[], suffix = ''): Promise<string | undefined> {
  const { folders, files } = await contentOf(folder);
  const there = suffix === '' ? folders : files;
  for (const name of names) {
    const found = there.find((other) => other.toLowerCase() === name + suffix);
    if (found !== undefined) return path.join(folder, found);
  }
  return undefined;
}

async function classFolders(root: string, folder: string, others: string[], loops: string[]): Promise<ClassFolder[]> {
  const { folders } = await contentOf(folder);
  const classes: ClassFolder[] = [];
  for (const name of folders) {
    const images: string[] = [];
    const open = await unlessLoop(path.join(folder, name), [await realpath(folder)]);
    if (!open) loops.push(path.relative(root, path.join(folder, name)));
    else
      for (const part of await walk(open, root, loops)) {
        for (const file of part.files) (extension.test(file) ? images : others).push(path.join(part.name, file));
      }
    if (open) classes.push({ name, images });
  }
  return classes;
}

interface Open {
  readonly folder: string;
  /** It and what it lies in, without symbolic links. */
  readonly line: readonly string[];
}

/** A folder and all within, each with its files; sorted. */
async function walk(top: Open, root: string, loops: string[]): Promise<{ name: string; files: string[] }[]> {
  const parts: { name: string; files: string[] }[] = [];
  const open = [top];
  for (let next = open.pop(); next; next = open.pop()) {
    const { folder, line } = next;
    const { folders, files } = await contentOf(folder);
    parts.push({ name: path.relative(root, folder), files });
    for (const name of folders) {
      const inner = await unlessLoop(path.join(folder, name), line);
      if (inner) open.push(inner);
      else loops.push(path.relative(root, path.join(folder, name)));
    }
  }
  return parts.sort((a, b) => byCodePoints(a.name, b.name));
}

async function unlessLoop(folder: string, line: readonly string[]): Promise<Open | undefined> {
  const real = await realpath(folder);
  return line.includes(real) ? undefined : { folder, line: [...line, real] };
}

/** Names of the folders and files in a folder but for hidden ones, sorted; symbolic links count as what they lead to. */
async function contentOf(folder: string): Promise<{ folders: string[]; files: string[] }> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((cause: unknown) => {
    throw fileError(folder, cause);
  });
  const folders: string[] = [];
  const files: string[] = [];
  for (const entry of entries) {
    if (entry.name.startsWith('.')) continue;
    const isFolder = entry.isSymbolicLink() ? await leadsToFolder(path.join(folder, entry.name)) : entry.isDirectory();
    // Reading a pipe would wait for whoever writes into it.
    if (isFolder || entry.isFile() || entry.isSymbolicLink()) (isFolder ? folders : files).push(entry.name);
  }
  return { folders: folders.sort(byCodePoints), files: files.sort(byCodePoints) };
}

/** A link that leads nowhere is a broken file. */
const leadsToFolder = (link: string) =>
  stat(link).then(
    (found) => found.isDirectory(),
    () => false,
  );
