/** Reading the files of a data set: what the file system says about them and what is wrong in them, in words for a person. */
import { readFile, stat } from 'node:fs/promises';
import { UserError } from '../core/errors.ts';

/** The content of a file. Throws a `UserError` where there is none, or it cannot be read. */
export async function readWhole(file: string): Promise<Buffer> {
  return readFile(file).catch((cause: unknown) => {
    throw fileError(file, cause);
  });
}

/** Whether there is a file or a folder of this name, and its bytes; nothing where there is none. */
export async function lookAt(file: string): Promise<{ isFolder: boolean; size: number } | undefined> {
  try {
    const found = await stat(file);
    return { isFolder: found.isDirectory(), size: found.size };
  } catch (cause) {
    if (isMissing(codeOf(cause))) return undefined;
    throw fileError(file, cause);
  }
}

/** An error of the file system for a person; one without a code is a bug and stays as it is. */
export function fileError(file: string, cause: unknown): unknown {
  const code = codeOf(cause);
  if (code === undefined) return cause;
  if (isMissing(code)) {
    return new UserError(`Data file not found: ${file}.`, { hint: 'Put it there, or correct "path".', cause });
  }
  const hint = code === 'EISDIR' ? 'A file must be there, in place of the folder.' : 'Check its permissions.';
  return new UserError(`Data file cannot be read: ${file} (${code}).`, { hint, cause });
}

/** The error for a file that is not what it should be, from a byte on. */
export function damaged(file: string, offset: number, what: string): UserError {
  return new UserError(`${file}: damaged at byte ${offset}: ${what}.`, { hint: getAgain });
}

/** The error for a file that cannot be read as Parquet, with what the reader says of it. */
export function unreadableParquet(file: string, cause: unknown): UserError {
  const what = cause instanceof Error ? cause.message : String(cause);
  return new UserError(`${file}: cannot be read as Parquet: ${what}.`, { hint: getAgain, cause });
}

const getAgain = 'Get or make this file again, and check that it was copied as a whole.';

const isMissing = (code: string | undefined) => code === 'ENOENT' || code === 'ENOTDIR';

const codeOf = (error: unknown) => (error instanceof Error && 'code' in error ? String(error.code) : undefined);
