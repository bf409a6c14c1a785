/** Every page of the dashboard with a real pair of runs: what it shows, what can be done with it, and for whom. */
import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findingsIn } from './accessibility.ts';
import { configText } from './configs.ts';
import { Dashboard } from './dashboard.ts';
import { Editor, pictureOnFailure } from './editor.ts';
import { findRuns, until } from './runs.ts';

let editor: Editor;
let dashboard: Dashboard;
beforeAll(async () => {
  editor = await Editor.open({ files: { 'pair.masksub.json': configText(12) }, open: 'pair.masksub.json' });
  await editor.page.setViewportSize({ width: 1700, height: 1150 });
  await editor.palette('MaskSub: Start MaskSub run');
  dashboard = await Dashboard.of(editor);
  await until(
    'the end of both runs',
    () => {
      const runs = findRuns(editor.workspace);
      return runs.length === 2 && runs.every(({ events }) => events.at(-1)?.type === 'end');
    },
    90,
  );
  await until('both ends on the page', async () => (await dashboard.frame.locator('.run.finished').count()) === 2);
});
pictureOnFailure(() => editor);
afterAll(() => editor?.close());

const page = (id: string) => dashboard.frame.locator(`#page-${id}`);
const open = (id: string) => dashboard.frame.locator(`#tab-${id}`).click();
const textOf = async (id: string) => (await page(id).textContent()) ?? '';

describe('charts', () => {
  for (const chart of ['loss', 'accuracy', 'grad-norm', 'grad-ratio', 'grad-cosine', 'lr', 'throughput', 'memory']) {
    test(`${chart} holds points and draws them`, async () => {
      const figure = dashboard.frame.locator(`#chart-${chart}`);
      await figure.scrollIntoViewIfNeeded();
      await dashboard.hasPoints(chart, 5);
      await until(`${chart} drawn`, async () => /point/.test((await figure.locator('.badge').textContent()) ?? ''));
      if (chart !== 'lr') await until('lines', async () => (await dashboard.colouredPixels(chart)) > 20);
    });
  }

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
    await dashboard.frame.locator('#chart-loss .plot').focus();
    await editor.page.keyboard.press('Home');
    await editor.page.keyboard.press('ArrowRight');
    await until('a spoken value', async () => /\d/.test((await page('charts').locator('.spoken').textContent()) ?? ''));
  });

  test('a chart has a table with its numbers', async () => {
    await dashboard.frame
      .locator('#chart-loss')
      .getByRole('button', { name: /as a table/i })
      .click();
    const table = dashboard.frame.locator('#chart-loss table');
    await until('rows', async () => (await table.locator('tbody tr').count()) > 3);
    await editor.picture('charts-table');
    await dashboard.frame
      .locator('#chart-loss')
      .getByRole('button', { name: /as a table/i })
      .click();
  });
});

describe('runs', () => {
  test('the table lists both and keeps what a person notes', async () => {
    await open('runs');
    await until('two rows', async () => (await page('runs').locator('[data-run]').count()) === 2);
    await editor.picture('runs');
    await page('runs').locator('[data-run] button').first().click();
    const file = path.join(editor.workspace, '.masksub', 'runs', 'annotations.json');
    await until(
      'the star on the disk',
      () => fs.existsSync(file) && fs.readFileSync(file, 'utf8').includes('"star": true'),
    );
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

  test('the tabs are walked by arrow keys', async () => {
    await open('charts');
    await dashboard.frame.locator('#tab-charts').focus();
    await editor.page.keyboard.press('ArrowRight');
    expect(await dashboard.frame.locator('#tab-runs').getAttribute('aria-selected')).toBe('true');
    expect(await page('charts').isVisible()).toBe(false);
  });
});
