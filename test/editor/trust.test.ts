/** A folder that is not trusted runs nothing, and says so. */
import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { configText } from './configs.ts';
import { Editor, pictureOnFailure } from './editor.ts';

let editor: Editor;
beforeAll(async () => {
  const files = { 'short.masksub.json': configText(1) };
  editor = await Editor.open({ files, open: 'short.masksub.json', trust: false });
});
pictureOnFailure(() => editor);
afterAll(() => editor?.close());

test('in a folder without trust, Start says why not and what to do', async () => {
  await editor.palette('MaskSub: Start MaskSub run');
  const said = await editor.notification(/trust/i);
  expect(said).toMatch(/Trust the folder|Manage workspace trust/);
  expect(said).not.toMatch(/\n\s+at /);
  expect(fs.existsSync(path.join(editor.workspace, '.masksub'))).toBe(false);
  await editor.picture('untrusted');
});

test('nothing that would start a run stands above its config or in the palette', async () => {
  const { page } = editor;
  await editor.pick('short.masksub.json', 'short.masksub.json');
  await page.locator('.view-lines').filter({ hasText: 'editor-test' }).first().waitFor();
  expect(await page.locator('.codelens-decoration a').count()).toBe(0);
  await page.keyboard.press('F1');
  await page.locator('.quick-input-widget .quick-input-box input').fill('>MaskSub: ');
  const rows = page.locator('.quick-input-widget .monaco-list-row');
  await rows.filter({ hasText: 'MaskSub: Open dashboard' }).first().waitFor();
  for (const title of ['Reproduce run', 'Fork run', 'Compare config with', 'Show data set']) {
    expect(await rows.filter({ hasText: `MaskSub: ${title}` }).count(), title).toBe(0);
  }
  await page.keyboard.press('Escape');
});
