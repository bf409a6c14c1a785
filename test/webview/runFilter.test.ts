/** The filter of the run table: what it lets through, and what it says of what it does not understand. */
import { describe, expect, test } from 'vitest';
import { configColumn, extraColumns, fixedColumns } from '../../webview/runs/columns.ts';
import { configKeys } from '../../webview/runs/diffColumns.ts';
import { filterRows } from '../../webview/runs/filterRows.ts';
import { idsOf, row } from './rows.ts';

const rows = [
  row('a', {
    ...{ name: 'Fashion ViT', method: 'baseline', role: 'baseline', top1: 0.805, seed: 1, star: true, tags: ['paper'] },
    config: { 'train.learningRate': 0.001, 'model.depth': 4, 'train.nesterov': false, recipe: 'demo' },
  }),
  row('b', {
    ...{ name: 'wide', state: 'failed', top1: Number.NaN, notes: 'See http://x, 10:30', problem: 'NaN at step 3' },
    config: { 'train.learningRate': 0.002, 'model.depth': 12, 'other.depth': 4, 'train.nesterov': true },
  }),
  row('c', {
    name: 'wide <b>',
    method: 'dropsub',
    dataset: 'texts',
    seconds: 90,
    config: JSON.parse('{"__proto__":1}'),
  }),
];
const columns = [...fixedColumns(rows), ...extraColumns(), ...configKeys(rows).map((key) => configColumn(key, rows))];
const filtered = (text: string) => filterRows(rows, text, columns, new Set(['c']));

describe('it lets through', () => {
  for (const [text, ids] of [
    ['', 'a b c'],
    ['   ', 'a b c'],
    ['fashion', 'a b'], // a name, and a data set
    ['WIDE', 'b c'],
    ['paper', 'a'],
    ['wide dropsub', 'c'],
    ['"wide <b>"', 'c'],
    ['-wide', 'a'],
    ['"http://x, 10:30"', 'b'],
    ['state:failed', 'b'],
    ['-state:failed', 'a c'],
    ['method:MaskSub', 'b'],
    ['method:masksub', 'b'],
    ['dataset:texts', 'c'],
    ['dataset:fashion-mnist-mini', 'a b'], // as the config has it, not as it is titled
    ['name:"fashion vit"', 'a'],
    ['tags:pap', 'a'],
    ['is:starred', 'a'],
    ['is:shown', 'c'],
    ['is:problem', 'b'],
    ['top1>80', 'a'],
    ['top1>80.5', ''],
    ['top1>=80.5', 'a'],
    ['top1<80', ''],
    ['top1:nan', 'b'],
    ['time<100', 'c'],
    ['seed=1', 'a'],
    ['seed!=1', 'b c'],
    ['learningRate:0.002', 'b'],
    ['train.learningrate<2e-3', 'a'],
    ['depth:4', 'a b'], // of two keys by that name, one is enough
    ['model.depth:4', 'a'],
    ['nesterov:true', 'b'],
    ['nesterov>0', ''],
    ['recipe=demo', 'a'],
    ['recipe=dem', ''],
    ['__proto__:1', 'c'],
    ['-is:starred -method:dropsub', 'b'],
  ] as const) {
    test(`${text || 'nothing asked'} → ${ids || 'none'}`, () => {
      const { rows: found, problem } = filtered(text);
      expect(idsOf(found)).toBe(ids);
      expect(problem).toBeUndefined();
    });
  }
});

describe('it says what it does not understand, and the rest counts', () => {
  for (const [text, problem, ids] of [
    ['nokey:3 wide', /No run has “nokey”/, 'b c'],
    ['constructor:1', /No run has “constructor”/, 'a b c'],
    ['is:green wide', /“is:green” is not known/, 'b c'],
    ['top1>high', /“high” is no number/, 'a b c'],
    ['top1>', /Nothing follows “top1>”/, 'a b c'],
    ['state:', /Nothing follows/, 'a b c'],
    ['wide "open', /quote/, ''],
  ] as const) {
    test(text, () => {
      const found = filtered(text);
      expect(found.problem).toMatch(problem);
      expect(idsOf(found.rows)).toBe(ids);
    });
  }
});

test('signs that mean something elsewhere are but signs', () => {
  for (const text of [
    '(',
    '[a-',
    '*',
    '\\',
    '%',
    '>',
    ':',
    '-',
    '--',
    '"',
    '!=',
    '<script>',
    'a'.repeat(10_000),
    '\u202e',
  ]) {
    expect(() => filtered(text)).not.toThrow();
  }
});
