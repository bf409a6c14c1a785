/** Show data set: what a config's data hold, before anybody trains on them. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { configText } from './configs.ts';
import { Editor, pictureOnFailure } from './editor.ts';
import { until } from './runs.ts';
import { webviewWith } from './webview.ts';

const noData = `${JSON.stringify({
  data: { dataset: 'image-folder', path: 'nowhere' },
  model: { name: 'vit', imageSize: 32, patchSize: 8 },
})}\n`;

let editor: Editor;
beforeAll(async () => {
  const files = { 'mini.masksub.json': configText(1), 'none.masksub.json': noData };
  editor = await Editor.open({ files, open: 'mini.masksub.json' });
});
pictureOnFailure(() => editor);
afterAll(() => editor?.close());

test('shows counts of each class and pictures of its samples', async () => {
  await editor.palette('MaskSub: Show data set');
  const page = await webviewWith(editor, '#data-set', 'the data set');
  const rows = page.locator('#data-classes tbody tr');
  expect(await rows.count()).toBe(10);
  expect(await rows.first().textContent()).toBe('T-shirt/top10010.0 %1,000');
  const pictures = page.locator('#data-samples img');
  expect(await pictures.count()).toBe(80);
  const drawn = await pictures.first().evaluate((image) => (image as HTMLImageElement).naturalWidth);
  expect(drawn).toBeGreaterThan(0);
  expect(await page.locator('dl').textContent()).toContain('28 × 28 px');
  await editor.picture('data-set');
});

test('says what is wrong where the data cannot be read', async () => {
  await editor.pick('none.masksub.json', 'none.masksub.json');
  await editor.palette('MaskSub: Show data set');
  const message = editor.page.locator('.notification-toast').filter({ hasText: 'nowhere' });
  await until('the reason', async () => (await message.count()) > 0, 60);
  await editor.picture('data-set-missing');
});
