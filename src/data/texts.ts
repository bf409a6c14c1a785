/** Labelled texts as token ids: a table, or one for training and one for validation, through a WordPiece tokenizer. */
import { createHash } from 'node:crypto';
import path from 'node:path';
import type { Config } from '../core/config.ts';
import { textDefaults } from '../core/dataConfig.ts';
import { UserError } from '../core/errors.ts';
import type { TextSet } from '../core/textSet.ts';
import { lookAt } from './dataFile.ts';
import type { DataFolders, DatasetReader } from './dataset.ts';
import { stratifiedSplit } from './split.ts';
import { placeOf, readRows, type TextColumns, tableFormats } from './textTable.ts';
import { readTokenizer, type TextTokenizer } from './tokenizer.ts';

/** Texts as their files tell them. */
export interface Texts {
  readonly kind: 'text';
  readonly classNames: string[];
  /** Places of a sequence: longer texts have been cut, shorter ones are padded. */
  readonly length: number;
  /** Token ids that the tokenizer knows. */
  readonly vocabulary: number;
  /** The id of [MASK]. */
  readonly maskToken: number;
  /** The token of an id, as the vocabulary has it. */
  tokenOf(id: number): string | undefined;
  readonly train: TextSet;
  readonly validation: TextSet;
  /** What a sample's tokens say, for a person. */
  textOf(set: 'train' | 'validation', sample: number): string;
  /** Sentences about what may be a mistake. */
  readonly warnings: readonly string[];
  /** `sha256:…` over ids, types, tokens, labels and class names of both sets. */
  readonly hash: string;
}

/** What the config says of them. */
export type TextOptions = Pick<
  Config['data'],
  'path' | 'split' | 'textColumn' | 'pairColumn' | 'labelColumn' | 'tokenizer' | 'lowercase' | 'length'
>;

export const texts: DatasetReader = { kind: 'text', read: readTexts };

/** Reads both sets whole, as token ids. Throws a `UserError` where files are missing or wrong. */
export async function readTexts(options: TextOptions, folders: DataFolders): Promise<Texts> {
  const { textColumn = textDefaults.textColumn, labelColumn = textDefaults.labelColumn, pairColumn } = options;
  const { length = textDefaults.length, split = textDefaults.split } = options;
  const shortest = pairColumn === undefined ? 3 : 5;
  if (length < shortest) {
    throw new UserError(`"data.length" is ${length}, expected at least ${shortest}: [CLS] and [SEP] count, too.`, {
      hint: 'Texts of 64 to 512 tokens are usual.',
    });
  }
  const files = await findTables(options.path, folders.configFolder);
  const tokenizer = await findTokenizer(options, folders.configFolder);
  const columns = { text: textColumn, pair: pairColumn, label: labelColumn };
  const first = await readTable(files.train, columns, tokenizer, length);
  const second = files.validation && (await readTable(files.validation, columns, tokenizer, length));
  const classNames = sortedNames([...first.names.keys()]);
  if (classNames.length < 2) {
    throw new UserError(`${files.train}: all texts have the label "${classNames[0]}".`, {
      hint: 'Training needs two classes at least.',
    });
  }
  const [train, validation] = second
    ? [wholePart(first, classNames), wholePart(second, classNames)]
    : splitPart(first, classNames, split);
  if (validation.rows.length === 0) {
    throw new UserError(`${files.train}: no class has two texts, so none is left for validation.`, {
      hint: `Is "${labelColumn}" the column with the labels? Else put texts for validation into a file of their own.`,
    });
  }
  const sets = { train: textSet(train), validation: textSet(validation) };
  return {
    kind: 'text',
    classNames,
    length,
    vocabulary: tokenizer.vocabulary,
    maskToken: tokenizer.maskToken,
    tokenOf: tokenizer.tokenOf,
    ...sets,
    textOf: (set, sample) => tokenizer.textOf(sets[set].ids.subarray(sample * length, (sample + 1) * length)),
    warnings: warningsOf(train, validation, classNames, length),
    hash: hashOf([sets.train, sets.validation], classNames),
  };
}

/** The texts of a file as tokens. */
interface Table {
  readonly file: string;
  readonly ids: IntRows;
  readonly types: IntRows;
  readonly tokens: number[];
  /** Of each row, a number that stands for its label … */
  readonly labels: number[];
  /** … in the order in which the labels came. */
  readonly names: Map<string, number>;
  /** Where each row begins. */
  readonly lines: number[];
  /** Equal where the texts are. */
  readonly digests: string[];
  readonly cut: number;
}

/** Some rows of a table, and the classes of all. */
interface Part {
  readonly table: Table;
  readonly classes: Int32Array;
  readonly rows: Int32Array;
}

/** In the order of preference. */
const validationNames = ['validation', 'val', 'dev', 'test'] as const;

async function findTables(
  given: string | undefined,
  configFolder: string,
): Promise<{ train: string; validation?: string }> {
  const hint = `Name a file that ends with ${tableFormats.map((format) => `.${format}`).join(', ')}, or a folder with such files named "train" and "validation".`;
  if (given === undefined) throw new UserError('The data set "text" needs "path".', { hint });
  const place = path.resolve(configFolder, given);
  const found = await lookAt(place);
  if (!found) throw new UserError(`Data file not found: ${place}.`, { hint });
  if (!found.isFolder) return { train: place };
  const train = await tableNamed('train', place);
  if (train === undefined) throw new UserError(`${place}: this folder has no ${orList(fileNames('train'))}.`, { hint });
  for (const name of validationNames) {
    const validation = await tableNamed(name, place);
    if (validation !== undefined) return { train, validation };
  }
  return { train };
}

async function tableNamed(name: string, folder: string): Promise<string | undefined> {
  const found: string[] = [];
  for (const file of fileNames(name)) if (await lookAt(path.join(folder, file))) found.push(file);
  if (found.length > 1) {
    throw new UserError(`${folder}: expected one of ${orList(fileNames(name))}, found ${found.join(' and ')}.`, {
      hint: 'Remove or rename all but one.',
    });
  }
  return found[0] && path.join(folder, found[0]);
}

const fileNames = (name: string) => tableFormats.map((format) => `${name}.${format}`);

const orList = (names: readonly string[]) => `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`;

async function findTokenizer({ tokenizer, lowercase }: TextOptions, configFolder: string): Promise<TextTokenizer> {
  if (tokenizer !== undefined) return readTokenizer(path.resolve(configFolder, tokenizer), lowercase);
  throw new UserError('The data set "text" needs "tokenizer".', {
    hint: 'Name the tokenizer.json or the vocab.txt that comes with the pretrained model, or their folder.',
  });
}

async function readTable(file: string, columns: TextColumns, tokenizer: TextTokenizer, length: number): Promise<Table> {
  const table = { file, ids: new IntRows(length), types: new IntRows(length), names: new Map<string, number>() };
  const rows = { tokens: [] as number[], labels: [] as number[], lines: [] as number[], digests: [] as string[] };
  const empty = { text: [] as number[], label: [] as number[] };
  let cut = 0;
  for await (const { line, text, pair, label } of readRows(file, columns)) {
    if (text.trim() === '' || pair?.trim() === '') empty.text.push(line);
    if (label === '') empty.label.push(line);
    const { tokens, isCut } = tokenizer.encode(text, pair, table.ids.add(), table.types.add());
    if (isCut) cut++;
    if (!table.names.has(label)) table.names.set(label, table.names.size);
    rows.labels.push(table.names.get(label) ?? 0);
    rows.tokens.push(tokens);
    rows.lines.push(line);
    rows.digests.push(digest(JSON.stringify([text, pair])));
  }
  for (const what of ['text', 'label'] as const) {
    const lines = empty[what];
    if (lines.length === 0) continue;
    const places = lines.slice(0, 5).map((line) => placeOf(path.basename(file), line));
    throw new UserError(
      `${file}: ${counted(lines.length, 'row')} without ${what}: ${places.join(', ')}${lines.length > 5 ? ', …' : ''}.`,
      { hint: `Complete or remove ${lines.length > 1 ? 'these rows' : 'this row'}.` },
    );
  }
  if (rows.lines.length === 0)
    throw new UserError(`${file}: the table has no rows.`, { hint: 'Get or make this file again.' });
  return { ...table, ...rows, cut };
}

function wholePart(table: Table, classNames: readonly string[]): Part {
  const classes = classesOf(table, classNames);
  return { table, classes, rows: Int32Array.from(classes.keys()) };
}

function splitPart(table: Table, classNames: readonly string[], share: number): [train: Part, validation: Part] {
  const classes = classesOf(table, classNames);
  const { train, validation } = stratifiedSplit(classes, share);
  return [
    { table, classes, rows: train },
    { table, classes, rows: validation },
  ];
}

function classesOf({ file, labels, names, lines }: Table, classNames: readonly string[]): Int32Array {
  const numbers = new Map(classNames.map((name, i) => [name, i]));
  const classes = [...names.keys()].map((name) => {
    const found = numbers.get(name);
    if (found !== undefined) return found;
    const row = labels.indexOf(names.get(name) ?? 0);
    const known = `${classNames
      .slice(0, 10)
      .map((known) => `"${known}"`)
      .join(', ')}${classNames.length > 10 ? ', …' : ''}`;
    throw new UserError(
      `${placeOf(file, lines[row] ?? 0)}: the training set has no label "${name}"; it has ${known}.`,
      {
        hint: 'Correct the label, or put texts of this class into the training set.',
      },
    );
  });
  return Int32Array.from(labels, (label) => classes[label] as number);
}

/** Whole numbers by their value, everything else by its characters. */
function sortedNames(names: readonly string[]): string[] {
  const areNumbers = names.every((name) => /^-?\d+$/.test(name));
  return areNumbers ? names.toSorted((a, b) => Number(a) - Number(b)) : names.toSorted();
}

function textSet({ table, classes, rows }: Part): TextSet {
  return {
    count: rows.length,
    ids: table.ids.pick(rows),
    types: table.types.pick(rows),
    tokens: rows.map((row) => table.tokens[row] as number),
    labels: rows.map((row) => classes[row] as number),
  };
}

function warningsOf(train: Part, validation: Part, classNames: readonly string[], length: number): string[] {
  const warnings: string[] = [];
  const tables = [...new Set([train.table, validation.table])];
  const [cut, all] = [sum(tables.map((table) => table.cut)), sum(tables.map((table) => table.lines.length))];
  if (cut > 0) {
    const share = Math.max(0.1, (100 * cut) / all).toPrecision(2);
    warnings.push(
      `${cut.toLocaleString('en')} of ${all.toLocaleString('en')} texts (${Number(share)} %) have more than ${length} tokens and were cut; "data.length" sets it.`,
    );
  }
  const known = new Map<string, number>();
  for (const row of train.rows.toReversed()) known.set(train.table.digests[row] as string, row);
  const twice: string[] = [];
  for (const row of validation.rows) {
    const other = known.get(validation.table.digests[row] as string);
    if (other === undefined) continue;
    const [here, there] = [placeIn(validation.table, row), placeIn(train.table, other)];
    twice.push(`${here} is ${there}`);
  }
  if (twice.length > 0) {
    const places = `${twice.slice(0, 3).join(', ')}${twice.length > 3 ? ', …' : ''}`;
    warnings.push(`${counted(twice.length, 'text')} for validation also in the training set: ${places}.`);
  }
  const counts = [train, validation].map(({ classes, rows }) => {
    const count = new Int32Array(classNames.length);
    for (const row of rows) count[classes[row] as number] = (count[classes[row] as number] as number) + 1;
    return count;
  });
  const named = (part: 0 | 1, count: number) =>
    classNames.filter((_, i) => counts[part]?.[i] === count).map((name) => `"${name}"`);
  const [single, lacking] = [named(0, 1), named(1, 0)];
  if (single.length > 0) warnings.push(`The training set has one text only of ${listed(single)}.`);
  if (lacking.length > 0) warnings.push(`The validation set has no text of ${listed(lacking)}.`);
  return warnings;
}

const placeIn = ({ file, lines }: Table, row: number) => placeOf(path.basename(file), lines[row] as number);

const listed = (names: readonly string[]) =>
  `${names.slice(0, 10).join(', ')}${names.length > 10 ? `, … (${names.length} classes)` : ''}`;

const counted = (count: number, what: string) => `${count} ${what}${count > 1 ? 's' : ''}`;

const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);

/** 96 bits suffice for any number of texts that fits a memory. */
const digest = (text: string) => createHash('sha256').update(text).digest('base64').slice(0, 16);

function hashOf(sets: readonly TextSet[], classNames: readonly string[]): string {
  const hash = createHash('sha256').update(`${JSON.stringify(classNames)}\n`);
  for (const { count, ids, types, tokens, labels } of sets) {
    hash.update(`${count}\n`);
    for (const { buffer, byteOffset, byteLength } of [ids, types, tokens, labels]) {
      hash.update(new Uint8Array(buffer, byteOffset, byteLength));
    }
  }
  return `sha256:${hash.digest('hex')}`;
}

/** Rows of whole numbers, as many as come: in chunks, so that growing copies nothing. */
class IntRows {
  readonly #width: number;
  readonly #chunks: Int32Array[] = [];
  #count = 0;

  constructor(width: number) {
    this.#width = width;
  }

  /** One more row, of zeros. */
  add(): Int32Array {
    const at = this.#count++ % chunkRows;
    if (at === 0) this.#chunks.push(new Int32Array(chunkRows * this.#width));
    return (this.#chunks.at(-1) as Int32Array).subarray(at * this.#width, (at + 1) * this.#width);
  }

  pick(rows: Int32Array): Int32Array {
    const picked = new Int32Array(rows.length * this.#width);
    for (const [i, row] of rows.entries()) {
      const start = (row % chunkRows) * this.#width;
      const chunk = this.#chunks[Math.floor(row / chunkRows)] as Int32Array;
      picked.set(chunk.subarray(start, start + this.#width), i * this.#width);
    }
    return picked;
  }
}

const chunkRows = 1024;
