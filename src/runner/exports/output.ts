/** Where exports go: new files and folders, there as a whole or not at all; nothing that lies in the way is overwritten. */
import fs from 'node:fs';
import path from 'node:path';
import { UserError } from '../../core/errors.ts';
import { AppendFile, explainFileError, makeFolder, makeNewFolder, remove, stageWhole } from '../../store/files.ts';

/** Writes a new file. */
export function writeNewFile(file: string, content: string | Uint8Array): void {
  refuseExisting(file);
  makeFolder(path.dirname(file));
  const staged = stageWhole(file, content);
  try {
    refuseExisting(file); // somebody may have put one there meanwhile
  } catch (error) {
    staged.discard();
    throw error;
  }
  staged.commit();
}

/** Writes a new file piece by piece. */
export function streamNewFile(file: string, pieces: Iterable<string>): void {
  refuseExisting(file);
  makeFolder(path.dirname(file));
  const temporary = `${file}.${process.pid}.tmp`;
  try {
    appendAll(temporary, pieces);
    moveNew(temporary, file);
  } catch (error) {
    remove(temporary);
    throw error;
  }
}

/** Makes a new folder and lets `fill` write into it; it gets its name once it is whole. */
export async function writeNewFolder(folder: string, fill: (folder: string) => Promise<void>): Promise<void> {
  refuseExisting(folder);
  makeFolder(path.dirname(folder));
  const temporary = `${folder}.${process.pid}.tmp`;
  makeNewFolder(temporary);
  try {
    await fill(temporary);
    moveNew(temporary, folder);
  } catch (error) {
    remove(temporary);
    throw error;
  }
}

/** Appends many short texts to a file, a megabyte at a time. */
export function appendAll(file: string, pieces: Iterable<string>): void {
  const target = new AppendFile(file);
  try {
    let waiting = '';
    for (const piece of pieces) {
      waiting += piece;
      if (waiting.length < 1 << 20) continue;
      target.append(waiting);
      waiting = '';
    }
    target.append(waiting);
    target.sync();
  } finally {
    target.close();
  }
}

export function refuseExisting(target: string): void {
  if (!fs.existsSync(target)) return;
  throw new UserError(`Something lies in the way already: ${target}.`, {
    hint: 'Move it away, or name another place with --to.',
  });
}

function moveNew(from: string, to: string): void {
  refuseExisting(to);
  try {
    fs.renameSync(from, to);
  } catch (error) {
    throw explainFileError(to, error);
  }
}
