/** What the run table shows: order, differences, columns and groups. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RunRow } from '../../src/core/runRow.ts';
import { baselinesOf, configColumn, differenceToBaseline, fixedColumns } from '../../webview/runs/columns.ts';
import { differingKeys } from '../../webview/runs/diffColumns.ts';
import { Selection } from '../../webview/runs/selection.ts';
import { shortText } from '../../webview/runs/shortText.ts';
import { nextSorting, type Sorting, sortRows } from '../../webview/runs/sortRows.ts';
import { tableModel } from '../../webview/runs/tableModel.ts';
import { tagsFrom } from '../../webview/runs/tags.ts';
import { groupedLines, keyOf, plainLines, visibleRange } from '../../webview/runs/viewRows.ts';
import { firstView, viewFrom } from '../../webview/runs/viewState.ts';
import { idsOf, row } from './rows.ts';

describe('sorting', () => {
  const rows = [
    row('a', { top1: 0.5, seed: 2, name: 'run 10' }),
    row('b', { top1: Number.NaN, seed: 1, name: 'Run 9' }),
    row('c', { top1: 0.7, seed: 1, name: 'run 2' }),
    row('d', { seed: 1, name: 'b' }),
    row('e', { top1: Number.NEGATIVE_INFINITY, seed: 2, name: 'a' }),
    row('f', { top1: 0.7, seed: 2, name: 'a' }),
  ];
  const sorted = (...sorting: Sorting) => idsOf(sortRows(rows, sorting, fixedColumns(rows)));

  test('puts NaN and missing values last in both directions', () => {
    expect(sorted({ column: 'top1', direction: 'ascending' })).toBe('e a c f b d');
    expect(sorted({ column: 'top1', direction: 'descending' })).toBe('c f a e b d');
  });
  test('by a second key among equals', () => {
    const first = { column: 'seed', direction: 'ascending' } as const;
    expect(sorted(first, { column: 'top1', direction: 'descending' })).toBe('c b d f a e');
  });
  test('takes numbers in names for numbers', () => {
    expect(sorted({ column: 'name', direction: 'ascending' })).toBe('e f d c b a');
  });
  test('by nothing, or by a column that is not there, leaves the order', () => {
    expect(sorted()).toBe('a b c d e f');
    expect(sorted({ column: 'config:gone', direction: 'ascending' })).toBe('a b c d e f');
  });
  test('is an order whatever the values are', () => {
    const value = fc.oneof(fc.double(), fc.string(), fc.boolean(), fc.constant(undefined));
    fc.assert(
      fc.property(fc.array(value, { maxLength: 12 }), (values) => {
        const mixed = values.map((own, i) => row(String(i), own === undefined ? {} : { config: { k: own } }));
        const by = (list: readonly RunRow[]) =>
          sortRows(list, [{ column: 'config:k', direction: 'ascending' }], [configColumn('k', mixed)]);
        const once = by(mixed);
        expect(idsOf(by(once))).toBe(idsOf(once));
        const kindOf = (own: unknown) => (own === undefined || Number.isNaN(own) ? 'missing' : typeof own);
        const kinds = (list: readonly RunRow[]) => list.map(({ config }) => kindOf(config.k));
        expect(kinds(by([...mixed].reverse()))).toEqual(kinds(once));
      }),
    );
  });
  test('a header asks for its own direction, then the other, then none', () => {
    const [name, top1] = ['name', 'top1'].map((wanted) => fixedColumns([]).find(({ id }) => id === wanted));
    if (!name || !top1) throw new Error('There are such columns.');
    let sorting: Sorting = nextSorting([], top1, false);
    expect(sorting).toEqual([{ column: 'top1', direction: 'descending' }]);
    sorting = nextSorting(sorting, name, true);
    expect(sorting.map(({ column }) => column)).toEqual(['top1', 'name']);
    sorting = nextSorting(sorting, top1, true);
    expect(sorting[0]).toEqual({ column: 'top1', direction: 'ascending' });
    expect(nextSorting(sorting, top1, true)).toEqual([{ column: 'name', direction: 'ascending' }]);
    expect(nextSorting(sorting, top1, false)).toEqual([]);
  });
});

describe('the difference to the baseline', () => {
  const baseline = row('b', { role: 'baseline', pair: 'p', top1: 0.8, epochs: 10 });
  const difference = (own: Partial<RunRow>) => {
    const method = row('m', { pair: 'p', top1: 0.815, epochs: 10, ...own });
    return differenceToBaseline(method, baselinesOf([baseline, method]));
  };
  test('is in points, within the pair, at the same epoch', () => {
    expect(difference({})).toBeCloseTo(1.5, 10);
    expect(difference({ pair: 'q' })).toBeUndefined();
    expect(difference({ epochs: 9 })).toBeUndefined();
    expect(differenceToBaseline(baseline, baselinesOf([baseline]))).toBeUndefined();
  });
});

describe('columns of the config', () => {
  const rows = [
    row('a', {
      config: { name: 'x', 'train.learningRate': 1, 'train.epochs': 5, 'method.maskRatio': 0.5, 'a.size': 1 },
    }),
    row('b', { config: { name: 'y', 'train.learningRate': 2, 'train.epochs': 5, 'b.size': 'x' } }),
  ];
  const shown = (view = {}) => tableModel(rows, { ...firstView, ...view }, new Set()).columns.map(({ id }) => id);
  const config = (view = {}) => shown(view).filter((id) => id.startsWith('config:'));

  test('are those in which the runs differ; a missing key is a difference', () => {
    expect(differingKeys(rows)).toEqual(['train.learningRate', 'method.maskRatio', 'a.size', 'b.size']);
    expect(differingKeys(rows.slice(0, 1))).toEqual([]);
  });
  test('follow the filter', () => {
    const filtered = tableModel(rows, { ...firstView, filter: 'learningRate:1' }, new Set());
    expect(filtered.columns.filter(({ id }) => id.startsWith('config:'))).toEqual([]);
  });
  test('can be added and taken away, but for the name', () => {
    const view = { added: ['config:train.epochs', 'dataset'], removed: ['config:a.size', 'loss', 'name'] };
    expect(config(view)).toEqual([
      'config:train.learningRate',
      'config:train.epochs',
      'config:method.maskRatio',
      'config:b.size',
    ]);
    expect(shown(view)).toContain('dataset');
    expect(shown(view)).not.toContain('loss');
    expect(shown(view)[0]).toBe('name');
  });
  test('are titled so that they can be told apart', () => {
    const titles = tableModel(rows, firstView, new Set()).columns.map(({ title }) => title);
    expect(titles.slice(-4)).toEqual(['learningRate', 'maskRatio', 'a.size', 'b.size']);
  });
  test('of numbers are aligned as such', () => {
    expect(configColumn('train.learningRate', rows).isNumber).toBe(true);
    expect(configColumn('b.size', rows).isNumber).toBe(false);
  });
});

test('a problem has its column where there is one', () => {
  const columns = (problem?: string) =>
    tableModel([row('a', problem === undefined ? {} : { problem })], firstView, new Set()).columns.map(({ id }) => id);
  expect(columns()).not.toContain('problem');
  expect(columns('Damaged.')).toContain('problem');
});

describe('groups', () => {
  const rows = [
    row('a1', { experiment: 'a', pair: 'a-s0' }),
    row('b1', { experiment: 'b' }),
    row('a2', { experiment: 'a', pair: 'a-s1' }),
    row('a3', { experiment: 'a', pair: 'a-s0' }),
  ];
  const keys = (folded: readonly string[]) => groupedLines(rows, new Set(folded)).map(keyOf).join(' ');
  test('stand where their first run stood, with pairs together', () => {
    expect(keys([])).toBe('group:a run:a1 run:a3 run:a2 group:b run:b1');
  });
  test('hide their runs when folded, not their number', () => {
    expect(keys(['a'])).toBe('group:a group:b run:b1');
    expect(groupedLines(rows, new Set(['a']))[0]).toMatchObject({ count: 3, isFolded: true });
  });
});

test('the lines that are drawn cover what is on the screen', () => {
  fc.assert(
    fc.property(fc.nat(2000), fc.nat(60_000), fc.integer({ min: 1, max: 2000 }), (count, scrolled, height) => {
      const { from, to } = visibleRange(count, scrolled, height, 23);
      expect(from).toBeGreaterThanOrEqual(0);
      expect(to).toBeLessThanOrEqual(count);
      expect(from).toBeLessThanOrEqual(to);
      const most = Math.max(0, count * 23 - height);
      if (scrolled > most) return; // a browser scrolls no further
      expect(from * 23).toBeLessThanOrEqual(scrolled);
      expect(to * 23).toBeGreaterThanOrEqual(Math.min(count * 23, scrolled + height));
      expect(to - from).toBeLessThanOrEqual(height / 23 + 42);
    }),
  );
});

test('a selection grows by ranges and single lines, and forgets what is gone', () => {
  const lines = plainLines(['a', 'b', 'c', 'd'].map((id) => row(id)));
  const selection = new Selection();
  const select = (index: number, mode: 'only' | 'toggle' | 'extend') => {
    const line = lines[index];
    if (line) selection.select(line, mode, lines);
    return selection.runs(lines).join('');
  };
  expect([
    select(1, 'only'),
    select(3, 'extend'),
    select(0, 'extend'),
    select(3, 'toggle'),
    select(0, 'toggle'),
  ]).toEqual(['b', 'bcd', 'ab', 'abd', 'bd']);
  selection.keep(lines.slice(1, 3));
  expect(selection.runs(lines)).toEqual(['b']);
  expect(selection.active).toBeUndefined();
});

test('what an earlier page saved comes back, and nonsense does no harm', () => {
  const view = { ...firstView, filter: 'x', added: ['config:a'], isGrouped: true, folded: ['e'], sorting: [] };
  expect(viewFrom(JSON.parse(JSON.stringify(view)))).toEqual(view);
  for (const saved of [undefined, null, 3, 'x', [], { sorting: 3, filter: {}, added: [1, null], folded: 'x' }]) {
    expect(viewFrom(saved)).toEqual(firstView);
  }
  expect(viewFrom({ sorting: [{ column: 'top1', direction: 'sideways' }, null] }).sorting).toEqual([]);
});

test('tags are what stands between commas, each once', () => {
  expect(tagsFrom(' a, b c ,,a,\n')).toEqual(['a', 'b c']);
  const many = tagsFrom(Array.from({ length: 99 }, (_, i) => 'x'.repeat(200) + i).join());
  expect(many.every((tag) => tag.length <= 100)).toBe(true);
  expect(tagsFrom(Array.from({ length: 99 }, (_, i) => i).join()).length).toBe(50);
});

test('texts of others keep their direction and their place', () => {
  expect(shortText('a\u202egnp.exe\u0007\nb')).toBe('a\ufffdgnp.exe\ufffd b');
  expect(shortText('مرحبا')).toBe('مرحبا');
  expect(shortText('x'.repeat(10_000)).length).toBe(121);
});
