/** A run folder is told whole, cut off, under way or gone; its page shows texts as texts. */
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { RunEvent } from '../../src/core/events.ts';
import { FactsOfRuns } from '../../src/extension/runFacts.ts';
import { readOutline } from '../../src/extension/runOutline.ts';
import { messageHtml, summaryHtml } from '../../src/extension/summaryHtml.ts';
import { epochEvent, startEvent, stepEvent } from '../core/examples.ts';
import { temporaryFolder } from '../store/temporaryFolder.ts';
import { summaryOf, writeRunFolder } from './runFolders.ts';

const end = (state: 'finished' | 'failed', message: string): RunEvent => ({
  ...{ v: 1, run: 'a', attempt: 0, t: 60 },
  type: 'end',
  state,
  message,
});
const events = [startEvent(), stepEvent(1), stepEvent(30), epochEvent(3, { top1: 0.6 })];

describe('an outline', () => {
  test('holds of the steps the newest only, and all else', async () => {
    const folder = writeRunFolder(temporaryFolder(), 'a', { events: [...events, end('finished', 'Done.')] });
    const { state } = await readOutline(folder);
    expect(state).toMatchObject({ state: 'finished', end: { message: 'Done.' }, t: 60 });
    expect(state.epochs).toHaveLength(1);
  });

  test('of a run without an end and without a process is that of a lost one', async () => {
    const folder = writeRunFolder(temporaryFolder(), 'a', { events });
    fs.appendFileSync(path.join(folder, 'events.jsonl'), '{"v":1,"type":"epo');
    expect((await readOutline(folder)).state.state).toBe('lost');
  });

  test('is refused where the folder is gone', async () => {
    await expect(readOutline(path.join(temporaryFolder(), 'gone'))).rejects.toThrow('was deleted');
  });
});

describe('the run list', () => {
  const facts = (folder: string) => new FactsOfRuns().of({ folder, state: 'finished' });

  test('takes the result from the summary, else from the log', () => {
    const out = temporaryFolder();
    expect(facts(writeRunFolder(out, 'a', { events, summary: summaryOf(0.8) }))).toMatchObject({ top1: 0.8 });
    expect(facts(writeRunFolder(out, 'b', { events }))).toMatchObject({ top1: 0.6 });
    expect(facts(writeRunFolder(out, 'c', {}))).toEqual({ hasCheckpoint: false });
  });

  test('offers a fork where there are weights', () => {
    const folder = writeRunFolder(temporaryFolder(), 'a', { checkpoints: ['step-000000400.safetensors'] });
    expect(facts(folder).hasCheckpoint).toBe(true);
  });
});

describe('the summary page', () => {
  const pageOf = async (content: Parameters<typeof writeRunFolder>[2]) =>
    summaryHtml(await readOutline(writeRunFolder(temporaryFolder(), 'a', content)));

  test('of a finished run: result, cost, config and hashes', async () => {
    const html = await pageOf({
      events: [...events, end('finished', 'Done.')],
      summary: summaryOf(0.8),
      config: { method: { maskRatio: 0.5 } },
    });
    for (const said of ['Finished', '80.0', '2.00·10¹²', 'sha256:b', 'maskRatio', 'command:masksub.openDashboard']) {
      expect(html).toContain(said);
    }
  });

  test('of a failed run: why', async () => {
    const html = await pageOf({ events: [...events, end('failed', 'The disk is full.')] });
    expect(html).toContain('The disk is full.');
    expect(html).toContain('(epoch 3)');
  });

  test('of a lost run: that nobody knows', async () => {
    expect(await pageOf({ events })).toContain('Its process is gone');
  });

  test('shows a hostile name, config and warning as text, and runs nothing', async () => {
    const hostile = '"><script>alert(1)</script><img src=x onerror=alert(1)>';
    const warning: RunEvent = { v: 1, run: 'a', attempt: 0, t: 1, type: 'warning', message: hostile };
    const html = await pageOf({
      events: [startEvent({ name: hostile, method: hostile, dataset: hostile }), warning],
      config: { name: hostile, [hostile]: 1 },
    });
    expect(html).not.toMatch(/<script|<img|onerror=a[^&]*>/);
    expect(html).toContain('&lt;script&gt;');
    expect(html).toContain("default-src 'none'");
  });

  test('of a folder that is gone says so', () => {
    expect(messageHtml('This run folder was deleted', '<b>')).toContain('&lt;b&gt;');
  });
});
