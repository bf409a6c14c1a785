/** Images and labels in the columns of Parquet files, as Hugging Face's `datasets` writes them. https://parquet.apache.org/docs/file-format */
import path from 'node:path';
import { asyncBufferFromFile, type FileMetaData, parquetMetadataAsync, parquetSchema } from 'hyparquet';
import type { Config } from '../core/config.ts';
import { parquetDefaults } from '../core/dataConfig.ts';
import { UserError } from '../core/errors.ts';
import { lookAt, unreadableParquet } from './dataFile.ts';
import type { DatasetReader, Images } from './dataset.ts';
import { readColumn } from './imageBytes.ts';
import { byCodePoints, dataFolder, findShards, maxClasses } from './imageFiles.ts';
import { imageNetStatistics, type StreamFolders, streamImages } from './streamedImages.ts';

export const imageParquet: DatasetReader = {
  kind: 'images',
  statistics: imageNetStatistics,
  read: readImageParquet,
};

async function readImageParquet(data: Config['data'], folders: StreamFolders): Promise<Images> {
  const { imageColumn = parquetDefaults.imageColumn, labelColumn = parquetDefaults.labelColumn } = data;
  const folder = dataFolder(data, folders);
  const shards = await findShards(await filesIn(folder), '.parquet');
  const parts: Part[] = [];
  for (const file of [...shards.train, ...shards.validation])
    parts.push(await readPart(file, imageColumn, labelColumn));
  const values = parts.flatMap(({ labels }) => labels);
  const classNames = parts[0]?.classNames ?? namesOf(values);
  const places = parts.flatMap(({ file, labels }) => labels.map((_, row) => ({ file, column: imageColumn, row })));
  const numbers = new Map(classNames.map((name, label) => [name, label]));
  const labels = Int32Array.from(values, (value, i) => labelIn(numbers, value, places[i] as Place));
  const names = places.map(({ file, row }) => `${path.basename(file)} row ${row}`);
  const inTrain = parts.slice(0, shards.train.length).reduce((sum, part) => sum + part.labels.length, 0);
  const validationFrom = shards.validation.length > 0 ? inTrain : undefined;
  const place = (i: number) => places[i] as Place;
  return streamImages({ classNames, names, labels, place, validationFrom }, folder, data, folders);
}

interface Place {
  readonly file: string;
  readonly column: string;
  readonly row: number;
}

type Label = number | string | undefined;

interface Part {
  readonly file: string;
  readonly labels: readonly Label[];
  readonly classNames: readonly string[] | undefined;
}

/** Most repositories have their files in `data`. */
async function filesIn(folder: string): Promise<string> {
  const inner = path.join(folder, 'data');
  return (await lookAt(inner))?.isFolder ? inner : folder;
}

async function readPart(file: string, imageColumn: string, labelColumn: string): Promise<Part> {
  const { buffer, metadata, columns } = await openParquet(file);
  for (const [key, column] of Object.entries({ imageColumn, labelColumn })) {
    if (columns.includes(column)) continue;
    throw new UserError(`${file}: there is no column "${column}". It has: ${columns.join(', ')}.`, {
      hint: `Name the right one as "data.${key}".`,
    });
  }
  const rowEnd = Number(metadata.num_rows);
  const values = await readColumn({ file: buffer, metadata, column: labelColumn, rowStart: 0, rowEnd }).catch(
    (cause: unknown) => {
      throw unreadableParquet(file, cause);
    },
  );
  const labels = values.map((value) => {
    if (typeof value === 'bigint') return Number(value);
    if (value instanceof Uint8Array) return Buffer.from(value).toString('utf8');
    return typeof value === 'number' || typeof value === 'string' ? value : undefined;
  });
  return { file, labels, classNames: classNamesIn(metadata, labelColumn) };
}

async function openParquet(file: string) {
  try {
    const buffer = await asyncBufferFromFile(file);
    const metadata = await parquetMetadataAsync(buffer);
    const columns = parquetSchema(metadata).children.map(({ element }) => element.name);
    return { buffer, metadata, columns };
  } catch (cause) {
    throw unreadableParquet(file, cause);
  }
}

/** The names that `datasets` keeps of a column of the type ClassLabel. */
function classNamesIn({ key_value_metadata }: FileMetaData, column: string): readonly string[] | undefined {
  const text = key_value_metadata?.find(({ key }) => key === 'huggingface')?.value;
  if (text === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined; // the numbers are good names, too
    throw error;
  }
  const names = ['info', 'features', column, 'names'].reduce(within, value);
  const all = Array.isArray(names) ? names : [];
  return all.length > 0 && all.every((name): name is string => typeof name === 'string') ? all : undefined;
}

const within = (value: unknown, key: string) =>
  value !== null && typeof value === 'object' && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined;

/** The texts among the labels, sorted; of numbers all up to the largest. */
function namesOf(labels: readonly Label[]): readonly string[] {
  const texts = new Set(labels.filter((label) => typeof label === 'string'));
  if (texts.size > 0) return [...texts].sort(byCodePoints);
  const largest = labels.reduce<number>((most, label) => Math.max(most, Number(label ?? 0)), 0);
  return Array.from({ length: Math.min(largest, maxClasses - 1) + 1 }, (_, i) => String(i));
}

function labelIn(numbers: ReadonlyMap<string, number>, value: Label, { file, row }: Place): number {
  const label = typeof value === 'string' ? (numbers.get(value) ?? -1) : (value ?? -1);
  if (Number.isInteger(label) && label >= 0 && label < numbers.size) return label;
  throw new UserError(
    `${file}, row ${row}: the label ${JSON.stringify(value ?? null)} is none of the ${numbers.size} classes.`,
    {
      hint: 'Rows without a label, as in the test sets of some data sets, must be taken out, or their file be named otherwise.',
    },
  );
}
