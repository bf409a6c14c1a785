/** Where the bytes of an image lie, and how they are got: a file, a part of one (tar), a row of a Parquet file. */
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import {
  type AsyncBuffer,
  asyncBufferFromFile,
  type FileMetaData,
  parquetMetadataAsync,
  parquetReadObjects,
} from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import type { ImageBytes } from './imageHeader.ts';

export type Place = FilePlace | RangePlace | RowPlace;

interface FilePlace {
  readonly file: string;
}

export interface RangePlace extends FilePlace {
  readonly start: number;
  readonly length: number;
}

export interface RowPlace extends FilePlace {
  readonly column: string;
  readonly row: number;
}

export interface PlaceReader {
  /** The bytes for looking at parts of them; to be closed. */
  open(place: Place): Promise<ImageBytes & { close(): Promise<void> }>;
  /** All bytes, or the name of a large file that holds nothing else. */
  content(place: Place): Promise<string | Uint8Array>;
}

/** Row groups that were decoded stay until they are more than so many bytes, but for the latest. */
const cacheBytes = 128 * 2 ** 20;
/** Larger files are read by the decoder, bit by bit. */
const smallBytes = 16 * 2 ** 20;
/** Most headers lie in so many first bytes. */
export const headBytes = 64 * 1024;

export function createPlaceReader(): PlaceReader {
  const rows = createRowReader();
  return {
    async open(place) {
      if ('row' in place) return { ...inMemory(await rows(place)), close: async () => {} };
      const handle = await open(place.file);
      const start = 'start' in place ? place.start : 0;
      try {
        const size = 'length' in place ? place.length : (await handle.stat()).size;
        const head = await readAt(handle, start, Math.min(size, headBytes));
        const read = async (at: number, length: number) => {
          const end = Math.min(at + length, size);
          return end <= head.length ? head.subarray(at, end) : readAt(handle, start + at, Math.max(0, end - at));
        };
        return { size, read, close: () => handle.close() };
      } catch (error) {
        await handle.close();
        throw error;
      }
    },
    async content(place) {
      if ('row' in place) return rows(place);
      if (!('start' in place)) return readSmall(place.file);
      const handle = await open(place.file);
      try {
        return await readAt(handle, place.start, place.length);
      } finally {
        await handle.close();
      }
    },
  };
}

/**
 * The content of a file unless it is large. Read while the thread waits, which takes less of it than being told later; the decoder
 * would open the file twenty times to find out what it is.
 */
function readSmall(file: string): string | Uint8Array {
  const descriptor = openSync(file, 'r');
  try {
    return fstatSync(descriptor).size > smallBytes ? file : readFileSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** So many bytes from a position on, or as many as there are. */
export async function readAt(handle: FileHandle, at: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await handle.read(bytes, filled, length - filled, at + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return bytes.subarray(0, filled);
}

const inMemory = (bytes: Uint8Array): ImageBytes => ({
  size: bytes.length,
  read: async (at, length) => bytes.subarray(at, at + length),
});

/** The bytes in a value of an image column: themselves, or in a struct, as Hugging Face's `Image` has them. */
export function bytesOf(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value;
  const bytes = value !== null && typeof value === 'object' && 'bytes' in value ? value.bytes : undefined;
  return bytes instanceof Uint8Array ? bytes : new Uint8Array(0);
}

interface Group {
  readonly values: readonly unknown[];
  readonly bytes: number;
}

/** Reads single rows: the page of each where the file has an index of pages, else row groups, some of which it keeps. */
function createRowReader(): (place: RowPlace) => Promise<Uint8Array> {
  const files = new Map<string, Promise<{ file: AsyncBuffer; metadata: FileMetaData }>>();
  const groups = new Map<string, Promise<Group>>();
  const sizes = new Map<string, number>();

  async function openFile(name: string) {
    const file = await asyncBufferFromFile(name);
    return { file, metadata: await parquetMetadataAsync(file) };
  }

  return async ({ file: name, column, row }) => {
    const opened = files.get(name) ?? openFile(name);
    files.set(name, opened);
    const { file, metadata } = await opened;
    const read = (rowStart: number, rowEnd: number) => readColumn({ file, metadata, column, rowStart, rowEnd });
    const { index, first, count, paged } = groupOf(metadata, column, row);
    if (paged) return bytesOf((await read(row, row + 1))[0]);
    const key = `${index} ${name}`;
    const wanted = groups.get(key) ?? read(first, first + count).then(measured);
    groups.delete(key);
    groups.set(key, wanted); // now the latest
    const group = await wanted;
    sizes.set(key, group.bytes);
    forgetOldest();
    return bytesOf(group.values[row - first]);
  };

  function forgetOldest(): void {
    let sum = 0;
    for (const key of [...groups.keys()].reverse()) {
      sum += sizes.get(key) ?? 0;
      const isLatest = sum === (sizes.get(key) ?? 0);
      if (sum > cacheBytes && !isLatest) {
        groups.delete(key);
        sizes.delete(key);
      }
    }
  }
}

/** Values of one column, rows `rowStart` … `rowEnd` − 1. */
export async function readColumn(options: {
  file: AsyncBuffer;
  metadata: FileMetaData;
  column: string;
  rowStart: number;
  rowEnd: number;
}): Promise<unknown[]> {
  const { column, ...rest } = options;
  const rows = await parquetReadObjects({ ...rest, columns: [column], compressors, utf8: false, useOffsetIndex: true });
  return rows.map((row) => row[column] as unknown);
}

const measured = (values: readonly unknown[]): Group => ({
  values,
  bytes: values.reduce<number>((sum, value) => sum + bytesOf(value).length, 0),
});

function groupOf(metadata: FileMetaData, column: string, row: number) {
  let first = 0;
  for (const [index, group] of metadata.row_groups.entries()) {
    const count = Number(group.num_rows);
    if (row < first + count) {
      const chunks = group.columns.filter(({ meta_data }) => meta_data?.path_in_schema[0] === column);
      return { index, first, count, paged: chunks.every((chunk) => chunk.offset_index_offset !== undefined) };
    }
    first += count;
  }
  throw new Error(`There is no row ${row}.`);
}
