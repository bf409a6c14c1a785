/** A run goes on as another one, or is made again, from its folder alone. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunEventOf } from '../../src/core/events.ts';
import { readRun } from '../../src/store/runReader.ts';
import { cli } from '../support/cli.ts';
import { type Experiment, eventsOf, makeExperiment, runArguments, runFolder } from './experiment.ts';

let experiment: Experiment;
let parent: string;
beforeAll(async () => {
  experiment = makeExperiment(fs.mkdtempSync(path.join(os.tmpdir(), 'masksub-fork-')));
  await cli(
    runArguments(experiment, '--set', 'train.epochs=3', '--set', 'run.checkpointEvery=1', '--set', 'run.logEvery=1'),
  );
  parent = runFolder(experiment, 'masksub');
});

afterAll(() => fs.rmSync(experiment.folder, { recursive: true, force: true }));

const stepsOf = (folder: string) => eventsOf(folder).filter((event) => event.type === 'step');
const numbers = ({ step, epoch, loss, grad }: RunEventOf<'step'>) => ({ step, epoch, loss, grad });
const fork = (...rest: string[]) => cli(['fork', parent, '--id', 'f', ...rest]);

describe('a fork', () => {
  test('with nothing changed comes to the very numbers of its run', async () => {
    const { code, stderr } = await cli(['fork', parent, '--at', '8', '--id', 'same']);
    expect(code, stderr).toBe(0);
    const folder = path.join(experiment.out, 'same-s0-masksub');
    const [start] = eventsOf(folder);
    expect(start).toMatchObject({ type: 'start', attempt: 0, fromStep: 8, forkOf: { run: 'x-s0-masksub', step: 8 } });
    const later = stepsOf(parent).filter(({ step }) => step > 8);
    expect(stepsOf(folder).map(numbers)).toEqual(later.map(numbers));
    expect(readRun(folder).summary?.final).toEqual(readRun(parent).summary?.final);
  });

  test('with another mask ratio goes on from the same weights, and leaves its run as it is', async () => {
    const before = fs.readFileSync(path.join(parent, 'events.jsonl'), 'utf8');
    const { code, stderr } = await fork('--at', '16', '--set', 'method.maskRatio=0.75');
    expect(code, stderr).toBe(0);
    const folder = path.join(experiment.out, 'f-s0-masksub');
    const mine = stepsOf(folder)[0];
    const its = stepsOf(parent).find(({ step }) => step === mine?.step);
    // The main branch sees the same batch with the same weights; the sub-branch sees less.
    expect(mine?.step).toBe(17);
    expect(mine?.loss.main).toBe(its?.loss.main);
    expect(mine?.loss.sub).not.toBe(its?.loss.sub);
    expect(readRun(folder).state.start?.name).toBe('tiny, fork at step 16');
    expect(JSON.parse(fs.readFileSync(path.join(folder, 'config.json'), 'utf8'))).toMatchObject({
      method: { maskRatio: 0.75 },
      forkOf: { run: 'x-s0-masksub', step: 16 },
    });
    expect(fs.readFileSync(path.join(parent, 'events.jsonl'), 'utf8')).toBe(before);
  });

  for (const [what, rest, words] of [
    ['a step without a checkpoint', ['--at', '5'], 'There are checkpoints of the steps 8, 16, 24'],
    ['another number of steps an epoch', ['--at', '8', '--set', 'train.batchSize=16'], 'another place in the data'],
    ['a step that is the last', ['--at', '24'], 'nothing left to train'],
    ['another model', ['--at', '8', '--set', 'model.width=32'], 'has no tensor'],
    ['a key that is none', ['--at', '8', '--set', 'method.maskRation=0.7'], 'maskRatio'],
  ] as const) {
    test(`of ${what} is refused and leaves no folder`, async () => {
      const { code, stderr } = await cli(['fork', parent, '--id', 'none', ...rest]);
      expect(code).toBe(2);
      expect(stderr).toContain(words);
      expect(fs.existsSync(path.join(experiment.out, 'none-s0-masksub'))).toBe(false);
    });
  }
});

describe('a run that is made again', () => {
  test('comes out the same to the bit', async () => {
    const { code, stdout, stderr } = await cli(['reproduce', parent, '--id', 'again']);
    expect(code, stderr).toBe(0);
    expect(stdout).toContain('Bit-identical: all');
    expect(readRun(path.join(experiment.out, 'again-s0-masksub')).state.state).toBe('finished');
  });

  test('where it does not, it is said by how much and why', async () => {
    const folder = path.join(experiment.out, 'y-s0-masksub');
    fs.cpSync(parent, folder, { recursive: true });
    const edit = (file: string, change: (text: string) => string) => {
      const text = fs.readFileSync(path.join(folder, file), 'utf8');
      fs.writeFileSync(path.join(folder, file), change(text));
    };
    edit('config.json', (text) => text.replace(/"node": "[^"]+"/, '"node": "1.2.3"'));
    edit('events.jsonl', (text) =>
      text
        .split('\n')
        .map((line) => (/"step":2,/.test(line) ? line.replace(/"main":[\d.]+/, '"main":1.5') : line))
        .join('\n'),
    );
    const { stdout } = await cli(['reproduce', folder, '--id', 'other', '--json']);
    const last = JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
    expect(last).toMatchObject({ type: 'reproduction', first: { name: 'loss.main', step: 2 } });
    expect(last.compared - last.equal).toBe(1);
    expect(last.reasons).toEqual([['node', '1.2.3', process.versions.node]]);
    expect(last.text).toContain('Not bit-identical: 1 of');
  });

  test('that is none is refused', async () => {
    const { code, stderr } = await cli(['reproduce', 'nothing', '--out', experiment.out]);
    expect(code).toBe(2);
    expect(stderr).toContain('There is no run "nothing"');
  });
});
