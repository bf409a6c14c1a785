/** `masksub list` and `masksub compare` on run folders as runs leave them. */
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { encodeEvent } from '../../src/core/events.ts';
import { runFiles } from '../../src/store/layout.ts';
import { epochEvent, startEvent, stepEvent } from '../core/examples.ts';
import { temporaryFolder } from '../store/temporaryFolder.ts';
import { cli, expectRefusal } from '../support/cli.ts';

/** Top-1 after epochs 1, 2, 3; the method's epochs take twice the time and compute. */
function writeRun(
  folder: string,
  experiment: string,
  seed: number,
  role: 'baseline' | 'method',
  top1: readonly number[],
  ratio = 0.5,
) {
  const method = role === 'method' ? 'masksub' : 'baseline';
  const pair = `${experiment}-s${seed}`;
  const id = `${pair}-${method}`;
  const dear = role === 'method' ? 2 : 1;
  const at = `2026-01-0${experiment.length}T00:00:00.000Z`;
  const events = [
    startEvent({ pair, seed, role, method, name: experiment, epochs: 3, at }),
    ...top1.map((value, i) => ({ ...epochEvent(i + 1, { top1: value, samples: 1000 }), t: 10 * dear * (i + 1) })),
    stepEvent(30, { flops: 3e12 * dear }),
    { v: 1, attempt: 0, t: 60, type: 'end', state: 'finished', message: 'Done.' },
  ];
  fs.mkdirSync(path.join(folder, id));
  const config = {
    name: experiment,
    data: { dataset: 'idx' },
    method: { name: method, maskRatio: ratio },
    train: { seed },
  };
  fs.writeFileSync(path.join(folder, id, runFiles.config), JSON.stringify(config));
  const lines = events.map((event) => encodeEvent({ ...event, run: id }));
  fs.writeFileSync(path.join(folder, id, runFiles.events), `${lines.join('\n')}\n`);
}

function writePair(folder: string, experiment: string, seed: number, difference: number, ratio?: number) {
  writeRun(folder, experiment, seed, 'baseline', [0.5, 0.6, 0.7], ratio);
  writeRun(folder, experiment, seed, 'method', [0.55, 0.7, 0.7 + difference], ratio);
}

function threeSeeds(): string {
  const out = temporaryFolder();
  writePair(out, 'old', 0, 0.01);
  for (const [seed, difference] of [0.02, 0.021, 0.019].entries()) writePair(out, 'newer', seed, difference);
  return out;
}

describe('masksub list', () => {
  test('shows the runs, newest first', async () => {
    const { code, stdout, stderr } = await cli(['list', '--out', threeSeeds()]);
    expect([code, stderr]).toEqual([0, '']);
    const lines = stdout.split('\n');
    expect(lines[0]).toMatch(/^run +state +method +seed +epochs +top-1 +began$/);
    expect(lines[2]).toMatch(/^newer-s0-baseline +finished +Baseline +0 +3.* 70\.0.% +2026-01-0/);
    expect(lines).toHaveLength(2 + 8 + 1);
  });
  test('with --json prints one array, and none is no failure', async () => {
    const { stdout } = await cli(['list', '--json', '--out', threeSeeds()]);
    expect(JSON.parse(stdout)).toHaveLength(8);
    const none = await cli(['list', '--out', path.join(temporaryFolder(), 'none')]);
    expect([none.code, none.stdout]).toEqual([0, expect.stringMatching(/^There are no runs in /)]);
  });
});

describe('masksub compare', () => {
  test('judges the newest experiment, and says what it costs', async () => {
    const { code, stdout, stderr } = await cli(['compare', '--out', threeSeeds()]);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain('newer: MaskSub against its baseline, seeds 0, 1, 2');
    expect(stdout).toContain('Is it real? Yes.');
    expect(stdout).toMatch(/95 % interval of the mean difference: \+1\.75 to \+2\.25 points; .*3 seeds/);
    expect(stdout).toMatch(/\n0 +finished +\+2\.00 \(epoch 3\) +-?[+−]\d/);
    expect(stdout).toMatch(/\n70 % +epoch 3 → epoch 2 \(×1\.50\) +30 s → 40 s \(×0\.750\)/);
    expect(stdout).toMatch(/\nmethod\.name +/);
    expect(stdout).not.toContain('old');
  });
  test('takes runs with the other half of their pair, and experiments', async () => {
    const out = threeSeeds();
    const { stdout } = await cli(['compare', 'old', path.join(out, 'newer-s1-masksub'), '--json', '--out', out]);
    const report = JSON.parse(stdout);
    expect(report.runs.map(({ id }: { id: string }) => id)).toHaveLength(4);
    const [all] = report.comparisons; // of one config, whatever they are called
    expect(all).toMatchObject({ method: 'masksub', experiments: ['old', 'newer'] });
    expect(all.isItReal).toMatchObject({ verdict: 'not yet', test: { n: 2 } });
    expect(all.pairs[0]).toMatchObject({ seed: 0, baseline: 'old-s0-baseline', difference: { epoch: { x: 3 } } });
    expect(all.pairs[0].difference.epoch.y).toBeCloseTo(1);
    // 30 s are 3 epochs of the baseline and 1.5 of the method, which was last validated after 20 s.
    expect(all.pairs[0].difference.time.x).toBe(20);
    expect(all.pairs[0].difference.time.y).toBeCloseTo(-5);
    expect(report.configDifferences['method.name']['old-s0-baseline']).toBe('baseline');
  });
  test('groups by a key of the configs', async () => {
    const out = threeSeeds();
    writePair(out, 'ratio', 0, 0.05, 0.75);
    const { stdout } = await cli(['compare', 'newer', 'ratio', '--by', 'method.maskRatio', '--out', out]);
    expect(stdout).toMatch(/\n0\.5 +MaskSub +3 +72\.0.% +± 0\.10\n/);
    expect(stdout).toMatch(/\n0\.75 +MaskSub +1 +75\.0.% +–\n/);
    const unknown = await cli(['compare', 'newer', 'ratio', '--by', 'method.mask', '--out', out]);
    expectRefusal(unknown, 'No config of these runs has the key "method.mask"', 'method.maskRatio');
  });
  test('one seed is not yet an answer', async () => {
    const { stdout } = await cli(['compare', 'old', '--out', threeSeeds()]);
    expect(stdout).toMatch(/Is it real\? Not yet\.\n +One seed says nothing/);
  });
  test('passes over a damaged run, and says so', async () => {
    const out = threeSeeds();
    fs.writeFileSync(path.join(out, 'newer-s2-masksub', runFiles.events), 'no event\n');
    const { code, stdout, stderr } = await cli(['compare', 'newer', path.join(out, 'newer-s2-masksub'), '--out', out]);
    expect(code).toBe(0);
    expect(stderr).toMatch(/^Passed over: .*newer-s2-masksub/);
    expect(stdout).toContain('seeds 0, 1');
  });
  test('a run without a baseline is no pair', async () => {
    const out = temporaryFolder();
    writeRun(out, 'x', 0, 'method', [0.5]);
    const { code, stdout } = await cli(['compare', '--out', out]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^No pair of a method and its baseline is among this run/);
  });
  test('refuses what is not there', async () => {
    expectRefusal(await cli(['compare', 'newr-s0-masksub', '--out', threeSeeds()]), 'There is no run', 'Did you mean');
    expectRefusal(await cli(['compare', '--out', temporaryFolder()]), 'There are no runs in', '--out');
  });
});
