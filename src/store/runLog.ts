/** A run folder for charts: its state and, at any resolution, its scalars, read once and followed while the run lives. */
import fs from 'node:fs';
import path from 'node:path';
import { UserError } from '../core/errors.ts';
import type { RunEvent } from '../core/events.ts';
import type { RunMetrics, WindowQuery } from '../core/metricQuery.ts';
import type { RunState } from '../core/run.ts';
import { errorCode, explainFileError } from './files.ts';
import { runFiles } from './layout.ts';
import { LINE_FEED, LONGEST_LINE } from './logLines.ts';
import { dropCache, loadCache, saveCache, storeIn } from './metrics/cache.ts';
import { type ChunkStore, DamagedChunk } from './metrics/chunkStore.ts';
import { Reading } from './metrics/reading.ts';
import { axisNames } from './metrics/table.ts';
import { windowOf } from './metrics/window.ts';

export interface RunLogOptions {
  /** Where what was read is kept for the next time; `metrics` in the run folder by default, memory where that cannot be written. */
  readonly cacheFolder?: string;
  /** How far a long log is read, 0 to 1. */
  readonly onProgress?: (done: number) => void;
}

const PIECE = 4 << 20;
/** The editor's process has other things to do: after so many milliseconds it gets a turn. */
const SLICE_MS = 20;
/** A log of fewer bytes is read faster than its cache. */
const SHORT = 1 << 20;
/** So much of the log's beginning tells it from another: the first event says when it was written. */
const HEAD = 1024;

export class RunLog {
  readonly folder: string;
  readonly metrics: RunMetrics;
  readonly #file: string;
  readonly #options: RunLogOptions;
  #store: ChunkStore;
  #reading: Reading;
  /** Bytes of the log that are read, up to the end of a line; whenever another gets a turn, what `#reading` holds is theirs. */
  #consumed = 0;
  /** How much of the line behind them was passed over, where it is too long. */
  #passed = 0;
  #saved = 0;
  #identity = '';
  #head: Buffer = Buffer.alloc(0);
  #wasThere = false;
  #isGone = false;
  #updating: Promise<boolean> | undefined;
  #isClosed = false;

  private constructor(folder: string, options: RunLogOptions) {
    this.folder = folder;
    this.#file = path.join(folder, runFiles.events);
    this.#options = options;
    this.#store = storeIn(this.#cacheFolder());
    this.#reading = new Reading(path.basename(folder), this.#store);
    const tables = () => this.#reading.tables;
    this.metrics = {
      names: (table) => tables()[table].names,
      rows: (table) => tables()[table].rows,
      extent: (table, axis) => {
        const of = tables()[table];
        const at = axisNames.indexOf(axis);
        return of.rows > 0 ? [of.endOf(0, at, 0), of.endOf(of.bucketCount - 1, at, 1)] : undefined;
      },
      window: (query) => this.#window(query),
    };
  }

  /** Throws a `UserError` where the log cannot be read; one that is not there yet has no events. */
  static async open(folder: string, options: RunLogOptions = {}): Promise<RunLog> {
    const log = new RunLog(folder, options);
    log.#load();
    await log.update();
    log.#save();
    return log;
  }

  get id(): string {
    return this.state.id;
  }

  get state(): RunState {
    return this.#reading.state;
  }

  /** Lines that are no event of this version. */
  get skipped(): number {
    return this.#reading.skipped;
  }

  /** The version of lines that a newer version wrote, where there are some. */
  get newerVersion(): number | undefined {
    return this.#reading.newerVersion;
  }

  /** Tables of which not every column is kept. */
  get leftOut(): boolean {
    return Object.values(this.#reading.tables).some((table) => table.leftOut);
  }

  /** Reads on; true where something came. Throws a `UserError`, once, where the folder is gone. */
  update(): Promise<boolean> {
    this.#updating ??= this.#update().finally(() => {
      this.#updating = undefined;
    });
    return this.#updating;
  }

  /** The events since the last call, without `layers`, and of the steps the first of an attempt and the newest. */
  takeEvents(): RunEvent[] {
    const events = this.#reading.fresh;
    this.#reading.fresh = [];
    return events;
  }

  /** Keeps what was read, for the next time; an update under way stops there. */
  close(): void {
    this.#isClosed = true;
    this.#reading.settle();
    this.#save();
    this.#store.close();
  }

  async #update(): Promise<boolean> {
    let descriptor: number;
    try {
      descriptor = fs.openSync(this.#file, 'r');
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw explainFileError(this.#file, error);
      if (!this.#wasThere || this.#isGone) return false;
      this.#isGone = true;
      throw new UserError(`The run folder ${this.folder} is gone.`, { hint: 'It was moved or deleted; open it anew.' });
    }
    try {
      const { size, ino } = fs.fstatSync(descriptor);
      const identity = String(ino);
      const isOther =
        size < this.#consumed + this.#passed ||
        (this.#identity !== '' && identity !== this.#identity) ||
        !readHead(descriptor, this.#head.length).equals(this.#head);
      if (isOther) this.#restart();
      this.#identity = identity;
      this.#wasThere = true;
      this.#isGone = false;
      const isMore = await this.#readOn(descriptor, size);
      this.#head = readHead(descriptor, Math.min(HEAD, this.#consumed));
      return isMore || isOther;
    } finally {
      fs.closeSync(descriptor);
    }
  }

  async #readOn(descriptor: number, size: number): Promise<boolean> {
    const before = this.#consumed;
    let since = performance.now();
    for (const done of this.#pieces(descriptor, size)) {
      if (performance.now() - since < SLICE_MS) continue;
      this.#options.onProgress?.(Math.min(1, done / size));
      await new Promise((resolve) => setImmediate(resolve));
      since = performance.now();
    }
    this.#reading.settle();
    return this.#consumed > before;
  }

  /** Reads whole lines up to `size`, and says now and then how far it is. */
  *#pieces(descriptor: number, size: number): Generator<number> {
    let room = Math.min(PIECE, Math.max(1, size - this.#consumed));
    let buffer = Buffer.allocUnsafeSlow(room);
    while (this.#consumed + this.#passed < size) {
      const at = this.#consumed + this.#passed;
      const got = fs.readSync(descriptor, buffer, 0, Math.min(room, size - at), at);
      if (got === 0) return;
      if (this.#passed > 0) {
        this.#pass(buffer.subarray(0, got));
        yield at + got;
        if (this.#isClosed) return;
        continue;
      }
      let start = 0;
      for (let lines = 1; ; lines++) {
        const end = buffer.indexOf(LINE_FEED, start);
        if (end < 0 || end >= got) break;
        this.#reading.line(buffer, start, end);
        start = end + 1;
        if (lines % 1024 !== 0) continue;
        this.#consumed = at + start;
        yield at + start;
        // Meanwhile a window may have read it all anew, to the same place if it could; the next update goes on from another.
        if (this.#isClosed || this.#consumed !== at + start) return;
      }
      this.#reading.hold();
      this.#consumed = at + start;
      if (this.#consumed >= SHORT) this.#store.spill();
      if (start > 0) continue;
      if (got === LONGEST_LINE) this.#passed = got;
      else if (got < room || at + got >= size) return; // a last line that is not whole yet
      room = this.#passed > 0 ? PIECE : Math.min(LONGEST_LINE, 2 * room);
      buffer = Buffer.allocUnsafeSlow(room);
    }
  }

  /** Goes on within a line that is too long, or behind it. */
  #pass(bytes: Buffer): void {
    const end = bytes.indexOf(LINE_FEED) + 1;
    if (end === 0) {
      this.#passed += bytes.length;
      return;
    }
    this.#consumed += this.#passed + end;
    this.#passed = 0;
    this.#reading.skipped++;
  }

  #window(query: WindowQuery) {
    try {
      return windowOf(this.#reading.tables[query.table], query);
    } catch (error) {
      if (!(error instanceof DamagedChunk)) throw error;
      this.#rebuild();
      return windowOf(this.#reading.tables[query.table], query);
    }
  }

  /**
   * Reads the log anew into memory: what was kept of it is damaged. This happens at once, however long it takes: it is rare, and an
   * answer with a gap would be believed.
   */
  #rebuild(): void {
    const size = this.#consumed;
    const before = this.#reading;
    before.settle();
    dropCache(this.#cacheFolder());
    this.#store.close();
    this.#store = storeIn(undefined);
    this.#reading = new Reading(path.basename(this.folder), this.#store);
    this.#consumed = 0;
    this.#passed = 0;
    this.#saved = 0;
    let descriptor: number;
    try {
      descriptor = fs.openSync(this.#file, 'r');
    } catch (error) {
      throw explainFileError(this.#file, error);
    }
    try {
      for (const _ of this.#pieces(descriptor, size));
    } finally {
      fs.closeSync(descriptor);
    }
    this.#reading.settle();
    this.#reading.fresh = before.fresh;
  }

  #restart(): void {
    this.#store.close();
    this.#store = storeIn(this.#cacheFolder());
    this.#reading = new Reading(path.basename(this.folder), this.#store);
    this.#consumed = 0;
    this.#passed = 0;
    this.#saved = 0;
  }

  #load(): void {
    const cached = loadCache(this.#file, this.#cacheFolder(), path.basename(this.folder));
    if (!cached) return;
    this.#reading = cached.reading;
    this.#store = cached.store;
    this.#consumed = cached.consumed;
    this.#saved = cached.consumed;
  }

  #save(): void {
    if (this.#saved === this.#consumed || !this.#wasThere) return;
    const isSaved = saveCache(this.#file, this.#cacheFolder(), this.#store, this.#reading, this.#consumed);
    if (isSaved) this.#saved = this.#consumed;
  }

  #cacheFolder(): string {
    return this.#options.cacheFolder ?? path.join(this.folder, 'metrics');
  }
}

function readHead(descriptor: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  return bytes.subarray(0, fs.readSync(descriptor, bytes, 0, length, 0));
}
