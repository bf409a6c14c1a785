/** A run under way: it outlives its window, is found again, and the Stop button ends all of it. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { configText } from './configs.ts';
import { Dashboard } from './dashboard.ts';
import { Editor, pictureOnFailure } from './editor.ts';
import { findRuns, groupOf, living, processesOf, until } from './runs.ts';

let editor: Editor;
beforeAll(async () => {
  editor = await Editor.open({ files: { 'long.masksub.json': configText(2000) }, open: 'long.masksub.json' });
  await editor.palette('MaskSub: Start MaskSub run');
});
pictureOnFailure(() => editor);
afterAll(() => editor?.close());

test('a page loaded anew by the browser, which gives VS Code no time to keep its panel, shows the run again', async () => {
  await (await Dashboard.of(editor)).hasPoints('loss', 1);
  await editor.page.reload();
  await editor.ready();
  const after = await Dashboard.of(editor);
  await after.hasPoints('loss', 10);
  expect(findRuns(editor.workspace)).toHaveLength(2);
});

test('a window reload leaves the runner alone and brings the curves back', async () => {
  const before = await Dashboard.of(editor);
  await before.hasPoints('loss', 10);
  const points = await before.points('loss');
  const processes = processesOf(editor.workspace);
  expect(processes.length).toBeGreaterThanOrEqual(3); // the leader and a trainer for each run
  await editor.picture('running');

  await editor.reload();
  const after = await Dashboard.of(editor);
  await after.hasPoints('loss', points + 1);
  await until('drawn lines', async () => (await after.colouredPixels('loss')) > 100);
  expect(living(processes)).toEqual(processes);
  expect(findRuns(editor.workspace)).toHaveLength(2); // found again, not started again
  await editor.picture('reloaded');
});

test('Stop in the dashboard ends both runs and leaves no process', async () => {
  const dashboard = await Dashboard.of(editor);
  const processes = processesOf(editor.workspace);
  const leader = findRuns(editor.workspace)[0]?.lock?.leader;
  if (leader === undefined) throw new Error('the run has no lock');
  expect(groupOf(leader).length).toBeGreaterThan(0);

  await dashboard.stop.click();
  await until('the end of every process', () => living(processes).length === 0, 10);
  await until('an empty process group', () => groupOf(leader).length === 0, 5);
  for (const { events, lock, id } of findRuns(editor.workspace)) {
    expect(events.at(-1), id).toMatchObject({ type: 'end', state: 'stopped' });
    expect(events.filter(({ type }) => type === 'checkpoint').length, id).toBeGreaterThan(0);
    expect(lock, id).toBeUndefined();
  }
  await until('"stopped" in the header', async () => /stopped/i.test((await dashboard.status.textContent()) ?? ''));
  await editor.picture('stopped');
});
