/** A config's problems stand where a person finds them, and the command line's changes are checked like the file. */
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { UserError } from '../../src/core/errors.ts';
import { formatProblem, type ReadConfigOptions, readConfigFile } from '../../src/store/configFile.ts';
import { temporaryFolder } from './temporaryFolder.ts';

const recipes = { demo: { train: { epochs: 150 } } };
const read = (text: string, options: ReadConfigOptions = {}) =>
  readConfigFile('c.masksub.json', recipes, { text, ...options });

function problems(text: string, options?: ReadConfigOptions) {
  const result = read(text, options);
  if ('config' in result) throw new Error('No problem was found');
  return result.problems;
}

function resolved(text: string, options?: ReadConfigOptions) {
  const result = read(text, options);
  if ('problems' in result) throw new Error(result.problems.map(formatProblem).join('\n'));
  return result.config;
}

/** The part of the text that a problem marks. */
function marked(text: string, options?: ReadConfigOptions): string[] {
  const lines = text.replace(/^\uFEFF/, ' ').split(/\r\n|\r|\n/);
  return problems(text, options).map((problem) => {
    expect(problem.endLine).toBe(problem.line);
    return lines[problem.line - 1]?.slice(problem.column - 1, problem.endColumn - 1) ?? '';
  });
}

const good = `// my experiment
{
  "data": { "dataset": "fashion-mnist-mini" }, /* mine */
  "model": { "name": "vit" },
  "recipe": "demo",
}`;

test('a config with comments and a trailing comma is read, with its recipe', () => {
  expect(resolved(good).train.epochs).toBe(150);
  expect(resolved(`\uFEFF${good}`).data.dataset).toBe('fashion-mnist-mini');
});

test('a file is read from the disk, and one that is not there is named', () => {
  const file = path.join(temporaryFolder(), 'a.masksub.json');
  const fromDisk = () => readConfigFile(file, recipes);
  expect(fromDisk).toThrow(UserError);
  expect(fromDisk).toThrow(`Not found: ${file}.`);
  fs.writeFileSync(file, good);
  expect(fromDisk()).toHaveProperty('config');
  expect(() => readConfigFile(path.dirname(file), recipes)).toThrow(/^A folder lies where a file should be/);
});

describe('problems', () => {
  const model = '"model": { "name": "vit" }';
  const data = '"data": { "dataset": "fashion-mnist-mini" }';
  test.each([
    ['an unknown key', `{ ${data}, ${model}, "train": { "epoch": 3 } }`, ['"epoch"']],
    ['a wrong value', `{ ${data}, ${model}, "train": { "epochs": -3 } }`, ['-3']],
    ['a wrong name', `{ "data": { "dataset": "fashion" }, ${model} }`, ['"fashion"']],
    ['a missing key', `{ "data": { }, ${model} }`, ['"data"']],
    ['a missing group', `{ ${data} }`, ['{']],
    ['an item', `{ ${data}, ${model}, "compare": { "seeds": [0, 1.5] } }`, ['1.5']],
    ['several', `{ ${data}, ${model}, "trian": {},\r\n "train": { "epochs": "x" } }`, ['"trian"', '"x"']],
    ['a check over keys', `{ ${data}, "model": { "name": "vit", "width": 65, "heads": 2 } }`, ['2']],
    ['a key that is there twice', `{ ${data}, ${model}, "train": {}, "train": { "epochs": 1 } }`, ['"train"']],
    ['no JSON', `{ ${data}, ${model}, "train": { epochs: 3 } }`, ['epochs']],
    ['behind a byte-order mark', `\uFEFF{ ${data}, ${model}, "train": { "epochs": -3 } }`, ['-3']],
    ['an empty file', '', ['']],
  ])('%s', (_what, text, expected) => {
    expect(marked(text).sort()).toEqual(expected.sort());
  });

  test('carry file, line, column, the way out, and whether the editor marks them itself', () => {
    const text = `{\n  ${data},\n  ${model},\n  "train": { "epoch": 3, "batchSize": 0 }\n}`;
    const [size, epoch] = problems(text).sort((a, b) => b.column - a.column);
    expect(epoch).toMatchObject({ file: 'c.masksub.json', line: 4, column: 14, endLine: 4, endColumn: 21 });
    expect(epoch).toMatchObject({ suggestion: 'epochs', inSchema: false });
    expect(size).toMatchObject({ line: 4, inSchema: true });
    expect(formatProblem(epoch as NonNullable<typeof epoch>)).toBe(
      'c.masksub.json:4:14: Unknown key "epoch". Did you mean "epochs"?',
    );
  });

  test('no JSON is one problem with a sentence', () => {
    expect(problems(`{ ${data} ${model} }`)).toMatchObject([
      { line: 1, message: 'Not JSON: a comma is expected before this.', inSchema: true },
    ]);
    expect(problems(`{ ${data}, ${model}`)[0]?.message).toBe('Not JSON: a closing brace is missing.');
  });
});

describe('--set', () => {
  test('takes JSON, else a text, and makes groups that are missing', () => {
    const config = resolved(good, {
      set: ['train.epochs=20', 'name=my run', 'compare.seeds=[0,1]', 'augment.flip=true'],
    });
    expect(config.train.epochs).toBe(20);
    expect(config.name).toBe('my run');
    expect(config.compare.seeds).toEqual([0, 1]);
    expect(config.augment.flip).toBe(true);
    expect(resolved(good, { set: ['name=a=b'] }).name).toBe('a=b');
  });

  test('is checked, and the problem says where it comes from', () => {
    const [problem] = problems(good, { set: ['train.epochs=many'] });
    expect(problem).toMatchObject({ line: 2, column: 1, inSchema: false });
    expect(problem?.message).toBe('"epochs" must be a number, found "many". (--set train.epochs=many)');
    expect(problems(good, { set: ['train.epoch=1'] })[0]).toMatchObject({ suggestion: 'epochs' });
    expect(problems(good, { set: ['data=5'] }).length).toBe(1);
  });

  test.each(['epochs', '=3', 'train..epochs=1', ''])('that is none is refused: "%s"', (item) => {
    expect(() => read(good, { set: [item] })).toThrow(/expected key=value/);
  });

  test('cannot reach the prototype of objects', () => {
    expect(problems(good, { set: ['__proto__.polluted=1'] })[0]?.message).toContain('Unknown key "__proto__"');
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });
});

describe('--method', () => {
  const masked = good.replace('"recipe"', '"method": { "name": "masksub", "maskRatio": 0.75 }, "recipe"');
  test('replaces the written one with its options', () => {
    expect(resolved(masked).method).toMatchObject({ name: 'masksub', maskRatio: 0.75 });
    expect(resolved(masked, { method: 'baseline' }).method.name).toBe('baseline');
  });

  test('leaves the options of --set', () => {
    const config = resolved(masked, { method: 'masksub', set: ['method.maskRatio=0.25'] });
    expect(config.method.maskRatio).toBe(0.25);
  });

  test('that is unknown is named', () => {
    expect(problems(masked, { method: 'maskub' })[0]?.message).toMatch(/Did you mean "masksub"\?.*--method maskub/);
  });
});
