/** What is written is there as a whole or not at all, and what goes wrong is a sentence for a person. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { UserError } from '../../src/core/errors.ts';
import { AppendFile, makeFolder, writeWhole } from '../../src/store/files.ts';
import { temporaryFolder } from './temporaryFolder.ts';

afterEach(() => {
  delete process.env.MASKSUB_FAULT;
});

function userError(work: () => unknown): UserError {
  try {
    work();
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    const found = error as UserError;
    expect(found.hint).toBeTruthy();
    return found;
  }
  throw new Error('Nothing was thrown');
}

describe('writeWhole', () => {
  test('replaces a file and leaves no other', () => {
    const folder = temporaryFolder();
    const file = path.join(folder, 'a.json');
    writeWhole(file, 'old');
    writeWhole(file, Uint8Array.of(1, 2, 3));
    expect([...fs.readFileSync(file)]).toEqual([1, 2, 3]);
    expect(fs.readdirSync(folder)).toEqual(['a.json']);
  });

  test('keeps the old content when the disk is full', () => {
    const folder = temporaryFolder();
    const file = path.join(folder, 'a.json');
    writeWhole(file, 'old');
    process.env.MASKSUB_FAULT = 'enospc:1';
    expect(userError(() => writeWhole(file, 'new content')).message).toBe(`The disk is full: cannot write ${file}.`);
    expect(fs.readFileSync(file, 'utf8')).toBe('old');
    expect(fs.readdirSync(folder)).toEqual(['a.json']);
  });

  test('names the file that lies where a folder should be', () => {
    const folder = temporaryFolder();
    fs.writeFileSync(path.join(folder, 'file'), '');
    const file = path.join(folder, 'file', 'a.json');
    expect(userError(() => writeWhole(file, '')).message).toContain(file);
    expect(userError(() => makeFolder(path.join(file, 'b'))).message).toMatch(/^A file lies where a folder should be/);
    expect(userError(() => makeFolder(path.join(folder, 'file'))).message).toMatch(
      /^Something lies in the way already/,
    );
  });

  test('says where there is no permission', ({ skip }) => {
    if (process.platform === 'win32') skip('Windows has no such permissions');
    const folder = temporaryFolder();
    const script = `
      import { writeWhole } from ${JSON.stringify(path.resolve('src/store/files.ts'))};
      try { writeWhole(${JSON.stringify(path.join(folder, 'a.json'))}, ''); } catch (e) { console.log(e.name, e.message, e.hint); }`;
    fs.chmodSync(folder, 0o555);
    const bundle = path.join(temporaryFolder(), 'script.mjs');
    const built = spawnSync(
      path.resolve('node_modules/.bin/esbuild'),
      ['--bundle', '--platform=node', '--format=esm', `--outfile=${bundle}`],
      { input: script, cwd: process.cwd(), encoding: 'utf8' },
    );
    expect(built.status, built.stderr).toBe(0);
    // The superuser may write everywhere, so nobody has to try.
    const asNobody = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
    const { stdout, error, status } = spawnSync(process.execPath, ['--input-type=module'], {
      input: fs.readFileSync(bundle),
      cwd: '/',
      encoding: 'utf8',
      ...asNobody,
    });
    if (error || status !== 0) skip(`node cannot be started as another user here (${error ?? status})`);
    expect(stdout).toMatch(/^UserError No permission for .*a\.json.* Change its permissions/);
    expect(fs.readdirSync(folder)).toEqual([]);
  });
});

describe('AppendFile', () => {
  test('grows, and goes on where an earlier one ended', () => {
    const file = path.join(temporaryFolder(), 'a.jsonl');
    for (const text of ['one\n', 'two\n']) {
      const appended = new AppendFile(file);
      appended.append(text);
      appended.sync();
      appended.close();
      appended.close();
    }
    expect(fs.readFileSync(file, 'utf8')).toBe('one\ntwo\n');
  });

  test('cuts off what could not be written as a whole', () => {
    const file = path.join(temporaryFolder(), 'a.jsonl');
    const appended = new AppendFile(file);
    process.env.MASKSUB_FAULT = 'enospc:2';
    appended.append('one\n');
    userError(() => appended.append('two, of which half fits\n'));
    userError(() => appended.append('a full disk stays full\n'));
    expect(fs.readFileSync(file, 'utf8')).toBe('one\n');
    delete process.env.MASKSUB_FAULT;
    appended.append('three\n');
    appended.close();
    expect(fs.readFileSync(file, 'utf8')).toBe('one\nthree\n');
  });
});

test('a fault of an unknown kind is refused', () => {
  process.env.MASKSUB_FAULT = 'typo';
  expect(() => writeWhole(path.join(temporaryFolder(), 'a'), '')).toThrow('MASKSUB_FAULT must be "enospc:<n>"');
});
