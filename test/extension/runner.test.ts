/** The runner is started with the editor's Node, outlives who started it, and its complaints reach a person. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { Runner, spokenError } from '../../src/extension/runner.ts';
import { temporaryFolder } from '../store/temporaryFolder.ts';

/** A runner whose command line is this script. */
function runnerOf(script: string, engine?: string) {
  const folder = temporaryFolder();
  fs.mkdirSync(path.join(folder, 'dist'));
  fs.writeFileSync(path.join(folder, 'package.json'), '{"type":"module"}');
  fs.writeFileSync(path.join(folder, 'dist', 'cli.js'), script);
  return { folder, runner: new Runner(folder, () => engine) };
}

test('a question goes in, the answer comes out', async () => {
  const { runner } = runnerOf(
    `
    import fs from 'node:fs';
    console.log(JSON.stringify([process.argv.slice(2), fs.readFileSync(0, 'utf8'), process.env.MASKSUB_ENGINE]));
    console.error('a word');
    process.exitCode = 2;`,
    '/engine',
  );
  const answer = await runner.ask(['config', '-'], { input: 'text' });
  expect(JSON.parse(answer.stdout)).toEqual([['config', '-'], 'text', '/engine']);
  expect(answer).toMatchObject({ code: 2, stderr: 'a word\n' });
});

test('one that ends without reading its input still answers', async () => {
  const { runner } = runnerOf('process.exit(1)');
  const answer = await runner.ask(['config', '-'], { input: 'x'.repeat(1e6) });
  expect(answer.code).toBe(1);
});

test('a leader has a process group of its own and writes into its log', async () => {
  const { folder, runner } = runnerOf(`console.log('out'); console.error('err');
    if (process.argv[2] !== 'run') process.exitCode = 9;
    setTimeout(() => {}, 500);`);
  const log = path.join(folder, 'a.log');
  const child = runner.lead(['run', 'c.masksub.json'], { cwd: folder, log });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const group = execFileSync('ps', ['-o', 'pgid=', '-p', String(child.pid)], { encoding: 'utf8' });
  expect(Number(group)).toBe(child.pid);
  expect(await ended).toBe(0);
  expect(fs.readFileSync(log, 'utf8')).toBe('out\nerr\n');
});

describe('what is said of a failure', () => {
  for (const [title, output, said] of [
    [
      'the errors, each once',
      'epoch 1\nError: The disk is full.\nError: The disk is full.\n  at x',
      'The disk is full.',
    ],
    ['else the last lines', 'a\nb\n\nc\nd\n', 'b c d'],
    ['nothing of nothing', '', ''],
  ] as const) {
    test(title, () => {
      expect(spokenError(output)).toBe(said);
    });
  }
});
