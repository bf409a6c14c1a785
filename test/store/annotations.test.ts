/** Stars, tags and notes: whatever happens to their file, nothing that somebody wrote is lost. */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { UserError } from '../../src/core/errors.ts';
import { ANNOTATIONS_FILE, annotate, readAnnotations } from '../../src/store/annotations.ts';
import { temporaryFolder } from './temporaryFolder.ts';

const fileOf = (out: string) => path.join(out, ANNOTATIONS_FILE);
const none = { star: false, tags: [], notes: '' };

afterEach(() => {
  delete process.env.MASKSUB_FAULT;
});

test('there are none before the first', () => {
  expect(readAnnotations(temporaryFolder())).toEqual({ of: new Map() });
  expect(readAnnotations(path.join(temporaryFolder(), 'nowhere'))).toEqual({ of: new Map() });
});

test('a change touches one field of one run', () => {
  const out = temporaryFolder();
  annotate(out, 'a', { star: true });
  annotate(out, '__proto__', { notes: 'Größe\n<script>' });
  annotate(out, 'a', { tags: ['x', 'y'] });
  annotate(out, 'b', { star: true });
  expect(annotate(out, 'b', { star: false })).toBeUndefined();
  expect([...readAnnotations(out).of]).toEqual([
    ['a', { star: true, tags: ['x', 'y'], notes: '' }],
    ['__proto__', { ...none, notes: 'Größe\n<script>' }],
    ['b', none],
  ]);
  expect(fs.readdirSync(out)).toEqual([ANNOTATIONS_FILE]);
});

test('what a later version adds to an entry stays', () => {
  const out = temporaryFolder();
  fs.writeFileSync(fileOf(out), '{"version":1,"runs":[{"id":"a","color":"red"}]}');
  annotate(out, 'a', { star: true });
  expect(JSON.parse(fs.readFileSync(fileOf(out), 'utf8')).runs).toEqual([
    { id: 'a', color: 'red', ...none, star: true },
  ]);
});

test('two windows that write at once both keep what they wrote', async () => {
  const out = temporaryFolder();
  const script = path.join(temporaryFolder(), 'annotate.cjs');
  const source = path.resolve(import.meta.dirname, '../../src/store/annotations.ts');
  await build({
    stdin: {
      contents: `import { annotate } from ${JSON.stringify(source)};
        for (let i = 0; i < 30; i++) annotate(process.argv[2], process.argv[3] + i, { star: true });`,
      resolveDir: import.meta.dirname,
    },
    ...{ outfile: script, bundle: true, platform: 'node', format: 'cjs', logLevel: 'error' },
  });
  const window = (name: string) =>
    new Promise((resolve) => {
      spawn(process.execPath, [script, out, name], { stdio: 'inherit' }).on('exit', resolve);
    });
  expect(await Promise.all([window('a'), window('b'), window('c')])).toEqual([0, 0, 0]);
  expect(readAnnotations(out).of.size).toBe(90);
});

describe('a damaged file', () => {
  for (const [what, content] of [
    ['cut off', '{"version":1,"runs":[{"id":"a","st'],
    ['empty', ''],
    ['of something else', '{"version":1,"runs":{"a":true}}'],
  ] as const) {
    test(`${what} is said, and stays until somebody writes`, () => {
      const out = temporaryFolder();
      fs.writeFileSync(fileOf(out), content);
      const read = readAnnotations(out);
      expect(read.of.size).toBe(0);
      expect(read.problem).toMatch(/annotations\.json is damaged/);
      expect(fs.readFileSync(fileOf(out), 'utf8')).toBe(content);
    });
  }
  test('is kept aside, and so is the next one', () => {
    const out = temporaryFolder();
    for (const [i, content] of ['first', 'second'].entries()) {
      fs.writeFileSync(fileOf(out), content);
      expect(annotate(out, 'a', { star: true })).toContain(`annotations.damaged-${i + 1}.json`);
      expect(fs.readFileSync(path.join(out, `annotations.damaged-${i + 1}.json`), 'utf8')).toBe(content);
    }
    expect(readAnnotations(out)).toEqual({ of: new Map([['a', { ...none, star: true }]]) });
  });
});

test('a file that cannot be read costs the stars, not the table', () => {
  const out = temporaryFolder();
  fs.symlinkSync(ANNOTATIONS_FILE, fileOf(out)); // to itself
  expect(readAnnotations(out)).toEqual({ of: new Map(), problem: expect.stringContaining(fileOf(out)) });
  fs.rmSync(fileOf(out));
  fs.mkdirSync(fileOf(out));
  expect(readAnnotations(out)).toEqual({ of: new Map(), problem: expect.stringContaining(fileOf(out)) });
  expect(() => annotate(out, 'a', { star: true })).toThrow(UserError);
  fs.rmdirSync(fileOf(out));
  annotate(out, 'a', { star: true });
  const refused = vi.spyOn(fs, 'readFileSync').mockImplementation(() => {
    throw Object.assign(new Error('EACCES'), { code: 'EACCES', syscall: 'open', errno: -13 });
  });
  expect(readAnnotations(out)).toEqual({ of: new Map(), problem: expect.stringMatching(/No permission/) });
  expect(() => annotate(out, 'a', { star: false })).toThrow(UserError);
  refused.mockRestore();
  expect(readAnnotations(out).of.get('a')?.star).toBe(true);
});

test('the file of a later version is left alone', () => {
  const out = temporaryFolder();
  const content = '{"version":2,"runs":[]}';
  fs.writeFileSync(fileOf(out), content);
  expect(readAnnotations(out).problem).toMatch(/newer version/);
  expect(() => annotate(out, 'a', { star: true })).toThrow(UserError);
  expect(fs.readFileSync(fileOf(out), 'utf8')).toBe(content);
  expect(fs.readdirSync(out)).toEqual([ANNOTATIONS_FILE]);
});

test('a full disk costs the change, not what was there', () => {
  const out = temporaryFolder();
  annotate(out, 'a', { star: true });
  process.env.MASKSUB_FAULT = 'enospc:1';
  expect(() => annotate(out, 'b', { star: true })).toThrow(/disk is full/);
  delete process.env.MASKSUB_FAULT;
  expect([...readAnnotations(out).of.keys()]).toEqual(['a']);
  expect(fs.readdirSync(out)).toEqual([ANNOTATIONS_FILE]);
});

test('a window that was killed over its writing stops nobody', () => {
  const out = temporaryFolder();
  fs.mkdirSync(`${fileOf(out)}.claim`);
  fs.utimesSync(`${fileOf(out)}.claim`, new Date(0), new Date(0));
  annotate(out, 'a', { star: true });
  expect(readAnnotations(out).of.size).toBe(1);
});
