/**
 * The one place that writes to disk: what it writes is there as a whole or not at all, and what goes wrong is said as a
 * `UserError` with a way out.
 *
 * For tests the environment variable `MASKSUB_FAULT=enospc:<n>` makes the n-th write of this process, and every later one, end
 * half-way with ENOSPC, as on a full disk.
 */
import fs from 'node:fs';
import path from 'node:path';
import { UserError } from '../core/errors.ts';

/**
 * Writes a file as a whole: readers see the old content or the new one, also after a crash.
 * Throws a `UserError` where the disk refuses; the old content then stays.
 */
export function writeWhole(file: string, data: string | Uint8Array): void {
  stageWhole(file, data).commit();
}

/** A file's new content, already on the disk under another name: nothing more is needed for it to count but the name. */
export interface StagedFile {
  commit(): void;
  discard(): void;
}

/** The first half of `writeWhole`: takes what space the content needs, and leaves the file as it is until `commit`. */
export function stageWhole(file: string, data: string | Uint8Array): StagedFile {
  const temporary = `${file}.${process.pid}.tmp`;
  const discard = () => fs.rmSync(temporary, { force: true });
  const orDiscard = (work: () => void) =>
    guard(file, () => {
      try {
        work();
      } catch (error) {
        discard();
        throw error;
      }
    });
  orDiscard(() => {
    const descriptor = fs.openSync(temporary, 'w');
    try {
      writeAll(descriptor, asBytes(data));
      fs.fsyncSync(descriptor);
    } finally {
      fs.closeSync(descriptor);
    }
  });
  const commit = () =>
    orDiscard(() => {
      fs.renameSync(temporary, file);
      syncFolder(path.dirname(file));
    });
  return { commit, discard };
}

/** The content of a file of any size. Throws a `UserError` where it cannot be read. */
export function readWhole(file: string): Uint8Array {
  return guard(file, () => {
    const descriptor = fs.openSync(file, 'r');
    try {
      const bytes = new Uint8Array(fs.fstatSync(descriptor).size);
      // In pieces: the operating system gives at most 2 GiB at a time.
      for (let at = 0; at < bytes.length; ) {
        const got = fs.readSync(descriptor, bytes, at, Math.min(bytes.length - at, 1 << 30), at);
        if (got === 0) return bytes.subarray(0, at); // it has become shorter meanwhile
        at += got;
      }
      return bytes;
    } finally {
      fs.closeSync(descriptor);
    }
  });
}

/** A file that only grows. A piece whose writing fails is cut off again, so no later piece is glued to half of it. */
export class AppendFile {
  readonly file: string;
  readonly #descriptor: number;
  #length: number;
  #open = true;

  /** Opens the file, which is made where it is missing. Throws a `UserError` where that fails. */
  constructor(file: string) {
    this.file = file;
    this.#descriptor = guard(file, () => fs.openSync(file, 'a'));
    this.#length = fs.fstatSync(this.#descriptor).size;
  }

  /** Hands the text to the operating system at once: it survives the death of this process, not yet that of the machine. */
  append(text: string): void {
    const bytes = asBytes(text);
    guard(this.file, () => {
      try {
        writeAll(this.#descriptor, bytes);
      } catch (error) {
        fs.ftruncateSync(this.#descriptor, this.#length);
        throw error;
      }
    });
    this.#length += bytes.length;
  }

  /** Ends a last line that a process left unfinished when it was killed. */
  endLine(): void {
    if (this.#length === 0) return;
    const last = Buffer.alloc(1);
    guard(this.file, () => {
      const descriptor = fs.openSync(this.file, 'r'); // the other one only appends
      try {
        fs.readSync(descriptor, last, 0, 1, this.#length - 1);
      } finally {
        fs.closeSync(descriptor);
      }
    });
    if (last.toString() !== '\n') this.append('\n');
  }

  /** Waits until everything appended is on the disk. */
  sync(): void {
    guard(this.file, () => fs.fsyncSync(this.#descriptor));
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    fs.closeSync(this.#descriptor);
  }
}

/** Makes a folder and those above it; one that exists is fine. Throws a `UserError` where a file is in the way. */
export function makeFolder(folder: string): void {
  guard(folder, () => fs.mkdirSync(folder, { recursive: true }));
}

/** Makes a folder that must not exist yet, in a folder that does. */
export function makeNewFolder(folder: string): void {
  guard(folder, () => fs.mkdirSync(folder));
}

/** Marks a folder as changed now, for those who look at its time only. Where that is not allowed they find out later. */
export function touch(folder: string): void {
  try {
    fs.utimesSync(folder, new Date(), new Date());
  } catch (error) {
    if (!isSystemError(error)) throw error;
  }
}

/** Removes a file or a folder with all it holds; one that is not there is fine. */
export function remove(fileOrFolder: string): void {
  guard(fileOrFolder, () => fs.rmSync(fileOrFolder, { recursive: true, force: true }));
}

/** What a failed file operation means for a person; an error that is none of the known ones comes back as it is. */
export function explainFileError(file: string, error: unknown): unknown {
  if (!isSystemError(error)) return error;
  const explained = explanations[error.code];
  if (!explained) return error;
  return new UserError(explained.message(file), { hint: explained.hint, cause: error });
}

const explanations: Readonly<Record<string, { message: (file: string) => string; hint: string }>> = {
  ENOSPC: {
    message: (file) => `The disk is full: cannot write ${file}.`,
    hint: 'Free some space, or choose a folder on another disk with --out.',
  },
  EDQUOT: {
    message: (file) => `Your disk quota is used up: cannot write ${file}.`,
    hint: 'Free some space, or choose a folder on another disk with --out.',
  },
  EACCES: {
    message: (file) => `No permission for ${file}.`,
    hint: 'Change its permissions, or choose another folder.',
  },
  EPERM: {
    message: (file) => `No permission for ${file}.`,
    hint: 'Change its permissions, or choose another folder.',
  },
  EROFS: {
    message: (file) => `The disk of ${file} is read-only.`,
    hint: 'Choose a folder on another disk with --out.',
  },
  ENOTDIR: {
    message: (file) => `A file lies where a folder should be, on the way to ${file}.`,
    hint: 'Move that file away, or choose another folder.',
  },
  EEXIST: {
    message: (file) => `Something lies in the way already: ${file}.`,
    hint: 'Move it away, or choose another folder.',
  },
  EISDIR: {
    message: (file) => `A folder lies where a file should be: ${file}.`,
    hint: 'Move it away, or name a file.',
  },
  ENOENT: {
    message: (file) => `Not found: ${file}.`,
    hint: 'Check the path; was the folder moved or deleted?',
  },
  EIO: {
    message: (file) => `The disk reports a fault at ${file}.`,
    hint: 'Choose a folder on another disk, and check this one.',
  },
  EMFILE: {
    message: (file) => `Too many open files: cannot open ${file}.`,
    hint: 'Close other programs, or raise the limit (ulimit -n).',
  },
};

/** The code of a system error ("ENOENT"), or nothing for any other value. */
export function errorCode(error: unknown): string | undefined {
  return isSystemError(error) ? error.code : undefined;
}

function isSystemError(error: unknown): error is Error & { code: string } {
  return error instanceof Error && 'code' in error && typeof error.code === 'string';
}

function guard<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw explainFileError(file, error);
  }
}

const asBytes = (data: string | Uint8Array) => (typeof data === 'string' ? Buffer.from(data) : data);

/** In pieces: the operating system may take a part only, and Node none of 2 GiB. */
function writeAll(descriptor: number, bytes: Uint8Array): void {
  const fault = nextFault();
  const end = fault ? bytes.length >> 1 : bytes.length;
  for (let at = 0; at < end; ) at += fs.writeSync(descriptor, bytes, at, Math.min(end - at, 1 << 30));
  if (fault) throw fault;
}

/** Puts a renamed or new name on the disk; Windows has no such call. */
function syncFolder(folder: string): void {
  if (process.platform === 'win32') return;
  const descriptor = fs.openSync(folder, 'r');
  try {
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
}

let faultSetting: string | undefined;
let writesUnderSetting = 0;

/** Counts the writes since `MASKSUB_FAULT` was set; the error that this one shall end with, or nothing. */
function nextFault(): Error | undefined {
  const setting = process.env.MASKSUB_FAULT;
  if (setting !== faultSetting) [faultSetting, writesUnderSetting] = [setting, 0];
  if (!setting) return undefined;
  const first = /^enospc:(\d+)$/.exec(setting)?.[1];
  if (first === undefined) throw new UserError(`MASKSUB_FAULT must be "enospc:<n>", found ${JSON.stringify(setting)}.`);
  if (++writesUnderSetting < Number(first)) return undefined;
  return Object.assign(new Error('ENOSPC: no space left on device, write (MASKSUB_FAULT)'), { code: 'ENOSPC' });
}

/** True for the name of a file that is being written, or was when its process was killed. */
export const isTemporary = (name: string) => /\.\d+\.tmp$/.test(name);
