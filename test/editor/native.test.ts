/** MaskSub in the editor's own places: above a config, in the run list, as a page of a run, in the walkthrough; light and dark. */
import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { epochEvent, startEvent, stepEvent } from '../core/examples.ts';
import { summaryOf, writeRunFolder } from '../extension/runFolders.ts';
import { configText } from './configs.ts';
import { Dashboard } from './dashboard.ts';
import { Editor, pictureOnFailure } from './editor.ts';
import { findRuns, until } from './runs.ts';
import { webviewWith } from './webview.ts';

const experiment = '20260131-120000-fashion-vit';
const hostile = '<img src=x onerror="document.body.id=1">';

let editor: Editor;
beforeAll(async () => {
  editor = await Editor.open({ files: { 'short.masksub.json': configText(1) }, open: 'short.masksub.json' });
  const out = path.join(editor.workspace, '.masksub', 'runs');
  for (const [method, top1] of [
    ['baseline', 0.8],
    ['masksub', 0.812],
  ] as const) {
    const role = method === 'baseline' ? 'baseline' : 'method';
    const id = `${experiment}-s0-${method}`;
    const start = startEvent({ run: id, pair: `${experiment}-s0`, role, method });
    const warning = { v: 1, run: id, attempt: 0, t: 1, type: 'warning', message: `Skipped ${hostile}` } as const;
    const end = { v: 1, run: id, attempt: 0, t: 60, type: 'end', state: 'finished', message: 'Done.' } as const;
    writeRunFolder(out, id, {
      events: [start, warning, stepEvent(100), epochEvent(10, { top1 }), end],
      config: {
        name: 'fashion-vit',
        data: { dataset: 'fashion-mnist-mini' },
        method: { name: method, maskRatio: 0.5 },
      },
      summary: summaryOf(top1),
      checkpoints: ['step-000000100.safetensors'],
    });
  }
});
pictureOnFailure(() => editor);
afterAll(() => editor?.close());

const row = (text: string | RegExp) =>
  editor.page.locator('.pane-body .monaco-list-row').filter({ hasText: text }).first();

/** Chooses from the context menu of a line. A click so soon after the menu came is taken for its opening. */
async function choose(line: ReturnType<typeof row>, title: string): Promise<void> {
  const menu = editor.page.locator('.context-view .monaco-menu');
  const item = menu.getByText(title);
  await until(`"${title}" chosen`, async () => {
    if ((await menu.count()) === 0) await line.click({ button: 'right' });
    await item.waitFor();
    await editor.page.waitForTimeout(700);
    await item.click();
    await editor.page.waitForTimeout(300);
    return (await menu.count()) === 0;
  });
}

test('the run list tells the difference, and a run of it opens as a page', async () => {
  const { page } = editor;
  await editor.palette('MaskSub: Focus on Runs View');
  await row('+1.2 points').waitFor({ timeout: 30_000 });
  await until('its runs', async () => {
    if ((await row('MaskSub, seed 0').count()) > 0) return true;
    await row('fashion-vit').locator('.monaco-tl-twistie').click();
    return false;
  });
  expect(await row('MaskSub, seed 0').textContent()).toMatch(/Finished · 81\.2/);
  await row('MaskSub, seed 0').click({ button: 'right' });
  const menu = page.locator('.context-view .monaco-menu');
  await menu.getByText('Fork run…').waitFor();
  for (const title of ['Open dashboard', 'Reproduce run', 'Compare configs', 'Copy Markdown summary', 'Export…']) {
    expect(await menu.getByText(title).count(), title).toBe(1);
  }
  expect(await menu.getByText('Stop run').count()).toBe(0); // nothing runs
  await choose(row('MaskSub, seed 0'), 'Open run summary');

  const frame = await webviewWith(editor, '#run-summary', 'the page of the run');
  expect(await frame.locator('h1').textContent()).toBe('fashion-vit: MaskSub, seed 0');
  expect(await frame.locator('#run-results').textContent()).toContain('81.2');
  expect(await frame.locator('#run-warnings').textContent()).toContain(hostile);
  expect(await frame.locator('#run-summary img').count()).toBe(0);
  await editor.picture('run-summary');
});

test('a link of the page opens the dashboard', async () => {
  const frame = await webviewWith(editor, '#run-summary', 'the page of the run');
  await frame.getByText('Open dashboard').click();
  await editor.page
    .locator('.tab')
    .filter({ hasText: /^MaskSub$/ })
    .first()
    .waitFor({ timeout: 30_000 });
});

test('the page says that its folder was deleted meanwhile', async () => {
  await editor.page.locator('.tab').filter({ hasText: 'summary.json' }).first().click();
  fs.rmSync(path.join(editor.workspace, '.masksub', 'runs', `${experiment}-s0-masksub`), { recursive: true });
  await webviewWith(editor, '#run-summary h1:has-text("This run folder was deleted")', 'what became of the folder');
});

test('Run above a config starts it', async () => {
  const { page } = editor;
  await editor.pick('short.masksub.json', 'short.masksub.json');
  const lens = page.locator('.codelens-decoration a');
  await lens.filter({ hasText: 'Compare with…' }).first().waitFor({ timeout: 30_000 });
  await editor.picture('code-lens');
  await lens.filter({ hasText: 'Run' }).first().click();
  await until(
    'two runs that have ended',
    () => {
      const begun = findRuns(editor.workspace).filter(({ start }) => start?.name === 'editor-test');
      return begun.length === 2 && begun.every(({ events }) => events.at(-1)?.type === 'end');
    },
    120,
  );
  await editor.pick('short.masksub.json', 'short.masksub.json');
  await lens.filter({ hasText: '2 runs' }).first().waitFor({ timeout: 30_000 });
  await row('editor-test').waitFor();
  await editor.picture('run-list');
});

test('a run is forked from its checkpoint with another mask ratio', async () => {
  const { page } = editor;
  const before = findRuns(editor.workspace).map(({ id }) => id);
  await editor.palette('MaskSub: Fork run…');
  const rows = page.locator('.quick-input-widget .monaco-list-row');
  await rows.filter({ hasText: 'editor-test: MaskSub' }).first().click();
  const keys = page.locator('.quick-input-widget').filter({ hasText: 'at step' });
  await until('the keys, or the checkpoints', async () => {
    // Of several checkpoints the newest is taken.
    if ((await keys.count()) === 0 && (await rows.filter({ hasText: 'Step' }).count()) > 1) await rows.first().click();
    return (await keys.count()) > 0;
  });
  const set = async (key: string, value: string) => {
    await rows.filter({ hasText: key }).first().click();
    await page.locator('.quick-input-widget').filter({ hasText: 'New value' }).waitFor();
    await page.keyboard.press('Control+A');
    await page.keyboard.insertText(value);
    await page.keyboard.press('Enter');
    await rows
      .filter({ hasText: `${key}=${value}` })
      .first()
      .waitFor();
  };
  await set('method.maskRatio', '0.25');
  await page.keyboard.insertText('train.epochs'); // the list is as long as the config
  await set('train.epochs', '2');
  await editor.picture('fork');
  await page.keyboard.press('Enter');
  const fork = await until(
    'the fork, with its end',
    () => findRuns(editor.workspace).find(({ id, events }) => !before.includes(id) && events.at(-1)?.type === 'end'),
    120,
  );
  const config: unknown = JSON.parse(fs.readFileSync(path.join(fork.folder, 'config.json'), 'utf8'));
  expect(config).toMatchObject({ method: { maskRatio: 0.25 }, train: { epochs: 2 } });
  // It is drawn beside the pair that it comes from: a branch of their curves.
  const dashboard = await Dashboard.of(editor);
  await until('three runs', async () => (await dashboard.status.textContent())?.includes('3 runs'));
  await editor.picture('forked');
});

test('Export… writes a report where the dialog says', async () => {
  const { page } = editor;
  await choose(row(/editor-test\s*Finished/), 'Export…'); // not its fork
  await page.locator('.quick-input-widget .monaco-list-row').filter({ hasText: 'HTML report' }).first().click();
  const name = page.locator('.quick-input-widget .quick-input-box input');
  await until('the dialog', async () => (await name.inputValue()).endsWith('editor-test.html'));
  await page.keyboard.press('Enter');
  const said = await editor.notification('Wrote');
  expect(said).toContain('editor-test.html');
  expect(fs.readFileSync(path.join(editor.workspace, 'editor-test.html'), 'utf8')).toContain('editor-test');
});

test('Copy Markdown summary puts a table of the runs on the clipboard', async () => {
  const { page } = editor;
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await choose(row(/editor-test\s*Finished/), 'Copy Markdown summary');
  await page.locator('.statusbar-item').filter({ hasText: 'the summary is on the clipboard' }).waitFor();
  const text = await page.evaluate(() => navigator.clipboard.readText());
  expect(text).toContain('| MaskSub');
});

test('the walkthrough opens from the palette, with four steps', async () => {
  const { page } = editor;
  await editor.palette('Welcome: Open Walkthrough...');
  await page.locator('.quick-input-widget .monaco-list-row').filter({ hasText: 'MaskSub' }).first().click();
  const steps = page.locator('.getting-started-step');
  await until('its steps', async () => (await steps.count()) === 4);
  expect(await steps.locator('h3').allTextContents()).toEqual([
    'Create a config',
    'Start a run',
    'Read the dashboard',
    'Take it away',
  ]);
  await editor.picture('walkthrough');
  await steps.nth(2).click();
  await editor.picture('walkthrough-read');
});
