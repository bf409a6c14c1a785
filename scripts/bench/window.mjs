/** An editor window for benchmarks: its set-up, its palette, what its extension logs, and how long steps take to the screen. */
import fs from 'node:fs';
import path from 'node:path';
import { build } from '../build.mjs';
import { packageExtension } from '../package.mjs';
import { findBrowser, setUpBrowser } from '../setup/browser.mjs';
import { setUpEditor } from '../setup/editor.mjs';

/** Browser and packaged extension; what set-up says goes to standard error where the rows go to a program. */
export async function setUp(json) {
  const { log } = console;
  if (json) console.log = console.error;
  await setUpBrowser();
  await setUpEditor();
  await build();
  const extension = await packageExtension();
  console.log = log;
  return [findBrowser(), extension];
}

/** Runs a command by its title and returns when it was chosen. The list does not refresh by itself, so it is opened anew. */
export async function palette(page, title) {
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
export function latenciesOf(runs, log) {
  const made = new Map();
  for (const run of runFolders(runs)) {
    const id = path.basename(run);
    // The last line of a living run may be half written.
    const events = fs
      .readFileSync(path.join(run, 'events.jsonl'), 'utf8')
      .split('\n')
      .filter((line) => line.endsWith('}'))
      .map((line) => JSON.parse(line));
    const zero = Date.parse(events[0].at) - events[0].t * 1000;
    for (const { type, step, t } of events) if (type === 'step') made.set(`${id} ${step}`, zero + t * 1000);
  }
  return [...log.matchAll(/Step (\d+) of (\S+) painted at (\d+)/g)].flatMap(([, step, run, at]) => {
    const time = made.get(`${run} ${step}`);
    return time === undefined ? [] : [Number(at) - time];
  });
}

export function runFolders(runs) {
  return fs
    .readdirSync(runs)
    .map((name) => path.join(runs, name))
    .filter((run) => fs.existsSync(path.join(run, 'events.jsonl')));
}

/** The extension's log, wherever the editor keeps it. */
export function logOf(folder) {
  const names = /** @type {string[]} */ (fs.readdirSync(folder, { recursive: true }));
  const files = names.filter((name) => path.basename(name) === 'MaskSub.log');
  return files.map((name) => fs.readFileSync(path.join(folder, name), 'utf8')).join('');
}

export async function until(look) {
  const deadline = Date.now() + 60_000;
  while (!(await look())) {
    if (Date.now() > deadline) throw new Error(`Waited in vain for ${look}.`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
