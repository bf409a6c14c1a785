/** What was read of a log, kept for the next time: an index and the buckets in one file, beside the chunks. */
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { decodeEvent, encodeEvent } from '../../core/events.ts';
import { type ChunkPlace, ChunkStore, isOwnPlace, sumOf } from './chunkStore.ts';
import { Reading } from './reading.ts';
import { AXIS_COUNT, BUCKET_FIELDS, BUCKET_ROWS, CHUNK_ROWS, MOST_COLUMNS } from './table.ts';

const VERSION = 2;
const INDEX = 'index.bin';
const ROWS = 'rows.bin';
const EDGE = 4096;
/** In front of all: a sum over what follows, and the length of the text. */
const HEAD = 2;

interface Index {
  readonly version: number;
  readonly consumed: number;
  readonly size: number;
  readonly modified: number;
  readonly edges: string;
  /** Bytes of chunks. */
  readonly stored: number;
  readonly digest: string[];
  readonly skipped: number;
  readonly newerVersion?: number;
  readonly progress: [number, number, number, number];
  readonly tables: Record<
    'steps' | 'epochs' | 'layers',
    { names: string[]; rows: number; leftOut: boolean; chunks: ChunkPlace[] }
  >;
}

const tableNames = ['steps', 'epochs', 'layers'] as const;

/** Where the chunks of a log go, with its cache in that folder; without one, into memory. */
export function storeIn(folder: string | undefined): ChunkStore {
  return new ChunkStore(folder === undefined ? undefined : path.join(folder, ROWS));
}

/** False where it could not be written: it is only a cache, and it is not worth waiting for the disk. */
export function saveCache(log: string, folder: string, store: ChunkStore, reading: Reading, consumed: number): boolean {
  if (!store.isOnDisk) return false;
  const tables = tableNames.map((name) => reading.tables[name]);
  const file = path.join(folder, INDEX);
  // One name for all: what a crash leaves is overwritten the next time, and where two write at once the sum tells.
  const temporary = `${file}.tmp`;
  try {
    const { size, mtimeMs } = fs.statSync(log);
    const index: Index = {
      version: VERSION,
      ...{ consumed, size, modified: mtimeMs, edges: edgesOf(log, consumed), stored: store.size },
      digest: reading.digest.map(encodeEvent),
      skipped: reading.skipped,
      ...(reading.newerVersion === undefined ? {} : { newerVersion: reading.newerVersion }),
      progress: reading.progress,
      tables: Object.fromEntries(
        tables.map(({ names, rows, leftOut, chunks }, i) => [tableNames[i], { names, rows, leftOut, chunks }]),
      ) as Index['tables'],
    };
    if (![file, temporary].every(isOwnPlace)) return false;
    fs.writeFileSync(
      temporary,
      pack(
        JSON.stringify(index),
        tables.flatMap((table) => table.pack()),
      ),
    );
    fs.renameSync(temporary, file);
    return true;
  } catch {
    fs.rmSync(temporary, { force: true });
    return false;
  }
}

/** Nothing where there is none, or one that is damaged, of another version or of another log. */
export function loadCache(
  log: string,
  folder: string,
  id: string,
): { reading: Reading; store: ChunkStore; consumed: number } | undefined {
  const store = storeIn(folder);
  const read = readCache(log, folder, id, store);
  if (!read) store.close();
  return read;
}

/** So that the next reader begins anew. */
export function dropCache(folder: string): void {
  try {
    fs.rmSync(path.join(folder, INDEX), { force: true });
  } catch {} // where nothing may be removed, the next one finds out as this one did
}

function readCache(log: string, folder: string, id: string, store: ChunkStore) {
  try {
    const [text, numbers] = unpack(path.join(folder, INDEX));
    const index = JSON.parse(text) as Index;
    if (
      index.version !== VERSION ||
      !isSound(index, numbers.length) ||
      !isOf(index, log) ||
      !store.resume(index.stored)
    )
      return undefined;
    const reading = new Reading(id, store);
    let at = 0;
    for (const name of tableNames) {
      const { names, rows, leftOut, chunks } = index.tables[name];
      at += reading.tables[name].unpack(numbers.subarray(at), names, rows, chunks.map(placeOf));
      reading.tables[name].leftOut = leftOut;
    }
    for (const line of index.digest) {
      const event = decodeEvent(line);
      if (!event) return undefined;
      reading.take(event);
    }
    reading.skipped = index.skipped;
    reading.newerVersion = index.newerVersion;
    reading.progress = index.progress.map((value) => value ?? Number.NaN) as Index['progress'];
    return { reading, store, consumed: index.consumed };
  } catch {
    return undefined;
  }
}

function pack(text: string, numbers: readonly Float64Array[]): Float64Array {
  const bytes = Buffer.from(text);
  const begin = HEAD + Math.ceil(bytes.length / 8);
  const whole = new Float64Array(numbers.reduce((sum, { length }) => sum + length, begin));
  whole[1] = bytes.length;
  Buffer.from(whole.buffer).set(bytes, 8 * HEAD);
  let at = begin;
  for (const of of numbers) {
    whole.set(of, at);
    at += of.length;
  }
  whole[0] = sumOf(whole.subarray(1));
  return whole;
}

/** Throws where the file is none or is damaged. */
function unpack(file: string): [text: string, numbers: Float64Array] {
  const { size } = fs.statSync(file);
  const whole = new Float64Array(Math.floor(size / 8));
  const bytes = Buffer.from(whole.buffer);
  const descriptor = fs.openSync(file, 'r');
  try {
    let got = 0;
    for (let more = -1; more !== 0 && got < bytes.length; got += more) {
      more = fs.readSync(descriptor, bytes, got, bytes.length - got, got);
    }
  } finally {
    fs.closeSync(descriptor);
  }
  const length = whole[1] ?? 0;
  if (size % 8 !== 0 || whole[0] !== sumOf(whole.subarray(1))) throw new Error('A damaged index.');
  return [bytes.toString('utf8', 8 * HEAD, 8 * HEAD + length), whole.subarray(HEAD + Math.ceil(length / 8))];
}

/** Whether the numbers fit each other: the sum is right, but a run folder may come from anywhere, and say anything. */
function isSound({ consumed, stored, skipped, tables }: Index, length: number): boolean {
  if (![consumed, stored, skipped].every(isCount)) return false;
  let needed = 0;
  for (const { names, rows, chunks } of tableNames.map((name) => tables[name])) {
    if (!isCount(rows) || names.length > MOST_COLUMNS || new Set(names).size !== names.length) return false;
    if (!names.every((name) => typeof name === 'string')) return false;
    const width = AXIS_COUNT + names.length;
    const fits = ({ at, length: of, sum }: ChunkPlace) =>
      [at, of].every(isCount) && of <= width * CHUNK_ROWS && at + 8 * of <= stored && Number.isInteger(sum);
    if (chunks.length !== Math.floor(rows / CHUNK_ROWS) || !chunks.every(fits)) return false;
    needed += Math.ceil(rows / BUCKET_ROWS) * (2 * AXIS_COUNT + names.length * BUCKET_FIELDS);
    needed += (rows % CHUNK_ROWS) * width;
  }
  return needed === length;
}

const isCount = (value: number) => Number.isSafeInteger(value) && value >= 0;
const placeOf = ({ at, length, sum }: ChunkPlace): ChunkPlace => ({ at, length, sum });

/** A log that only grew since; one of the same size that was written again is another. */
function isOf({ consumed, size, modified, edges }: Index, log: string): boolean {
  const now = fs.statSync(log);
  if (now.size < size || (now.size === size && now.mtimeMs !== modified)) return false;
  return edgesOf(log, consumed) === edges;
}

/** A hash of the log's beginning and of what is before `consumed`. */
function edgesOf(log: string, consumed: number): string {
  const descriptor = fs.openSync(log, 'r');
  try {
    const length = Math.min(EDGE, consumed);
    const bytes = Buffer.alloc(2 * length);
    fs.readSync(descriptor, bytes, 0, length, 0);
    fs.readSync(descriptor, bytes, length, length, consumed - length);
    return crypto.createHash('sha256').update(bytes).digest('hex');
  } finally {
    fs.closeSync(descriptor);
  }
}
