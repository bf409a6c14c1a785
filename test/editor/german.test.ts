/** An editor in German has MaskSub in German: what the manifest says, and what the code says. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { configText } from './configs.ts';
import { openBrowser, openServer, type Server } from './editor.ts';
import { until } from './runs.ts';

let server: Server;
let browser: Browser;
beforeAll(async () => {
  server = await openServer({ files: { 'short.masksub.json': configText(1) } });
  browser = await openBrowser();
});
afterAll(async () => {
  await browser?.close();
  await server?.close();
});

test('commands and texts are German', async () => {
  const page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
  // The editor's own texts would come with a language pack; what extensions are told of the language does not need one.
  await page.addInitScript(() => {
    Object.defineProperty(globalThis, '_VSCODE_NLS_LANGUAGE', { get: () => 'de', set: () => {} });
  });
  await page.goto(`${server.origin}?${new URLSearchParams({ folder: server.workspace })}`);
  await page.locator('.monaco-workbench .part.statusbar .statusbar-item').first().waitFor({ timeout: 60_000 });
  const rows = page.locator('.quick-input-widget .monaco-list-row');
  const type = async (text: string) => {
    await page.keyboard.press('F1');
    await page.locator('.quick-input-widget .quick-input-box input').fill(text);
  };
  await type('short.masksub.json');
  await rows.filter({ hasText: 'short.masksub.json' }).first().click();
  const lenses = page.locator('.codelens-decoration');
  await lenses.filter({ hasText: 'Starten' }).first().waitFor({ timeout: 30_000 });
  expect(await lenses.first().textContent()).toContain('Vergleichen mit…');
  await type('>MaskSub');
  await until('the German command', async () => (await rows.filter({ hasText: 'MaskSub-Run starten' }).count()) > 0);
  await page.screenshot({ path: 'test-results/editor/german.png' });
});
