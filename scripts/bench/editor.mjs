/**
 * `npm run bench:editor [-- --json] [--quick]`: what a person waits for in the editor: activation, the first point of a chart
 * after the command, and the way of a step event to the screen. A real VS Code with the packaged extension, through Chromium.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';
import { installExtension, startEditorServer, writeSettings } from '../editor/server.mjs';
import { execute, fail, root } from '../setup/step.mjs';
import { machine, median } from './measure.mjs';
import { print } from './print.mjs';
import { latenciesOf, logOf, palette, runFolders, setUp, until } from './window.mjs';

const options = /** @type {const} */ ({
  json: { type: 'boolean' },
  quick: { type: 'boolean' },
});
const goals = { activation: 50, firstPoint: 3000, toPixel: 300 };
/** How long a run is watched for step events and their pixels, in seconds. */
const WATCH_SECONDS = 20;
/** Where the editor is to tell when a step was painted, and the extension when it was loaded. */
const payload = JSON.stringify([['logLevel', 'masksub.masksub=trace']]);

await main().catch(fail);

async function main() {
  const { values } = parseArgs({ options });
  const show = print(values.json === true);
  const [executable, extension] = await setUp(values.json === true);
  show({ row: 'machine', ...machine() });
  const sessions = [];
  for (let i = 0; i < (values.quick ? 1 : 5); i++) sessions.push(await session(executable, extension));
  const latencies = sessions.flatMap(({ toPixel }) => toPixel).sort((a, b) => a - b);
  const late = latencies[Math.ceil(0.95 * latencies.length) - 1] ?? Number.NaN;
  const row = (what, goalMs, measured, ms = median(measured)) =>
    show({ row: 'editor', what, ms, goalMs, met: ms <= goalMs, values: measured });
  row(
    'activation of the extension',
    goals.activation,
    sessions.map(({ activation }) => activation),
  );
  row(
    'command to first chart point',
    goals.firstPoint,
    sessions.map(({ firstPoint }) => firstPoint),
  );
  row(
    'step event to pixel, median',
    goals.toPixel,
    sessions.map(({ toPixel }) => median(toPixel)),
  );
  row('step event to pixel, 95 of 100', goals.toPixel, [late]);
  show({ row: 'events', count: latencies.length });
}

/** One editor, from its start to the end of a run that is stopped half-way. Times in milliseconds. */
async function session(executablePath, extension) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'masksub-bench-'));
  const [workspace, data] = [path.join(folder, 'workspace'), path.join(folder, 'data')];
  const cli = path.join(root, 'dist', 'cli.js');
  fs.mkdirSync(workspace);
  fs.writeFileSync(
    path.join(workspace, 'fashion-vit.masksub.json'),
    await execute(process.execPath, [cli, 'new', '--stdout']),
  );
  writeSettings(data);
  await installExtension(data, extension);
  const env = {
    ...process.env,
    HOME: folder,
    MASKSUB_ENGINE: process.env.MASKSUB_ENGINE ?? path.join(root, '.engine'),
  };
  const server = await startEditorServer({ data, workspace, env });
  const browser = await chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
  });
  try {
    const page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
    await page.goto(`${server.origin}?${new URLSearchParams({ folder: workspace, payload })}`);
    await page.locator('.monaco-workbench .part.statusbar .statusbar-item').first().waitFor({ timeout: 60_000 });
    const logs = path.join(data, 'data', 'logs');
    await until(() => fs.existsSync(logs) && logOf(logs).includes('Activated'));
    const activation = await activationOf(page);
    const frame = page.frameLocator('iframe.webview.ready').frameLocator('iframe#active-frame');
    const began = await palette(page, 'MaskSub: Start MaskSub run');
    await frame.locator('#chart-loss[data-points]:not([data-points="0"])').waitFor({ timeout: 60_000 });
    const firstPoint = performance.now() - began;
    await new Promise((resolve) => setTimeout(resolve, WATCH_SECONDS * 1000));
    await frame.locator('#stop').click();
    const runs = path.join(workspace, '.masksub', 'runs');
    await until(() => runFolders(runs).every((run) => !fs.existsSync(path.join(run, 'run.lock'))));
    return { activation, firstPoint, toPixel: latenciesOf(runs, logOf(logs)) };
  } finally {
    await browser.close();
    await server.stop();
    fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** What VS Code itself says of the extension once it is active: loading its code and the call of `activate`. */
async function activationOf(page) {
  await palette(page, 'Developer: Show Running Extensions');
  const row = page.locator('.runtime-extensions-editor .extension').filter({ hasText: 'MaskSub' });
  const time = row.locator('.activation-time');
  await until(async () => /\d/.test((await time.first().textContent()) ?? ''));
  const text = (await time.first().textContent()) ?? '';
  await page.keyboard.press('Escape');
  return Number(/(\d+)\s*ms/.exec(text)?.[1]);
}
