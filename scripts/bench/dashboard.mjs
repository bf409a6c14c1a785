/**
 * `npm run bench:dashboard [-- --json] [--quick]`: what the dashboard costs with long runs, in a real VS Code with the packaged
 * extension, through Chromium; and TensorBoard with the same numbers, where Python has it.
 */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import zlib from 'node:zlib';
import { chromium } from 'playwright-core';
import { installExtension, startEditorServer, writeSettings } from '../editor/server.mjs';
import { execute, fail, root } from '../setup/step.mjs';

import { machine, median } from './measure.mjs';
import { print } from './print.mjs';
import { processTree, writeRunFolder } from './runFolders.mjs';
import { latenciesOf, logOf, palette, setUp, until } from './window.mjs';

const options = /** @type {const} */ ({
  json: { type: 'boolean' },
  quick: { type: 'boolean' },
  only: { type: 'string', multiple: true },
});
const goals = { cold: 3000, warm: 400, script: 0.2, toPixel: 350, frames: 30, table: 500, host: 100, bundle: 350 };
const browserArguments = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'];

await main().catch(fail);

async function main() {
  const { values } = parseArgs({ options });
  const show = print(values.json === true);
  const isWanted = (part) => !values.only || values.only.includes(part);
  const [executable, extension] = await setUp(values.json === true);
  show({ row: 'machine', ...machine() });
  const steps = values.quick ? 100_000 : 1_000_000;
  const repeats = values.quick ? 1 : 3;
  const row = (what, measured, goal, unit, value = median(measured)) =>
    show({
      row: 'dashboard',
      what,
      value,
      unit,
      goal,
      met: unit === 'frames/s' ? value >= goal : value <= goal,
      values: measured,
    });
  if (isWanted('bundle')) row('panel bundle, gzip', [bundleSize()], goals.bundle, 'kB');
  if (isWanted('long')) await longRun(executable, extension, steps, repeats, row);
  if (isWanted('live')) await live(executable, extension, row);
  if (isWanted('table')) await table(executable, extension, repeats, row);
  if (isWanted('memory')) await hostMemory(executable, extension, row);
}

/** A finished run of many steps: opened without and with its pyramid, then zoomed; and the same numbers in TensorBoard. */
async function longRun(executable, extension, steps, repeats, row) {
  /** @type {number[][]} */
  const [cold = [], warm = [], frames = []] = [[], [], []];
  const name = `${steps.toLocaleString('en')} steps`;
  await withEditor(executable, extension, async ({ runs, open }) => {
    const folder = writeRunFolder(runs, 'long-s0-masksub', { steps });
    for (let i = 0; i < repeats; i++) {
      fs.rmSync(path.join(folder, 'metrics'), { recursive: true, force: true });
      cold.push(await open(({ drawn }) => drawn));
      warm.push(
        await open(async ({ drawn, frame, page }) => {
          frames.push(await zooming(page, frame));
          return drawn;
        }),
      );
    }
    // The newest is the one that a dashboard opens with.
    writeRunFolder(runs, 'small-s0-masksub', { steps: 100 });
    const [panel, inPanel] = await shownInPanel(open, steps, repeats);
    row(`open ${name}, no pyramid, with the panel`, cold, goals.cold, 'ms');
    row(`open ${name}, pyramid, with the panel`, warm, Number.POSITIVE_INFINITY, 'ms');
    row('open 100 steps, with the panel', panel, Number.POSITIVE_INFINITY, 'ms');
    row(`open ${name}, pyramid, in an open panel`, inPanel, goals.warm, 'ms');
    row(`zoom and pan at ${name}`, frames, goals.frames, 'frames/s');
    await tensorboard(executable, folder, steps, name, row);
  });
}

/** From the command to a short run, which is mostly the panel; and then from a click in the run list to the long one. */
async function shownInPanel(open, steps, repeats) {
  /** @type {number[][]} */
  const [panel = [], inPanel = []] = [[], []];
  for (let i = 0; i < repeats; i++) {
    await open(async ({ page, frame, drawn }) => {
      panel.push(drawn);
      await page.locator('.activitybar .action-label[aria-label="MaskSub"]').first().click();
      const line = page.locator('.pane-body .monaco-list-row').filter({ hasText: 'long' }).first();
      await line.waitFor();
      const began = performance.now();
      await line.click();
      await whenDrawn(frame, steps);
      inPanel.push(performance.now() - began);
    });
  }
  return [panel, inPanel];
}

/** Two living runs that say 50 step events a second each. */
async function live(executable, extension, row) {
  await withEditor(executable, extension, async ({ runs, open, log }) => {
    const writers = ['baseline', 'masksub'].map((method) =>
      spawn(process.execPath, [path.join(root, 'scripts/bench/runFolders.mjs'), runs, method, '50'], {
        stdio: 'inherit',
      }),
    );
    try {
      await until(() => fs.existsSync(path.join(runs, 'live-s0-masksub', 'events.jsonl')));
      await open(async ({ frame, page }) => {
        await new Promise((resolve) => setTimeout(resolve, 5000)); // the window has settled
        const script = await scriptShare(page, frame, 20_000);
        row('script of the page, 2 runs at 50 events/s', [script], goals.script, 'of a core');
        const latencies = latenciesOf(runs, log()).sort((a, b) => a - b);
        row('event to pixel, median', latencies.slice(0, 5), goals.toPixel, 'ms', median(latencies));
        row(
          'event to pixel, 95 of 100',
          latencies.slice(-5),
          goals.toPixel,
          'ms',
          latencies[Math.floor(0.95 * latencies.length)],
        );
      });
    } finally {
      for (const writer of writers) writer.kill();
    }
  });
}

/** The run table of 500 runs. */
async function table(executable, extension, repeats, row) {
  await withEditor(executable, extension, async ({ runs, open }) => {
    for (let i = 0; i < 250; i++) {
      for (const method of ['baseline', 'masksub']) {
        writeRunFolder(runs, `run${i}-s0-${method}`, { steps: 20, learningRate: 0.001 * (i + 1) });
      }
    }
    const times = [];
    for (let i = 0; i < repeats; i++) {
      await open(async ({ frame, page }) => {
        const began = performance.now();
        await frame.locator('#tab-runs').click();
        await frame.locator('#page-runs tr').nth(10).waitFor();
        const opened = performance.now() - began;
        const sorting = performance.now();
        await frame.locator('#page-runs th').filter({ hasText: 'Accuracy' }).first().click();
        await twoFrames(frame);
        const sorted = performance.now() - sorting;
        const filtering = performance.now();
        await frame.locator('#page-runs input').first().fill('run12');
        await twoFrames(frame);
        times.push([opened, sorted, performance.now() - filtering]);
        await page.keyboard.press('Escape');
      });
    }
    const column = (i) => times.map((time) => time[i]);
    row('500 runs: open the table', column(0), goals.table, 'ms');
    row('500 runs: sort', column(1), goals.table, 'ms');
    row('500 runs: filter', column(2), goals.table, 'ms');
  });
}

/** The extension host with 20 runs of 100,000 steps, of which 12 are shown, above the one with none. */
async function hostMemory(executable, extension, row) {
  const measure = (count) =>
    withEditor(executable, extension, async ({ runs, open, server }) => {
      for (let i = 0; i < count; i++) {
        writeRunFolder(runs, `a${Math.floor(i / 2)}-s0-${i % 2 ? 'masksub' : 'baseline'}`, { steps: 100_000 });
      }
      const look = async () => {
        await new Promise((resolve) => setTimeout(resolve, 8000));
        return extensionHostBytes(server) / 1e6;
      };
      return count === 0
        ? open(look, true)
        : open(async () => {
            await look();
            return look();
          });
    });
  const empty = await measure(0);
  const full = await measure(20);
  row('extension host, 20 runs of 100,000 steps', [full - empty], goals.host, 'MB');
}

/** Opens an editor on a workspace whose run folders lie in `runs`, for as long as `work` takes. */
async function withEditor(executablePath, extension, work) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'masksub-bench-'));
  const [workspace, data] = [path.join(folder, 'workspace'), path.join(folder, 'data')];
  const runs = path.join(workspace, '.masksub', 'runs');
  fs.mkdirSync(runs, { recursive: true });
  writeSettings(data);
  await installExtension(data, extension);
  const server = await startEditorServer({ data, workspace, env: { ...process.env, HOME: folder } });
  const payload = JSON.stringify([['logLevel', 'masksub.masksub=trace']]);
  const url = `${server.origin}?${new URLSearchParams({ folder: workspace, payload })}`;
  const open = async (look, isEmpty = false) => {
    const browser = await chromium.launch({ executablePath, args: browserArguments });
    try {
      const page = await browser.newPage({ viewport: { width: 1400, height: 1000 } });
      await page.goto(url);
      await page.locator('.monaco-workbench .part.statusbar .statusbar-item').first().waitFor({ timeout: 60_000 });
      await new Promise((resolve) => setTimeout(resolve, 4000)); // what else a window does when it opens
      const began = await palette(page, 'MaskSub: Open dashboard');
      const frame = page.frameLocator('iframe.webview.ready').frameLocator('iframe#active-frame');
      if (!isEmpty) await whenDrawn(frame);
      return await look({ page, frame, drawn: performance.now() - began });
    } finally {
      await browser.close();
    }
  };
  try {
    return await work({ runs, open, server, log: () => logOf(path.join(data, 'data', 'logs')) });
  } finally {
    await server.stop();
    fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Waits until every chart in view says how many points it shows, and that of the loss holds at least so many. */
async function whenDrawn(frame, points = 1) {
  await frame.locator('#chart-loss').waitFor({ timeout: 120_000 });
  await frame.locator('#dashboard').evaluate(`(async () => {
    const isInView = (figure) => {
      const { top, bottom, height } = figure.getBoundingClientRect();
      return height > 0 && bottom > 0 && top < innerHeight;
    };
    for (;;) {
      const figures = [...document.querySelectorAll('#page-charts figure')].filter(isInView);
      const held = Number(document.querySelector('#chart-loss').dataset.points);
      if (held >= ${points} && figures.every((figure) => figure.querySelector('.badge')?.textContent || figure.classList.contains('without-points'))) return;
      await new Promise((resolve) => requestAnimationFrame(resolve));
    }
  })()`);
}

/** Frames a second while a person zooms in and out and pans. */
async function zooming(page, frame) {
  const box = await frame.locator('#chart-loss .u-over').boundingBox();
  const counting = frame.locator('#dashboard').evaluate(`
    new Promise((resolve) => {
      const times = [];
      const tick = (now) => {
        times.push(now);
        if (now - times[0] < 4000) requestAnimationFrame(tick);
        else resolve((1000 * (times.length - 1)) / (now - times[0]));
      };
      requestAnimationFrame(tick);
    })`);
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  const end = performance.now() + 4000;
  for (let i = 0; performance.now() < end; i++) {
    await page.keyboard.down('Control');
    await page.mouse.wheel(0, i % 40 < 20 ? -60 : 60);
    await page.keyboard.up('Control');
    await new Promise((resolve) => setTimeout(resolve, 12));
  }
  return counting;
}

/** Share of a core that the page's scripts take, over so many milliseconds. */
async function scriptShare(page, frame, ms) {
  const handle = await frame.locator('#dashboard').elementHandle();
  const session = await page
    .context()
    .newCDPSession((await handle.ownerFrame()) ?? page)
    .catch(() => page.context().newCDPSession(page));
  await session.send('Performance.enable');
  const scriptSeconds = async () => {
    const { metrics } = await session.send('Performance.getMetrics');
    return metrics.find(({ name }) => name === 'ScriptDuration').value;
  };
  const before = await scriptSeconds();
  await new Promise((resolve) => setTimeout(resolve, ms));
  return (1000 * ((await scriptSeconds()) - before)) / ms;
}

/** TensorBoard on the same scalars: from the request for its page to all visible charts drawn, with the points that it samples. */
async function tensorboard(executablePath, folder, steps, name, row) {
  const python = process.env.MASKSUB_TORCH_PYTHON ?? path.join(root, '.reference', 'bin', 'python');
  const logs = fs.mkdtempSync(path.join(os.tmpdir(), 'masksub-tensorboard-'));
  let server;
  try {
    await execute(process.execPath, [
      path.join(root, 'dist/cli.js'),
      'export',
      folder,
      '--tensorboard',
      '--to',
      path.join(logs, 'run'),
    ]);
    const port = await freePort();
    const started = performance.now();
    server = spawn(
      python,
      ['-m', 'tensorboard.main', '--logdir', logs, '--port', String(port), '--host', '127.0.0.1'],
      {
        stdio: 'ignore',
      },
    );
    await until(async () => {
      const answer = await fetch(`http://127.0.0.1:${port}/`).catch(() => undefined);
      return answer?.ok === true;
    });
    const shown = (what, ms) => row(`TensorBoard, ${name}: ${what}`, [ms], Number.POSITIVE_INFINITY, 'ms');
    // Its page shows what its server has read by then: only with the last step is it comparable.
    await until(async () => (await lastStepOf(port)) === steps);
    shown('server has read all', performance.now() - started);
    const browser = await chromium.launch({ executablePath, args: browserArguments });
    try {
      const page = await browser.newPage({ viewport: { width: 1400, height: 1000 } });
      const began = performance.now();
      await page.goto(`http://127.0.0.1:${port}/?darkMode=true#timeseries`);
      await page.locator('scalar-card line-chart').first().waitFor({ timeout: 180_000 });
      await page.waitForFunction(`document.querySelectorAll('scalar-card line-chart').length > 2`);
      await page.waitForLoadState('networkidle', { timeout: 180_000 });
      shown('page, then, 1,000 points a chart', performance.now() - began);
    } finally {
      await browser.close();
    }
  } catch (error) {
    console.error(`TensorBoard is not measured: ${error.message.split('\n')[0]}`);
  } finally {
    server?.kill();
    fs.rmSync(logs, { recursive: true, force: true });
  }
}

/** The newest step that the server has of some scalar. */
async function lastStepOf(port) {
  /** @returns {Promise<any>} */
  const ask = async (question) => (await fetch(`http://127.0.0.1:${port}/data/plugin/scalars/${question}`)).json();
  const [run = ''] = Object.keys(await ask('tags'));
  const [tag] = Object.keys((await ask('tags'))[run] ?? {});
  if (tag === undefined) return undefined;
  const points = await ask(`scalars?${new URLSearchParams({ run, tag })}`);
  return points.at(-1)?.[1];
}

function bundleSize() {
  const files = ['webview.js', 'webview.css'].map((name) => fs.readFileSync(path.join(root, 'dist', name)));
  return files.reduce((sum, file) => sum + zlib.gzipSync(file, { level: 9 }).length, 0) / 1000;
}

/** Resident memory of the extension host, which the editor starts as `--type=extensionHost`. */
function extensionHostBytes({ pid }) {
  const host = processTree(pid).find(({ command }) => command.includes('--type=extensionHost'));
  return host ? host.residentBytes : Number.NaN;
}

function twoFrames(frame) {
  const wait = 'new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))';
  return frame.locator('#dashboard').evaluate(wait);
}

function freePort() {
  return new Promise((resolve) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = /** @type {net.AddressInfo} */ (server.address());
      server.close(() => resolve(port));
    });
  });
}
