/** The lines of a growing log, in pieces: whatever its size, no more than a piece is in memory. */
import fs from 'node:fs';
import { errorCode, explainFileError } from './files.ts';

const PIECE = 1 << 20;
export const LINE_FEED = 0x0a;
/** No event is that long: a longer line is passed over, for a damaged log may be one line of any size. */
export const LONGEST_LINE = 64 << 20;

export class LogLines {
  readonly #file: string;
  /** Where the first line begins that was not read as a whole yet. */
  #offset = 0;
  /** How much of that line was passed over, where it is too long. */
  #passed = 0;

  constructor(file: string) {
    this.#file = file;
  }

  /**
   * Whole lines, with their ends, since the last call; a piece is only good until the next. A last line without its end waits for a
   * later call, and a line that is too long is none: pieces within it are empty. Throws a `UserError` where the file cannot be read;
   * one that is not there has no lines.
   */
  *pieces(): Generator<Buffer> {
    const descriptor = openIfThere(this.#file);
    if (descriptor === undefined) return;
    try {
      let buffer = Buffer.allocUnsafeSlow(Math.min(PIECE, Math.max(1, fs.fstatSync(descriptor).size - this.#offset)));
      for (;;) {
        const bytes = readAt(descriptor, this.#offset + this.#passed, buffer);
        const isPassing = this.#passed > 0;
        const end = (isPassing ? bytes.indexOf(LINE_FEED) : bytes.lastIndexOf(LINE_FEED)) + 1;
        if (end > 0) {
          this.#offset += this.#passed + end;
          this.#passed = 0;
          if (isPassing) continue;
          yield bytes.subarray(0, end);
        } else if (isPassing || bytes.length === LONGEST_LINE) {
          this.#passed += bytes.length;
          if (buffer.length === LONGEST_LINE) buffer = Buffer.allocUnsafeSlow(PIECE);
          yield buffer.subarray(0, 0);
          if (isPassing && bytes.length === 0) return;
          continue;
        } else if (bytes.length === buffer.length) {
          buffer = Buffer.allocUnsafeSlow(Math.min(LONGEST_LINE, 2 * buffer.length)); // a line longer than all that was read
          continue;
        }
        if (bytes.length < buffer.length) return;
      }
    } finally {
      fs.closeSync(descriptor);
    }
  }

  /** Gives the lines of the first `head` bytes and goes on with those of the last `tail`; nothing where there is hardly more. */
  skip(head: number, tail: number): Buffer | undefined {
    const descriptor = openIfThere(this.#file);
    if (descriptor === undefined) return undefined;
    try {
      const { size } = fs.fstatSync(descriptor);
      if (size <= head + tail) return undefined;
      const first = readAt(descriptor, 0, Buffer.allocUnsafeSlow(head));
      const after = readAt(descriptor, size - tail, Buffer.allocUnsafeSlow(head));
      const [end, begin] = [first.lastIndexOf(LINE_FEED) + 1, after.indexOf(LINE_FEED) + 1];
      if (end === 0 || begin === 0) return undefined;
      this.#offset = size - tail + begin;
      return first.subarray(0, end);
    } finally {
      fs.closeSync(descriptor);
    }
  }
}

/** Nothing where there is no such file. */
export function openIfThere(file: string): number | undefined {
  try {
    return fs.openSync(file, 'r');
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return undefined;
    throw explainFileError(file, error);
  }
}

/** The buffer filled from `offset` of the file on; shorter only at its end. */
export function readAt(descriptor: number, offset: number, buffer: Buffer): Buffer {
  let length = 0;
  while (length < buffer.length) {
    const got = fs.readSync(descriptor, buffer, length, buffer.length - length, offset + length);
    if (got === 0) break;
    length += got;
  }
  return buffer.subarray(0, length);
}
