/** What was read of a log, kept for the next time: an index and the buckets in one file, beside the chunks. */
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { decodeEvent, encodeEvent } from '../../core/events.ts';
import { writeWhole } from '../files.ts';
import type { ChunkPlace, ChunkStore } from './chunkStore.ts';
import { Reading } from './reading.ts';

const VERSION = 1;
const INDEX = 'index.bin';
const EDGE = 4096;

interface Index {
  readonly version: number;
  readonly consumed: number;
  readonly size: number;
  readonly modified: number;
  readonly edges: string;
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

/** False where it could not be written: it is only a cache. */
export function saveCache(log: string, store: ChunkStore, reading: Reading, consumed: number): boolean {
  if (store.folder === undefined) return false;
  const tables = tableNames.map((name) => reading.tables[name]);
  if (tables.some(({ chunks }) => chunks.some((place) => 'data' in place))) return false;
  try {
    const { size, mtimeMs } = fs.statSync(log);
    const index: Index = {
      version: VERSION,
      ...{ consumed, size, modified: mtimeMs, edges: edgesOf(log, consumed) },
      digest: reading.digest.map(encodeEvent),
      skipped: reading.skipped,
      ...(reading.newerVersion === undefined ? {} : { newerVersion: reading.newerVersion }),
      progress: reading.progress,
      tables: Object.fromEntries(
        tables.map(({ names, rows, leftOut, chunks }, i) => [tableNames[i], { names, rows, leftOut, chunks }]),
      ) as Index['tables'],
    };
    const text = Buffer.from(JSON.stringify(index));
    const head = Buffer.alloc(8);
    head.writeDoubleLE(text.length);
    const padding = Buffer.alloc((8 - (text.length % 8)) % 8);
    const numbers = tables
      .flatMap((table) => table.pack())
      .map((of) => Buffer.from(of.buffer, of.byteOffset, of.byteLength));
    const body = Buffer.concat([head, text, padding, ...numbers]);
    fs.mkdirSync(store.folder, { recursive: true });
    writeWhole(path.join(store.folder, INDEX), Buffer.concat([hashOf(body), body]));
    removeOthers(
      store.folder,
      tables.flatMap(({ chunks }) => chunks),
    );
    return true;
  } catch {
    return false;
  }
}

/** Nothing where there is none, or one that is damaged, of another version or of another log. */
export function loadCache(
  log: string,
  store: ChunkStore,
  id: string,
): { reading: Reading; consumed: number } | undefined {
  if (store.folder === undefined) return undefined;
  try {
    const whole = fs.readFileSync(path.join(store.folder, INDEX));
    const body = whole.subarray(32);
    if (!hashOf(body).equals(whole.subarray(0, 32))) return undefined;
    const length = body.readDoubleLE(0);
    // Its own hash is right, so it is what some version of this program wrote.
    const index = JSON.parse(body.toString('utf8', 8, 8 + length)) as Index;
    if (index.version !== VERSION || !isOf(index, log)) return undefined;
    const from = 8 + Math.ceil(length / 8) * 8;
    const numbers = new Float64Array(new Uint8Array(body.subarray(from)).buffer);
    const reading = new Reading(id, store);
    let at = 0;
    for (const name of tableNames) {
      const { names, rows, leftOut, chunks } = index.tables[name];
      if (!chunks.every((place) => 'file' in place && store.holds(place.file, place.at + place.length * 8)))
        return undefined;
      at += reading.tables[name].unpack(numbers.subarray(at), names, rows, chunks);
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
    return { reading, consumed: index.consumed };
  } catch {
    return undefined;
  }
}

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
    return hashOf(bytes).toString('hex');
  } finally {
    fs.closeSync(descriptor);
  }
}

/** Chunks that an earlier cache needed. Another reader of this moment has its own open, and where not, reads the log anew. */
function removeOthers(folder: string, chunks: readonly ChunkPlace[]): void {
  const kept = new Set(chunks.map((place) => ('file' in place ? place.file : '')));
  const hourAgo = Date.now() - 3_600_000;
  for (const name of fs.readdirSync(folder)) {
    const file = path.join(folder, name);
    if (!/^rows-[0-9a-f]{12}\.bin$/.test(name) || kept.has(name) || fs.statSync(file).mtimeMs > hourAgo) continue;
    fs.rmSync(file, { force: true });
  }
}

const hashOf = (bytes: Uint8Array) => crypto.createHash('sha256').update(bytes).digest();
