/** Where full chunks of a run's tables go: one file that all readers of a log write alike, or memory where there can be none. */
import fs from 'node:fs';
import path from 'node:path';

/** A chunk: where it lies in the file, a sum over its numbers, and these themselves as long as they are in no file. */
export interface ChunkPlace {
  readonly at: number;
  readonly length: number;
  readonly sum: number;
  data?: Float64Array;
}

/** Thrown where a chunk on disk is not what was written. */
export class DamagedChunk extends Error {}

/**
 * What is written, and where, follows from the log alone, and a log only grows. So readers that live at the same time, in
 * whatever process, put the same bytes into the same places, and no run has more than one such file. Where that fails, since
 * the log was replaced or another version wrote, the sums tell.
 */
export class ChunkStore {
  /** Where the next chunk goes. */
  size = 0;
  readonly #file: string | undefined;
  #descriptor: number | undefined;
  #state: 'held' | 'spilled' | 'failed' = 'held';
  #held: ChunkPlace[] = [];

  /** Without a file everything stays in memory. */
  constructor(file: string | undefined) {
    this.#file = file;
    if (file === undefined) this.#state = 'failed';
  }

  /** True once all chunks are in the file. */
  get isOnDisk(): boolean {
    return this.#state === 'spilled';
  }

  /** Takes a chunk; the array is the caller's again. */
  write(data: Float64Array): ChunkPlace {
    const place: ChunkPlace = { at: this.size, length: data.length, sum: sumOf(data) };
    this.size += data.byteLength;
    if (this.#state === 'spilled' && this.#put(place.at, data)) return place;
    place.data = data.slice();
    if (this.#state === 'held') this.#held.push(place);
    return place;
  }

  /** From now on chunks lie on the disk: a long log must not fill the memory, and a short one is worth no file. */
  spill(): void {
    if (this.#state !== 'held' || !this.#open(true)) return;
    this.#state = 'spilled';
    for (const place of this.#held) {
      if (place.data && this.#put(place.at, place.data)) delete place.data;
    }
    this.#held = [];
  }

  /** Goes on where an earlier reader was; false where the file is not that long. */
  resume(size: number): boolean {
    const isWritable = this.#open(true);
    if (!isWritable && !this.#open(false)) return false;
    this.size = size;
    this.#state = isWritable ? 'spilled' : 'failed';
    return this.#descriptor !== undefined && fs.fstatSync(this.#descriptor).size >= size;
  }

  /** Throws `DamagedChunk` where the file is not as it was written. */
  read({ at, length, sum, data: held }: ChunkPlace): Float64Array {
    if (held) return held;
    let data: Float64Array;
    let missing: number;
    try {
      data = new Float64Array(length);
      const bytes = new Uint8Array(data.buffer);
      let got = 0;
      for (let more = -1; this.#descriptor !== undefined && got < bytes.length && more !== 0; got += more) {
        more = fs.readSync(this.#descriptor, bytes, got, bytes.length - got, at + got);
      }
      missing = bytes.length - got;
    } catch {
      throw new DamagedChunk();
    }
    if (missing > 0 || sumOf(data) !== sum) throw new DamagedChunk();
    return data;
  }

  close(): void {
    if (this.#descriptor !== undefined) fs.closeSync(this.#descriptor);
    this.#descriptor = undefined;
    this.#state = 'failed';
  }

  #put(at: number, data: Float64Array): boolean {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    try {
      if (this.#descriptor === undefined) return false;
      for (let done = 0; done < bytes.length; ) {
        done += fs.writeSync(this.#descriptor, bytes, done, bytes.length - done, at + done);
      }
      return true;
    } catch {
      this.#state = 'failed'; // a full disk: it is only a cache
      return false;
    }
  }

  #open(forWriting: boolean): boolean {
    if (this.#file === undefined) return false;
    const { O_RDWR, O_CREAT, O_RDONLY } = fs.constants;
    try {
      if (forWriting) fs.mkdirSync(path.dirname(this.#file), { recursive: true });
      if (!isOwnPlace(this.#file)) throw new Error('A link of somebody else.');
      this.#descriptor = fs.openSync(this.#file, forWriting ? O_RDWR | O_CREAT : O_RDONLY);
      return true;
    } catch {
      this.#state = 'failed'; // a folder that may not be written
      return false;
    }
  }
}

/** A sum that a changed, cut or moved number changes; in two halves, which a processor adds up side by side. */
export function sumOf(data: Float64Array): number {
  const words = new Int32Array(data.buffer, data.byteOffset, data.length * 2);
  let [even, odd] = [0x811c9dc5, 0x2545f491];
  for (let i = 0; i < words.length; i += 2) {
    even = Math.imul(even ^ (words[i] ?? 0), 0x01000193) ^ (even >>> 15);
    odd = Math.imul(odd ^ (words[i + 1] ?? 0), 0x01000193) ^ (odd >>> 15);
  }
  return Math.imul(even ^ (odd >>> 7), 0x01000193) ^ odd;
}

/** A run folder may come from anywhere: nothing is written through a link in it. */
export function isOwnPlace(file: string): boolean {
  const is = fs.lstatSync(file, { throwIfNoEntry: false });
  return fs.lstatSync(path.dirname(file)).isDirectory() && (is === undefined || is.isFile());
}
