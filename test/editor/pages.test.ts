/** Every page of the dashboard with a real pair of runs: what it shows, what can be done with it, and for whom. */
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findingsIn } from './accessibility.ts';
import { configText } from './configs.ts';
import { Dashboard } from './dashboard.ts';
import { Editor, pictureOnFailure } from './editor.ts';
import { findRuns, until } from './runs.ts';
import { writeExperiment } from './writtenRuns.ts';

const config = { ...JSON.parse(configText(12)), run: { logEvery: 2, checkpointEvery: 6 } };
const older: string[] = [];

let editor: Editor;
let dashboard: Dashboard;
beforeAll(async () => {
  editor = await Editor.open({
    files: { 'pair.masksub.json': `${JSON.stringify(config, null, 2)}\n` },
    prepare: (workspace) => older.push(...writeExperiment(workspace, 'older', [0, 1])),
    open: 'pair.masksub.json',
  });
  await editor.page.setViewportSize({ width: 1700, height: 1150 });
  await editor.palette('MaskSub: Start MaskSub run');
  dashboard = await Dashboard.of(editor);
  await until(
    'the end of both runs',
    () => {
      const runs = trained();
      return runs.length === 2 && runs.every(({ events }) => events.at(-1)?.type === 'end');
    },
    90,
  );
  await until('both ends on the page', async () => (await dashboard.frame.locator('.run.finished').count()) === 2);
});
pictureOnFailure(() => editor);
afterAll(() => editor?.close());

const trained = () => findRuns(editor.workspace).filter(({ id }) => !older.includes(id));
const page = (id: string) => dashboard.frame.locator(`#page-${id}`);
const open = (id: string) => dashboard.frame.locator(`#tab-${id}`).click();
const textOf = async (id: string) => (await page(id).textContent()) ?? '';

describe('charts', () => {
  const lines = ['loss', 'accuracy', 'train-accuracy', 'grad-norm', 'grad-ratio', 'grad-cosine'];
  for (const chart of [...lines, 'lr', 'throughput', 'data-wait', 'memory']) {
    test(`${chart} holds points and draws them`, async () => {
      const figure = dashboard.frame.locator(`#chart-${chart}`);
      await figure.scrollIntoViewIfNeeded();
      await dashboard.hasPoints(chart, 5);
      await until(`${chart} drawn`, async () => /point/.test((await figure.locator('.badge').textContent()) ?? ''));
      if (chart !== 'lr') await until('lines', async () => (await dashboard.colouredPixels(chart)) > 20);
    });
  }

  test('layers holds points and draws them as a heat map', async () => {
    await dashboard.frame.locator('#chart-layers').scrollIntoViewIfNeeded();
    await dashboard.hasPoints('layers', 1);
    await until('its colours', async () => (await dashboard.colouredPixels('layers')) > 100);
    await editor.picture('charts-layers');
  });

  test('the identity of the loss is checked', async () => {
    await until('the check', async () => /½ main \+ ½ sub ✓/.test(await textOf('charts')));
  });

  test('the axis may be compute, zoom is shared and can be undone', async () => {
    const axis = dashboard.frame.locator('.chart-bar select').first();
    await axis.selectOption('flops');
    const plot = dashboard.frame.locator('#chart-loss .plot');
    await plot.focus();
    await until('the whole range', async () => /FLOP/.test((await page('charts').textContent()) ?? ''));
    await editor.page.keyboard.press('+');
    const whole = dashboard.frame.getByRole('button', { name: /whole/i }).first();
    await until('a zoom', () => whole.isEnabled());
    await editor.picture('charts-flops-zoomed');
    await editor.page.keyboard.press('Backspace');
    await until('no zoom', () => whole.isDisabled());
    await axis.selectOption('epoch');
  });

  test('arrow keys walk the points and say them', async () => {
    await dashboard.frame.locator('#chart-loss').scrollIntoViewIfNeeded();
    await until('a spoken value', async () => {
      await dashboard.frame.locator('#chart-loss .plot').focus();
      await editor.page.keyboard.press('Home');
      await editor.page.keyboard.press('ArrowRight');
      await editor.page.waitForTimeout(500); // it is said once the cursor rests
      return /\d/.test((await page('charts').locator('.spoken').textContent()) ?? '');
    });
  });

  test('a chart has a table with its numbers', async () => {
    const button = dashboard.frame.locator('#chart-loss').getByRole('button', { name: /^table/ });
    await button.click();
    const table = dashboard.frame.locator('#chart-loss table');
    await until('rows', async () => (await table.locator('tbody tr').count()) > 3);
    await editor.picture('charts-table');
    await button.click();
    await until('the drawing', async () => (await table.count()) === 0);
  });
});

describe('taken away from a chart', () => {
  for (const [chart, format, begin] of [
    ['loss', 'PNG picture', '\x89PNG'],
    ['accuracy', 'SVG picture', '<svg'],
    ['throughput', 'CSV table', 'run,'],
    ['layers', 'Figure for a paper', '<svg'],
  ] as const) {
    test(`${chart} as ${format}`, async () => {
      const figure = dashboard.frame.locator(`#chart-${chart}`);
      await figure.scrollIntoViewIfNeeded();
      await figure.getByRole('button', { name: /^Export/ }).click();
      const row = editor.page.locator('.quick-input-widget .monaco-list-row');
      await row.filter({ hasText: format }).first().click();
      const name = editor.page.locator('.quick-input-widget .quick-input-box input');
      const file = await until('the name of the file', async () => {
        const value = await name.inputValue();
        return value.includes(chart) && value;
      });
      await editor.page.keyboard.press('Enter');
      await until('the file', () => fs.existsSync(file));
      expect(
        fs
          .readFileSync(file, 'latin1')
          .replace(/^<\?xml[^>]*>\s*/, '')
          .slice(0, begin.length),
      ).toBe(begin);
      await editor.page.keyboard.press('Escape');
    });
  }
});

describe('runs', () => {
  test('the table lists all and keeps what a person notes', async () => {
    await open('runs');
    await until('six rows', async () => (await page('runs').locator('[data-run]').count()) === 6);
    await editor.picture('runs');
    const file = path.join(editor.workspace, '.masksub', 'runs', 'annotations.json');
    const says = (text: string) => () => fs.existsSync(file) && fs.readFileSync(file, 'utf8').includes(text);
    await page('runs').locator('[data-run] button').first().click();
    await until('the star on the disk', says('"star": true'));
    await editor.page.keyboard.press('Enter');
    await page('runs').locator('#rows-notes').fill('a note to keep');
    await page('runs').locator('#rows-notes').press('Enter');
    await until('the note on the disk', says('a note to keep'));
    await editor.page.keyboard.press('Escape');
    await open('charts');
    await open('runs');
    await page('runs').locator('.rows-star[aria-pressed="true"]').waitFor();
  });
});

describe('compare', () => {
  test('one seed is not enough, and it says so', async () => {
    await open('compare');
    await until('a verdict', async () => /not yet/i.test(await textOf('compare')));
    await editor.picture('compare');
  });
});

describe('explain', () => {
  test('shows the recorded images with their masks, predictions and the confusion matrix', async () => {
    await open('explain');
    await until('pictures', async () => (await page('explain').locator('canvas').count()) > 8);
    await until('the confusion matrix', async () => (await page('explain').locator('table').count()) > 0);
    await editor.picture('explain');
    for (const heading of await page('explain').locator('h2').all()) {
      await heading.scrollIntoViewIfNeeded();
      await editor.picture(
        `explain-${((await heading.textContent()) ?? '').toLowerCase().replaceAll(/[^a-z]+/g, '-')}`,
      );
    }
  });
});

describe('many runs', () => {
  const row = (run: string) => page('runs').locator(`[data-run="${run}"]`);
  const cards = () => dashboard.frame.locator('.details .run').count();
  const legend = (entry: RegExp) => dashboard.frame.locator('#chart-accuracy .legend li').filter({ hasText: entry });

  /** Shows these too, or no longer, as a person does in the table. */
  async function tick(runs: readonly string[], on = true): Promise<void> {
    await open('runs');
    for (const run of runs) {
      const box = row(run).locator('.rows-shown');
      await box.waitFor();
      if ((await box.isChecked()) !== on) await box.click();
      await until(`${run} ${on ? 'ticked' : 'unticked'}`, async () => (await box.isChecked()) === on);
    }
  }

  test('of two experiments, chosen in the table, are drawn together, each in its own style', async () => {
    await tick(older);
    await open('charts');
    await until('six cards', async () => (await cards()) === 6);
    // 12 validations of each of the pair, one of each of the others; of many runs without those under masking.
    await until('all their points', async () => (await dashboard.points('accuracy')) === 28);
    expect(await dashboard.status.textContent()).toContain('6 runs');
    expect(await dashboard.status.textContent()).toContain('older');
    const values = () => dashboard.frame.locator('#chart-accuracy .legend b').allTextContents();
    await until('a value of each', async () => {
      const shown = await values();
      return shown.length === 6 && shown.every((value) => /\d/.test(value));
    });
    const samples = await dashboard.frame
      .locator('#chart-accuracy .legend svg')
      .evaluateAll((all) => all.map((one) => one.outerHTML));
    expect(new Set(samples).size).toBe(6);
    await editor.picture('many-runs');
  });

  test('can be compared, each experiment by itself', async () => {
    await open('compare');
    const offered = page('compare').locator('select').first().locator('option');
    await until('both comparisons', async () => {
      const texts = (await offered.allTextContents()).join();
      return texts.includes('editor-test') && texts.includes('older');
    });
    await editor.picture('many-compare');
  });

  test('of several seeds of one experiment are shown one pair at a time, or all', async () => {
    await tick(
      trained().map(({ id }) => id),
      false,
    );
    await open('charts');
    const picker = dashboard.frame.locator('.picker vscode-single-select');
    const pick = async (label: string) => {
      await picker.click();
      await picker.locator('.option').filter({ hasText: label }).click();
    };
    const offered = () => picker.locator('vscode-option').allTextContents();
    await until('a choice of seeds', async () => (await offered()).join() === 'Seed 0,Seed 1,All seeds');
    await pick('Seed 0');
    await until('one pair', async () => (await cards()) === 2 && (await legend(/seed/).count()) === 0);
    await pick('All seeds');
    await until('both pairs', async () => (await cards()) === 4 && (await legend(/seed 1/).count()) === 2);
  });

  test('one of which is a fork: it goes on from the step of its parent', async () => {
    const parent = trained().find(({ start }) => start?.role === 'method');
    if (!parent) throw new Error('the method was trained');
    const out = path.dirname(parent.folder);
    const set = ['--at', '60', '--set', 'method.maskRatio=0.75', '--out', out];
    const env = { ...process.env, MASKSUB_ENGINE: process.env.MASKSUB_ENGINE ?? path.resolve('.engine') };
    await promisify(execFile)('node', ['dist/cli.js', 'fork', parent.folder, ...set], { env });
    const fork = trained().find(({ start }) => start?.forkOf);
    if (!fork) throw new Error('the fork has a folder');
    await tick([fork.id, parent.id]);
    await tick(older, false);
    await open('charts');
    await until('two cards', async () => (await cards()) === 2);
    await until('the fork beside its parent', async () => (await legend(/fork at step 60/).count()) === 2);
    const card = dashboard.frame.locator(`.run[data-run="${fork.id}"]`);
    await until('what it trained itself', async () => /epochs 7 to 12/.test((await card.textContent()) ?? ''));
    await editor.picture('fork');
  });
});

describe('for everybody', () => {
  for (const [theme, media] of [
    ['dark', { colorScheme: 'dark', forcedColors: 'none' }],
    ['light', { colorScheme: 'light', forcedColors: 'none' }],
    ['high contrast', { colorScheme: 'dark', forcedColors: 'active' }],
    ['high contrast light', { colorScheme: 'light', forcedColors: 'active' }],
  ] as const) {
    test(`axe finds nothing serious in ${theme}`, async () => {
      await editor.page.emulateMedia(media);
      await editor.page.waitForTimeout(800);
      for (const id of ['charts', 'runs', 'compare', 'explain']) {
        await open(id);
        await editor.page.waitForTimeout(400);
        expect(await findingsIn(dashboard.frame), id).toEqual([]);
        if (media.forcedColors === 'active') {
          await editor.page.screenshot({ path: `test-results/editor/${id}-${theme.replaceAll(' ', '-')}.png` });
        }
      }
    });
  }

  test('who wants less motion is offered no playing of epochs', async () => {
    await open('explain');
    const play = page('explain').getByRole('button', { name: /play/i });
    await until('the button', () => play.isVisible());
    await editor.page.emulateMedia({ reducedMotion: 'reduce', forcedColors: 'none' });
    await until('no button', async () => !(await play.isVisible()));
    await editor.page.emulateMedia({ reducedMotion: 'no-preference' });
  });

  test('the tabs are walked by arrow keys', async () => {
    await open('charts');
    await dashboard.frame.locator('#tab-charts').focus();
    await editor.page.keyboard.press('ArrowRight');
    expect(await dashboard.frame.locator('#tab-runs').getAttribute('aria-selected')).toBe('true');
    expect(await page('charts').isVisible()).toBe(false);
  });
});
