/** Where full chunks of a table go: a file that only this process writes, or memory where no file can be made. */
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

/** A chunk in a file, with a sum over its numbers, or in memory. */
export type ChunkPlace =
  | { readonly file: string; readonly at: number; readonly length: number; readonly sum: number }
  | { readonly data: Float64Array };

/** Thrown where a chunk on disk is not what was written. */
export class DamagedChunk extends Error {}

export class ChunkStore {
  readonly folder: string | undefined;
  #own: { readonly name: string; readonly descriptor: number; size: number } | undefined;
  #failed = false;
  /** Kept open: another reader may remove a file that it no longer needs. */
  readonly #open = new Map<string, number>();

  /** Without a folder everything stays in memory. */
  constructor(folder: string | undefined) {
    this.folder = folder;
  }

  write(data: Float64Array): ChunkPlace {
    const own = this.#ownFile();
    if (!own) return { data };
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    try {
      for (let done = 0; done < bytes.length; ) {
        done += fs.writeSync(own.descriptor, bytes, done, bytes.length - done, own.size + done);
      }
    } catch {
      this.#failed = true; // a full disk: it is only a cache
      return { data };
    }
    const place = { file: own.name, at: own.size, length: data.length, sum: sumOf(data) };
    own.size += bytes.length;
    return place;
  }

  /** Throws `DamagedChunk` where the file is not as it was written. */
  read(place: ChunkPlace): Float64Array {
    if ('data' in place) return place.data;
    const data = new Float64Array(place.length);
    const bytes = new Uint8Array(data.buffer);
    let got = 0;
    try {
      const descriptor = this.#descriptor(place.file);
      for (let more = -1; got < bytes.length && more !== 0; got += more) {
        more = fs.readSync(descriptor, bytes, got, bytes.length - got, place.at + got);
      }
    } catch {
      throw new DamagedChunk();
    }
    if (got < bytes.length || sumOf(data) !== place.sum) throw new DamagedChunk();
    return data;
  }

  /** Whether a file of the folder is long enough; keeps it open. */
  holds(file: string, size: number): boolean {
    try {
      return fs.fstatSync(this.#descriptor(file)).size >= size;
    } catch {
      return false;
    }
  }

  close(): void {
    for (const descriptor of this.#open.values()) fs.closeSync(descriptor);
    this.#open.clear();
    if (this.#own) fs.closeSync(this.#own.descriptor);
    this.#own = undefined;
    this.#failed = true;
  }

  #descriptor(file: string): number {
    if (this.#own?.name === file) return this.#own.descriptor;
    const known = this.#open.get(file);
    if (known !== undefined) return known;
    const descriptor = fs.openSync(path.join(this.folder ?? '', path.basename(file)), 'r');
    this.#open.set(file, descriptor);
    return descriptor;
  }

  #ownFile() {
    if (this.#own || this.#failed || this.folder === undefined) return this.#failed ? undefined : this.#own;
    try {
      fs.mkdirSync(this.folder, { recursive: true });
      const name = `rows-${crypto.randomBytes(6).toString('hex')}.bin`;
      this.#own = { name, descriptor: fs.openSync(path.join(this.folder, name), 'wx+'), size: 0 };
    } catch {
      this.#failed = true; // a folder that may not be written
    }
    return this.#own;
  }
}

/** A sum that a changed, cut or moved number changes. */
function sumOf(data: Float64Array): number {
  const words = new Int32Array(data.buffer, data.byteOffset, data.length * 2);
  let sum = 0x811c9dc5;
  for (let i = 0; i < words.length; i++) sum = Math.imul(sum ^ (words[i] ?? 0), 0x01000193) ^ (sum >>> 15);
  return sum >>> 0;
}
