/** From an empty folder to two runs that have learned, by what a person does in the editor. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { configText } from './configs.ts';
import { Dashboard } from './dashboard.ts';
import { Editor, pictureOnFailure } from './editor.ts';
import { findRuns, until } from './runs.ts';

let editor: Editor;
beforeAll(async () => {
  editor = await Editor.open();
});
pictureOnFailure(() => editor);
afterAll(() => editor?.close());

test('New experiment, Start MaskSub run: curves of a real training, side by side', async () => {
  const { page } = editor;
  await editor.palette('MaskSub: New experiment');
  const tab = page.locator('.tab.active').filter({ hasText: '.masksub.json' });
  const question = page.locator('.quick-input-widget');
  await until('the new config in an editor', async () => {
    // Whatever is asked on the way (a template, a name) has an answer that Enter takes.
    if (await question.isVisible()) await page.keyboard.press('Enter');
    return (await tab.count()) > 0;
  });
  await page.locator('.view-lines').filter({ hasText: 'fashion-mnist-mini' }).first().waitFor();
  await editor.picture('new-experiment');
  await editor.typeOver(configText(3));

  await editor.palette('MaskSub: Start MaskSub run');
  const dashboard = await Dashboard.of(editor);
  await dashboard.hasPoints('loss', 10);
  await until('drawn lines', async () => (await dashboard.colouredPixels('loss')) > 100);

  const runs = await until('the start of both runs', () => {
    const found = findRuns(editor.workspace).filter(({ start }) => start);
    return found.length === 2 && found;
  });
  expect(runs.map(({ start }) => start?.role).sort()).toEqual(['baseline', 'method']);
  // The native engine, not what stands in for it.
  expect(runs.map(({ start }) => start?.backend)).toEqual(['tensorflow', 'tensorflow']);
  expect(new Set(runs.map(({ start }) => start?.initHash)).size).toBe(1);
  expect(new Set(runs.map(({ start }) => start?.batchHash)).size).toBe(1);

  await until(
    'the end of both runs',
    () => findRuns(editor.workspace).every(({ events }) => events.at(-1)?.type === 'end'),
    120,
  );
  for (const { events } of findRuns(editor.workspace)) expect(events.at(-1)).toMatchObject({ state: 'finished' });
  await until('both runs in the header', async () => {
    const text = ((await dashboard.status.textContent()) ?? '').toLowerCase();
    return text.includes('baseline') && text.includes('masksub') && text.includes('finished');
  });
  for (const metric of ['loss', 'accuracy', 'grad-norm', 'grad-ratio', 'grad-cosine', 'lr', 'throughput']) {
    expect(await dashboard.points(metric), metric).toBeGreaterThan(0);
    // The learning rate is that of both runs and has the colour of neither.
    if (metric !== 'lr') await until(`lines of ${metric}`, async () => (await dashboard.colouredPixels(metric)) > 20);
  }
  await editor.picture('finished');
});
