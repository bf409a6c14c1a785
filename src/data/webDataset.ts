/**
 * Tar shards with pairs of files, `<key>.jpg` and `<key>.cls` (or `.json` with "label"), as WebDataset writes them; images are read
 * where they lie. https://github.com/webdataset/webdataset
 */
import path from 'node:path';
import type { Config } from '../core/config.ts';
import { UserError } from '../core/errors.ts';
import { damaged } from './dataFile.ts';
import type { DatasetReader, Images } from './dataset.ts';
import type { RangePlace } from './imageBytes.ts';
import { dataFolder, findShards, maxClasses, readClassNames } from './imageFiles.ts';
import { counted, some } from './imageIndex.ts';
import { imageNetStatistics, type StreamFolders, streamImages } from './streamedImages.ts';
import { type TarEntry, tarEntries } from './tarIndex.ts';

export const webDataset: DatasetReader = {
  kind: 'images',
  statistics: imageNetStatistics,
  read: readWebDataset,
};

async function readWebDataset(data: Config['data'], folders: StreamFolders): Promise<Images> {
  const folder = dataFolder(data, folders);
  const shards = await findShards(folder, '.tar');
  const named = await readClassNames(path.join(folder, 'classes.txt'));
  const lonely: string[] = [];
  const samples: Sample[] = [];
  let validationFrom: number | undefined;
  for (const file of [...shards.train, ...shards.validation]) {
    if (file === shards.validation[0]) validationFrom = samples.length;
    for (const sample of await samplesOf(file, named?.length ?? maxClasses, lonely)) samples.push(sample);
  }
  if (samples.length === 0) {
    throw new UserError(`${folder}: the shards hold no images.`, {
      hint: 'Each image must be a .jpg, .jpeg, .png or .webp file in a shard, beside a .cls or .json file with its label.',
    });
  }
  const labels = Int32Array.from(samples, ({ label }) => label);
  const names = samples.map(({ name, place }) => `${path.basename(place.file)}/${name}`);
  const classes = 1 + labels.reduce((a, b) => Math.max(a, b), 0);
  const classNames = named ?? Array.from({ length: classes }, (_, i) => String(i));
  const place = (i: number) => (samples[i] as Sample).place;
  const images = await streamImages({ classNames, names, labels, place, validationFrom }, folder, data, folders);
  const warnings = lonely.length > 0 ? [`${counted(lonely.length, 'label')} without an image: ${some(lonely)}.`] : [];
  return { ...images, warnings: [...warnings, ...images.warnings] };
}

/** A label or a description of an image is no longer than this. */
const maxLabelBytes = 1 << 20;
const imageEndings = new Set(['jpg', 'jpeg', 'png', 'webp']);

interface Sample {
  readonly name: string;
  readonly label: number;
  readonly place: RangePlace;
}

async function samplesOf(file: string, classes: number, lonely: string[]): Promise<Sample[]> {
  const images = new Map<string, TarEntry>();
  const labels = new Map<string, number>();
  for await (const entry of tarEntries(file)) {
    // A sample's files have a name in common, up to the first point after the folder.
    const [, key, ending] = /^((?:.*\/)?[^/.][^/.]*)\.([^/]+)$/.exec(entry.name) ?? [];
    if (key === undefined || ending === undefined) continue;
    const kind = ending.toLowerCase();
    if (imageEndings.has(kind)) {
      if (images.has(key)) throw damaged(file, entry.start, `a second image of the sample "${key}", ${entry.name}`);
      images.set(key, entry);
    } else if (kind === 'cls' || (kind === 'json' && !labels.has(key))) {
      const label = await labelIn(entry, kind, file, classes);
      if (label !== undefined) labels.set(key, label);
    }
  }
  for (const key of labels.keys()) if (!images.has(key)) lonely.push(`${path.basename(file)}/${key}`);
  return Array.from(images, ([key, { name, start, length }]) => {
    const label = labels.get(key);
    if (label === undefined)
      throw damaged(file, start, `${name} has no label: there is no ${key}.cls, and no ${key}.json with "label"`);
    return { name, label, place: { file, start, length } };
  });
}

/** A whole number in a text, or as "label" of a JSON object, which may be without. */
async function labelIn(entry: TarEntry, kind: string, file: string, classes: number): Promise<number | undefined> {
  if (entry.length > maxLabelBytes) throw damaged(file, entry.start, `${entry.name} has ${entry.length} bytes`);
  const text = (await entry.read()).toString('utf8').trim();
  const value = kind === 'cls' ? text : labelOfJson(text);
  if (value === undefined && kind === 'json') return undefined;
  const label = /^\d+$/.test(String(value)) ? Number(value) : Number.NaN;
  if (label < classes) return label;
  const found = `${entry.name} has the label ${JSON.stringify(value)}`;
  throw damaged(file, entry.start, `${found}, expected a whole number from 0 to ${classes - 1}`);
}

function labelOfJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value !== null && typeof value === 'object' && 'label' in value ? value.label : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return 'no JSON';
    throw error;
  }
}
