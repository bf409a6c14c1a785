/** A wrong config is marked where it is wrong, and says what is meant. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { configText } from './configs.ts';
import { Editor, pictureOnFailure } from './editor.ts';
import { findRuns } from './runs.ts';

const text = configText(3).replace('"batchSize"', '"batchSise"');
const line = text.split('\n').findIndex((one) => one.includes('batchSise')) + 1;

let editor: Editor;
beforeAll(async () => {
  editor = await Editor.open({ files: { 'wrong.masksub.json': text }, open: 'wrong.masksub.json' });
});
pictureOnFailure(() => editor);
afterAll(() => editor?.close());

test('a misspelt key has a squiggle, and the Problems panel names line and right spelling', async () => {
  const { page } = editor;
  await page.locator('.squiggly-error, .squiggly-warning').first().waitFor({ timeout: 60_000 });
  await editor.palette('Problems: Focus on Problems View');
  const problem = page.locator('.markers-panel .monaco-list-row').filter({ hasText: 'batchSise' }).first();
  await problem.waitFor();
  const said = ((await problem.textContent()) ?? '').replace(/\s+/g, ' ');
  expect(said).toContain('Did you mean "batchSize"?');
  expect(said).toContain(`[Ln ${line},`);
  await editor.picture('problems');
});

test('a wrong config is not started, and the message says where it is wrong', async () => {
  await editor.palette('MaskSub: Start MaskSub run');
  const said = await editor.notification(/batchSise|wrong\.masksub\.json/);
  expect(said).not.toMatch(/\n\s+at /);
  expect(findRuns(editor.workspace)).toEqual([]);
  await editor.picture('wrong-config');
});
