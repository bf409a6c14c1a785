/** Run folders that are damaged, strange or made to do harm: shown as what they are, and no other run suffers. */
import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { stepEvent } from '../core/examples.ts';
import { Dashboard } from './dashboard.ts';
import { Editor, pictureOnFailure } from './editor.ts';
import { until } from './runs.ts';
import { endLine, linesOf, writeFolder } from './writtenRuns.ts';

const hostile = `<script>window.hacked = 1</script><img src=x onerror="window.hacked = 1">../../${'x'.repeat(10_000)}`;

/** Runs that are fine, and between them what is not. */
function writeFolders(workspace: string): void {
  const write = (id: string, lines: readonly (object | string)[], config?: object) =>
    writeFolder(workspace, id, lines, config);
  const [run, end] = [linesOf, endLine];
  write('fine-s0-masksub', [...run('fine-s0-masksub', { at: '2026-01-09T00:00:00Z' }), end]);
  write('name-s0-masksub', [...run('name-s0-masksub', { name: hostile }), end], { name: hostile, [hostile]: hostile });
  const cut = run('cut-s0-masksub');
  write('cut-s0-masksub', [...cut, JSON.stringify(stepEvent(40)).slice(0, 50)]);
  write('newer-s0-masksub', [
    ...run('newer-s0-masksub'),
    { ...stepEvent(40), v: 2, run: 'newer-s0-masksub' },
    { ...end, type: 'verdict' },
    end,
  ]);
  write('copy of fine', [...run('fine-s0-masksub'), end]);
  const changed = { ...stepEvent(40), run: 'type-s0-masksub', loss: { total: 'two', main: { a: 1 }, sub: 1 } };
  const broken = { ...stepEvent(50), run: 'type-s0-masksub', loss: { total: 'NaN', main: 'NaN', sub: 'Infinity' } };
  write('type-s0-masksub', [...run('type-s0-masksub'), changed, broken, end]);
  write('gone-s0-masksub', [...run('gone-s0-masksub'), end]);
  write('nothing-s0-masksub', ['\0\0\0\0 no JSON at all\n'], { name: 'nothing' });
}

let editor: Editor;
let dashboard: Dashboard;
beforeAll(async () => {
  editor = await Editor.open({ prepare: writeFolders });
  await editor.page.setViewportSize({ width: 1600, height: 1000 });
  await editor.palette('MaskSub: Open dashboard');
  dashboard = await Dashboard.of(editor);
});
pictureOnFailure(() => editor);
afterAll(() => editor?.close());

const isHacked = () => dashboard.frame.locator('#dashboard').evaluate(() => 'hacked' in window);

test('the run that is fine is drawn', async () => {
  await dashboard.hasPoints('loss', 6);
  expect(await dashboard.status.textContent()).toContain('fine-s0-masksub');
});

test('the table lists all of them, their names as text', async () => {
  await dashboard.frame.locator('#tab-runs').click();
  const table = dashboard.frame.locator('#page-runs');
  for (const name of ['fine-s0-masksub', '<script>', 'cut-s0-masksub', 'newer-s0-masksub', 'type-s0-masksub']) {
    await until(name, async () => (await table.textContent())?.includes(name));
  }
  expect(await table.locator('script, img').count()).toBe(0);
  expect(await isHacked()).toBe(false);
  const width = await dashboard.frame.locator('body').evaluate((body) => body.scrollWidth - body.clientWidth);
  expect(width).toBeLessThanOrEqual(0); // a name of 10 kB leaves the layout as it is
  await editor.picture('hostile-table');
});

for (const [run, what, points, words] of [
  ['cut-s0-masksub', 'a log that was cut in the middle of a line', 6, /Lost/],
  ['newer-s0-masksub', 'a run that a newer version wrote', 6, /newer version/],
  ['type-s0-masksub', 'a metric that changes its type, and is not finite', 7, /Finished/],
  ['name-s0-masksub', 'a name that is markup', 6, /<script>/],
  ['copy of fine', 'a copy of another run', 6, /Finished/],
] as const) {
  test(`${what} is shown as what it is`, async () => {
    await editor.page.keyboard.press('Escape');
    await show(run);
    await dashboard.frame.locator('#tab-charts').click();
    await dashboard.hasPoints('loss', points);
    await until(`${words}`, async () => words.test((await dashboard.frame.locator('main').textContent()) ?? ''));
    expect(await isHacked()).toBe(false);
    await editor.picture(`hostile-${run.replaceAll(' ', '-')}`);
  });
}

test('a folder that is deleted while it is shown keeps its curves and says that it is gone', async () => {
  await show('gone-s0-masksub');
  await dashboard.frame.locator('#tab-charts').click();
  await dashboard.hasPoints('loss', 6);
  fs.rmSync(path.join(editor.workspace, '.masksub', 'runs', 'gone-s0-masksub'), { recursive: true });
  await until('that it is gone', async () =>
    /folder .*is gone/.test((await dashboard.frame.locator('main').textContent()) ?? ''),
  );
  expect(await dashboard.points('loss')).toBeGreaterThanOrEqual(6);
  await editor.picture('hostile-gone');
});

/** Shows one run alone, as a person does in the table: this one on, all others off. */
async function show(id: string): Promise<void> {
  await dashboard.frame.locator('#tab-runs').click();
  const box = (run: string) => dashboard.frame.locator(`#page-runs [data-run="${run}"] .rows-shown`);
  const turn = async (run: string, on: boolean) => {
    if ((await box(run).isChecked()) !== on) await box(run).click();
    await until(`${run} ${on ? 'shown' : 'not shown'}`, async () => (await box(run).isChecked()) === on);
  };
  await turn(id, true);
  const shown = await dashboard.frame
    .locator('#page-runs [data-run]:has(.rows-shown:checked)')
    .evaluateAll((rows) => rows.map((row) => row.getAttribute('data-run') ?? ''));
  for (const run of shown) if (run !== id) await turn(run, false);
}
