/** Texts of every format end up as the same tokens and labels; what may be a mistake is said, and wrong files are named with their line. */
import fs from 'node:fs';
import path from 'node:path';
import { parquetWriteFile } from 'hyparquet-writer';
import { describe, expect, test } from 'vitest';
import { readTexts, type TextOptions } from '../../src/data/texts.ts';
import { temporaryFolder } from '../store/temporaryFolder.ts';
import { failure } from './failure.ts';

const vocabulary = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', 'a', 'b', 'c', 'd', ',', '"', 'cafe'];

/** A folder with these files and the vocabulary. */
function folderOf(files: Readonly<Record<string, string | Buffer>>): string {
  const folder = temporaryFolder();
  fs.writeFileSync(path.join(folder, 'vocab.txt'), vocabulary.join('\n'));
  for (const [name, content] of Object.entries(files)) fs.writeFileSync(path.join(folder, name), content);
  return folder;
}

const read = (folder: string, options: TextOptions = {}) =>
  readTexts({ path: '.', tokenizer: 'vocab.txt', length: 8, ...options }, { mediaFolder: '/', configFolder: folder });

/** Texts, written with their tokens. */
function textsOf({ ids, count }: { ids: Int32Array; count: number }): string[] {
  const length = ids.length / count;
  return Array.from({ length: count }, (_, i) =>
    [...ids.subarray(i * length, (i + 1) * length)]
      .map((id) => vocabulary[id])
      .join(' ')
      .replaceAll(' [PAD]', ''),
  );
}

const classesOf = ({ train, classNames }: Awaited<ReturnType<typeof read>>) =>
  [...train.labels].map((label) => classNames[label]);

describe('the same texts', () => {
  const rows = [
    { id: 1, text: 'a, b', label: 'pos' },
    { id: 2, text: 'c "d"\nb', label: 'neg' },
    { id: 3, text: 'Café', label: 'pos' },
  ];
  const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
  const separated = (separator: string, end: string) =>
    [['text', 'id', 'label'], ...rows.map(({ id, text, label }) => [quoted(text), id, label])]
      .map((fields) => fields.join(separator))
      .join(end);
  const files: Record<string, (name: string) => void> = {
    'data.csv': (file) => fs.writeFileSync(file, `${separated(',', '\n')}\n\n\n`),
    'windows.csv': (file) => fs.writeFileSync(file, `\ufeff${separated(',', '\r\n')}\r\n`),
    'data.tsv': (file) => fs.writeFileSync(file, separated('\t', '\n')),
    'data.jsonl': (file) => fs.writeFileSync(file, `${rows.map((row) => JSON.stringify(row)).join('\n')}\n\n`),
    'data.parquet': (filename) =>
      parquetWriteFile({
        filename,
        columnData: [
          { name: 'id', data: rows.map((row) => row.id), type: 'INT32' },
          { name: 'text', data: rows.map((row) => row.text), type: 'STRING' },
          { name: 'label', data: rows.map((row) => row.label), type: 'STRING' },
        ],
        rowGroupSize: 2,
      }),
  };
  const hashes = new Set<string>();

  test.each(Object.keys(files))('%s', async (name) => {
    const folder = folderOf({});
    files[name]?.(path.join(folder, name));
    fs.copyFileSync(path.join(folder, name), path.join(folder, `train${path.extname(name)}`));
    fs.renameSync(path.join(folder, name), path.join(folder, `dev${path.extname(name)}`));
    const data = await read(folder);
    expect(data).toMatchObject({ kind: 'text', classNames: ['neg', 'pos'], length: 8, vocabulary: 12, maskToken: 4 });
    for (const set of [data.train, data.validation]) {
      expect(textsOf(set)).toEqual(['[CLS] a , b [SEP]', '[CLS] c " d " b [SEP]', '[CLS] cafe [SEP]']);
      expect([[...set.tokens], [...set.labels]]).toEqual([
        [5, 7, 3],
        [1, 0, 1],
      ]);
    }
    hashes.add(data.hash);
    expect([...hashes]).toEqual([expect.stringMatching(/^sha256:[0-9a-f]{64}$/)]);
  });
});

test('the hash is over ids, types, tokens, labels and class names of both sets', async () => {
  const tables = [
    ['text,label\na,x\nb,y\n', 'text,label\na,x\n'],
    ['text,label\na,x\nc,y\n', 'text,label\na,x\n'],
    ['text,label\na,x\nb,y\n', 'text,label\nb,x\n'],
    ['text,label\na,x\nb,y\n', 'text,label\na,y\n'],
    ['text,label\na,x\nb,z\n', 'text,label\na,x\n'],
  ] as const;
  const hashes = await Promise.all(
    tables.map(async ([train, test]) => (await read(folderOf({ 'train.csv': train, 'test.csv': test }))).hash),
  );
  expect(new Set(hashes).size).toBe(tables.length);
  const [train, test] = tables[0];
  expect((await read(folderOf({ 'train.csv': train, 'test.csv': test }))).hash).toBe(hashes[0]);
});

test('many texts, more than is read at once', async () => {
  const letter = (i: number) => 'abc'[i % 3];
  const rows = Array.from({ length: 2000 }, (_, i) => `"${letter(i)}${' é,\n'.repeat(i % 400)}",${i % 4}`);
  const table = `text,label\n${rows.join('\n')}`;
  const data = await read(folderOf({ 'train.csv': table, 'test.csv': 'text,label\na,0\n' }), { length: 3 });
  expect([...data.train.labels]).toEqual(rows.map((_, i) => i % 4));
  expect(textsOf(data.train)).toEqual(rows.map((_, i) => `[CLS] ${letter(i)} [SEP]`));
});

describe('columns', () => {
  test('have other names, and hold pairs', async () => {
    const folder = folderOf({
      'train.jsonl': '{"s": "a b", "t": "c", "class": 0}\n{"s": "b", "t": "d d d d d", "class": 1}\n',
      'validation.jsonl': '{"s": "a", "t": "c", "class": 0}\n',
    });
    const data = await read(folder, { textColumn: 's', pairColumn: 't', labelColumn: 'class' });
    expect(textsOf(data.train)).toEqual(['[CLS] a b [SEP] c [SEP]', '[CLS] b [SEP] d d d d [SEP]']);
    expect([...data.train.types].join('')).toBe('0000110000011111');
  });

  test.each([
    ['numbers, in their order', [10, 9, -1, 10], ['-1', '9', '10']],
    ['true and false', [true, false], ['false', 'true']],
    ['strings, some of digits', ['10', '9', 'x'], ['10', '9', 'x']],
  ])('labels are %s', async (_what, labels, classNames) => {
    const lines = labels.map((label) => JSON.stringify({ text: 'a', label })).join('\n');
    const data = await read(folderOf({ 'train.jsonl': lines, 'test.jsonl': lines }));
    expect(data.classNames).toEqual(classNames);
    expect(classesOf(data)).toEqual(labels.map(String));
  });

  test('of a Parquet file are numbers, too', async () => {
    const folder = folderOf({});
    const columnData = [
      { name: 'text', data: ['a', 'b', 'c', 'd'], type: 'STRING' as const },
      { name: 'label', data: [2n, 10n, 2n, 10n], type: 'INT64' as const },
    ];
    parquetWriteFile({ filename: path.join(folder, 'x.parquet'), columnData });
    expect((await read(folder, { path: 'x.parquet' })).classNames).toEqual(['2', '10']);
  });
});

describe('one file', () => {
  const file = (count: number) =>
    `text,label\n${Array.from({ length: count }, (_, i) => `${'abcd'[i % 4]} ${i},${i % 2 ? 'odd' : 'even'}`).join('\n')}\n`;

  test('is split by class, always the same', async () => {
    const folder = folderOf({ 'x.csv': file(40) });
    const data = await read(folder, { path: 'x.csv', split: 0.2 });
    expect([data.train.count, data.validation.count]).toEqual([32, 8]);
    expect([...data.validation.labels].toSorted()).toEqual([0, 0, 0, 0, 1, 1, 1, 1]);
    expect((await read(folder, { path: path.join(folder, 'x.csv'), split: 0.2 })).hash).toBe(data.hash);
    expect(data.warnings).toEqual([]);
    expect((await read(folder, { path: 'x.csv' })).validation.count).toBe(4);
  });

  test('in a folder alone is split, too; else validation, val, dev and test are looked for', async () => {
    const folder = folderOf({ 'train.csv': file(40) });
    expect((await read(folder)).validation.count).toBe(4);
    for (const [name, rows] of [
      ['test', 2],
      ['dev', 4],
      ['val', 6],
      ['validation', 8],
    ] as const) {
      fs.writeFileSync(path.join(folder, `${name}.csv`), file(rows));
      expect((await read(folder)).validation.count).toBe(rows);
    }
  });
});

describe('is said:', () => {
  test('texts that were cut', async () => {
    const table = 'text,label\na b c d,x\na,y\nb,x\n';
    const { warnings } = await read(folderOf({ 'train.csv': table, 'test.csv': 'text,label\nd,x\nc,y\n' }), {
      length: 5,
    });
    expect(warnings[0]).toBe('1 of 5 texts (20 %) have more than 5 tokens and were cut; "data.length" sets it.');
  });

  test('texts in both sets, and where', async () => {
    const train = 'text,label\n"a\nb",x\nc,y\nc,y\n';
    const { warnings } = await read(folderOf({ 'train.csv': train, 'dev.csv': 'text,label\nd,x\nc,x\n"a\nb",y\n' }));
    expect(warnings).toContain(
      '2 texts for validation also in the training set: dev.csv:3 is train.csv:4, dev.csv:4 is train.csv:2.',
    );
    const split = await read(folderOf({ 'x.csv': 'text,label\na,x\na,x\nb,y\nb,y\n' }), { path: 'x.csv' });
    expect(split.warnings).toHaveLength(2);
    expect(split.warnings[0]).toMatch(/^2 texts .*: x\.csv:[23] is x\.csv:[23], x\.csv:[45] is x\.csv:[45]\.$/);
  });

  test('classes with one text, or none for validation', async () => {
    const { warnings } = await read(folderOf({ 'x.csv': 'text,label\na,x\nb,x\nc,x\nd,y\n' }), { path: 'x.csv' });
    expect(warnings).toEqual(['The training set has one text only of "y".', 'The validation set has no text of "y".']);
  });
});

describe('wrong files', () => {
  const header = 'text,label\n';

  test.each([
    ['csv', `${header}a,x\n"b"c,x\nd,y\na,y\n`, ':3: the record that begins here has a stray quote (").'],
    ['csv', `${header}a,x\n\n"b\nc",x\nd"d,x\n`, ':6: the record that begins here has a stray quote (").'],
    ['csv', `${header}a,x\n"b,x\nc,x\nd,"x"\n`, ':3: the record that begins here has a stray quote (").'],
    ['tsv', 'text\tlabel\n"a\tx\nb\tx\n', ':2: the record that begins here has a stray quote (").'],
    ['csv', `${header}"a\nb",x\nc\nd,y\n`, ':4: expected 2 fields as in the header, found 1.'],
    ['csv', `${header}a,x\r\n\r\nc, d,y\n`, ':4: expected 2 fields as in the header, found 3.'],
    ['csv', 'txet,id,label\na,1,x\n', ':1: no column "text"; there is "txet", "id", "label".'],
    ['csv', 'text;label\na;x\n', ':1: no column "text"; there is "text;label", which is not separated by commas.'],
    ['tsv', 'text,label\na,x\n', ':1: no column "text"; there is "text,label", which is not separated by tabs.'],
    ['csv', 'text,lable\na,x\n', ':1: no column "label"; there is "text", "lable".'],
    ['csv', header, ': the table has no rows.'],
    ['csv', '\n\n', ': the table has no rows.'],
    ['csv', '', ': the file is empty (0 bytes).'],
    ['jsonl', '', ': the file is empty (0 bytes).'],
    ['parquet', '', ': the file is empty (0 bytes).'],
    ['csv', `${header}a,x\n"\n ",y\nb,\n`, ': 1 row without text: train.csv:3.'],
    [
      'csv',
      `${header}${'a,\n'.repeat(7)}`,
      ': 7 rows without label: train.csv:2, train.csv:3, train.csv:4, train.csv:5, train.csv:6, ….',
    ],
    ['jsonl', '{"text": "a", "label": null}\n', ': 1 row without label: train.jsonl:1.'],
    ['csv', Buffer.from(`${header}a,x\ncaf\u00e9,y\n`, 'latin1'), ':3: this line is not in UTF-8.'],
    ['jsonl', Buffer.from('{"text": "a", "label": 1}\n{"text": "\u00e9"}', 'latin1'), ':2: this line is not in UTF-8.'],
    ['jsonl', '{"text": "a", "label": 1}\n\n{"text": "a"\n', ':3: this line is no JSON: '],
    ['jsonl', '[{"text": "a", "label": 1}]\n', ':1: expected a JSON object, found a list.'],
    ['jsonl', '{"text": "a", "label": 1}\n"b"\n', ':2: expected a JSON object, found a string.'],
    [
      'jsonl',
      '{"text": "a", "label": 1}\n{"text": "b", "labels": 1}\n',
      ':2: no column "label"; there is "text", "labels".',
    ],
    ['jsonl', '{"text": 5, "label": 1}\n', ':1: expected a text as "text", found a number.'],
    ['jsonl', '{"text": "a", "label": [1]}\n', ':1: expected a label as "label", found a list.'],
    ['parquet', 'PAR1 and so on', ': cannot be read as Parquet: '],
    ['csv', `${header}a,x\nb,x\n`, ': all texts have the label "x".'],
    ['csv', `${header}a,x\nb,y\n`, ': no class has two texts, so none is left for validation.'],
  ])('.%s %j', async (format, content, message) => {
    const folder = folderOf({ [`train.${format}`]: content });
    const error = await failure(read(folder));
    const start = `${path.join(folder, `train.${format}`)}${message}`;
    expect(error.message.slice(0, start.length)).toBe(start);
    if (!message.endsWith(': ')) expect(error.message).toBe(start);
  });

  test('a pair without its second text', async () => {
    const folder = folderOf({ 'train.csv': 'text,other,label\na,b,x\nb, ,y\n' });
    expect((await failure(read(folder, { pairColumn: 'other' }))).message).toContain(
      ' 1 row without text: train.csv:3.',
    );
  });

  test('a stray quote does not take the whole of a large file with it', async () => {
    const rows = 'abcd abcd abcd,x\n'.repeat(1_200_000);
    const folder = folderOf({ 'train.csv': `${header}a,x\n"b,x\n${rows}"` });
    expect((await failure(read(folder))).message).toContain('train.csv:3: the record that begins here');
  });

  test('the nearest column is named', async () => {
    const folder = folderOf({ 'train.csv': 'txet,label\na,x\n', 'x.jsonl': '{"text": "a", "lable": 1}' });
    expect((await failure(read(folder))).hint).toBe('Name it as "data.textColumn"; did you mean "txet"?');
    expect((await failure(read(folder, { path: 'x.jsonl' }))).hint).toContain(
      '"data.labelColumn"; did you mean "lable"?',
    );
    expect((await failure(read(folder, { textColumn: 'txet', pairColumn: 'b' }))).hint).toContain('"data.pairColumn"');
  });

  test('a label that only the validation set has', async () => {
    const folder = folderOf({ 'train.csv': `${header}a,x\nb,y\n`, 'dev.csv': `${header}a,x\n"a\nb",y\nc,z\n` });
    expect((await failure(read(folder))).message).toBe(
      `${path.join(folder, 'dev.csv')}:5: the training set has no label "z"; it has "x", "y".`,
    );
  });

  test('Parquet with an empty text, without the column, or cut off', async () => {
    const folder = folderOf({});
    const filename = path.join(folder, 'x.parquet');
    const columnData = [
      { name: 'text', data: ['a', 'b', ' ', 'd'], type: 'STRING' as const },
      { name: 'label', data: ['x', 'y', 'x', null], type: 'STRING' as const },
    ];
    parquetWriteFile({ filename, columnData, rowGroupSize: 2 });
    expect((await failure(read(folder, { path: 'x.parquet' }))).message).toBe(
      `${filename}: 1 row without text: x.parquet, row 3.`,
    );
    parquetWriteFile({ filename, columnData: [{ name: 'sentence', data: ['a', 'b'], type: 'STRING' }] });
    expect((await failure(read(folder, { path: 'x.parquet' }))).message).toBe(
      `${filename}: no column "text"; there is "sentence".`,
    );
    const whole = fs.readFileSync(filename);
    fs.writeFileSync(filename, whole.subarray(0, whole.length - 20));
    expect((await failure(read(folder, { path: 'x.parquet' }))).message).toContain(
      `${filename}: cannot be read as Parquet: `,
    );
    // The footer is whole, but the data before it are not.
    fs.writeFileSync(filename, Buffer.concat([whole.subarray(0, 4), whole.subarray(30)]));
    expect(
      (await failure(read(folder, { path: 'x.parquet', textColumn: 'sentence', labelColumn: 'sentence' }))).message,
    ).toContain(`${filename}: cannot be read as Parquet: `);
  });

  test('a folder or file that is not there, not known, or there twice', async () => {
    const folder = folderOf({ 'x.csv': header, 'x.txt': 'a' });
    expect((await failure(read(folder))).message).toBe(
      `${folder}: this folder has no train.csv, train.tsv, train.jsonl or train.parquet.`,
    );
    expect((await failure(read(folder, { path: 'none.csv' }))).message).toBe(
      `Data file not found: ${folder}/none.csv.`,
    );
    expect((await failure(read(folder, { path: undefined }))).message).toBe('The data set "text" needs "path".');
    expect((await failure(read(folder, { path: 'x.txt' }))).message).toContain('expected a name that ends with .csv');
    for (const name of ['train.csv', 'train.tsv']) fs.writeFileSync(path.join(folder, name), header);
    expect((await failure(read(folder))).message).toContain('found train.csv and train.tsv.');
  });

  test('no tokenizer, or no room for a token', async () => {
    const folder = folderOf({ 'train.csv': `${header}a,x\nb,y\n` });
    expect((await failure(read(folder, { tokenizer: undefined }))).hint).toContain('vocab.txt');
    expect((await failure(read(folder, { tokenizer: 'none' }))).message).toContain(`No tokenizer in ${folder}/none`);
    expect((await failure(read(folder, { length: 2 }))).message).toContain('"data.length" is 2, expected at least 3');
    expect((await failure(read(folder, { length: 4, pairColumn: 'text' }))).message).toContain('expected at least 5');
  });
});
