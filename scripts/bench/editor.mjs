/**
 * `npm run bench:editor [-- --json] [--quick]`: what a person waits for in the editor: activation, the first point of a chart
 * after the command, and the way of a step event to the screen. A real VS Code with the packaged extension, through Chromium.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';
import { build } from '../build.mjs';
import { installExtension, startEditorServer, writeSettings } from '../editor/server.mjs';
import { packageExtension } from '../package.mjs';
import { findBrowser, setUpBrowser } from '../setup/browser.mjs';
import { setUpEditor } from '../setup/editor.mjs';
import { execute, fail, root } from '../setup/step.mjs';
import { machine, median } from './measure.mjs';
import { print } from './print.mjs';

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

/** Browser and packaged extension; what set-up says goes to standard error where the rows go to a program. */
async function setUp(json) {
  const { log } = console;
  if (json) console.log = console.error;
  await setUpBrowser();
  await setUpEditor();
  await build();
  const extension = await packageExtension();
  console.log = log;
  return [findBrowser(), extension];
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

/** Runs a command by its title and returns when it was chosen. The list does not refresh by itself, so it is opened anew. */
async function palette(page, title) {
  const row = page.locator('.quick-input-widget .monaco-list-row').filter({ hasText: title }).first();
  for (let attempt = 0; attempt < 10; attempt++) {
    await page.keyboard.press('F1');
    const input = page.locator('.quick-input-widget .quick-input-box input');
    try {
      // While the window is being set up, something else may take the focus, and the list closes again.
      await input.waitFor({ timeout: 3000 });
      await input.fill(`>${title}`, { timeout: 3000 });
      await row.waitFor({ timeout: 3000 });
    } catch {
      await page.keyboard.press('Escape');
      continue;
    }
    const began = performance.now();
    await row.click();
    return began;
  }
  throw new Error(`The palette does not offer "${title}".`);
}

/** From the time at which a step event was made to the frame after the one that shows it. */
function latenciesOf(runs, log) {
  const made = new Map();
  for (const run of runFolders(runs)) {
    const events = fs
      .readFileSync(path.join(run, 'events.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const start = events.find(({ type }) => type === 'start');
    const zero = Date.parse(start.at) - start.t * 1000;
    for (const { type, step, t } of events) {
      if (type === 'step') made.set(`${path.basename(run)} ${step}`, zero + t * 1000);
    }
  }
  const painted = [...log.matchAll(/Step (\d+) of (\S+) painted at (\d+)/g)];
  return painted.flatMap(([, step, run, at]) => {
    const time = made.get(`${run} ${step}`);
    return time === undefined ? [] : [Number(at) - time];
  });
}

function runFolders(runs) {
  return fs
    .readdirSync(runs)
    .map((name) => path.join(runs, name))
    .filter((run) => fs.existsSync(path.join(run, 'events.jsonl')));
}

/** The extension's log, wherever the editor keeps it. */
function logOf(folder) {
  const names = /** @type {string[]} */ (fs.readdirSync(folder, { recursive: true }));
  const files = names.filter((name) => path.basename(name) === 'MaskSub.log');
  return files.map((name) => fs.readFileSync(path.join(folder, name), 'utf8')).join('');
}

async function until(look) {
  const deadline = Date.now() + 60_000;
  while (!(await look())) {
    if (Date.now() > deadline) throw new Error(`Waited in vain for ${look}.`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
