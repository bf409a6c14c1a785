/** Tables of labelled texts, row by row: CSV and TSV (RFC 4180, with a header), JSON lines and Parquet. */
import { createReadStream } from 'node:fs';
import { CsvError, parse } from 'csv-parse/sync';
import {
  asyncBufferFromFile,
  type FileMetaData,
  parquetMetadataAsync,
  parquetReadObjects,
  parquetSchema,
} from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { nearestName, UserError } from '../core/errors.ts';
import { listed } from '../core/format.ts';
import { fileError, lookAt, unreadableParquet } from './dataFile.ts';

export interface TextRow {
  /** The line of the file where it begins, or of a Parquet file its number; from 1. */
  readonly line: number;
  readonly text: string;
  /** The second text of a pair. */
  readonly pair?: string | undefined;
  /** Without blanks around it; empty where there is none. */
  readonly label: string;
}

export interface TextColumns {
  readonly text: string;
  readonly pair?: string | undefined;
  readonly label: string;
}

/** What a table's file name may end with. */
export const tableFormats = ['csv', 'tsv', 'jsonl', 'parquet'] as const;

/** The rows in their order; no more than a block of them is in memory. Throws a `UserError` that names the line. */
export async function* readRows(file: string, columns: TextColumns): AsyncGenerator<TextRow> {
  const format = tableFormats.find((name) => file.toLowerCase().endsWith(`.${name}`));
  if (!format) {
    throw new UserError(
      `${file}: expected a name that ends with ${tableFormats.map((name) => `.${name}`).join(', ')}.`,
      {
        hint: 'Rename the file, or convert it to one of these formats.',
      },
    );
  }
  if ((await lookAt(file))?.size === 0) {
    throw new UserError(`${file}: the file is empty (0 bytes).`, { hint: 'Get or make this file again.' });
  }
  if (format === 'parquet') yield* parquetRows(file, columns);
  else if (format === 'jsonl') yield* jsonRows(file, columns);
  else yield* separatedRows(file, columns, format === 'tsv' ? '\t' : ',');
}

/** A place in a table, for messages. */
export const placeOf = (file: string, line: number) =>
  file.toLowerCase().endsWith('.parquet') ? `${file}, row ${line}` : `${file}:${line}`;

/** What a text, or a stray quote, may have at most. */
const longestRecord = 16 * 2 ** 20;

async function* separatedRows(file: string, columns: TextColumns, delimiter: string): AsyncGenerator<TextRow> {
  let at: { text: number; pair: number; label: number; count: number } | undefined;
  for await (const { line, fields } of records(file, delimiter)) {
    if (!at) {
      checkColumns(columns, fields, placeOf(file, line), delimiter === '\t' ? 'tabs' : 'commas');
      const { text, pair, label } = columns;
      at = {
        text: fields.indexOf(text),
        pair: pair ? fields.indexOf(pair) : -1,
        label: fields.indexOf(label),
        count: fields.length,
      };
      continue;
    }
    if (fields.length !== at.count) {
      throw new UserError(
        `${placeOf(file, line)}: expected ${at.count} fields as in the header, found ${fields.length}.`,
        {
          hint: `Put text that holds ${delimiter === '\t' ? 'a tab' : 'a comma'} or a line break into double quotes.`,
        },
      );
    }
    const [text = '', label = ''] = [fields[at.text], fields[at.label]];
    yield { line, text, pair: columns.pair && fields[at.pair], label: label.trim() };
  }
}

/**
 * Records with the line where each begins: a record is complete where its quotes are even in number. The parser gets blocks of whole
 * records, and says which one is wrong; where a quote is too many, the rest of the file is its block, up to a bound.
 */
async function* records(file: string, delimiter: string): AsyncGenerator<{ line: number; fields: string[] }> {
  let block = '';
  let lines: number[] = [];
  let isInside = false;
  const parsed = () => {
    const found = parseBlock(file, block, lines, delimiter);
    const starts = lines;
    [block, lines] = ['', []];
    return found.map((fields, i) => ({ line: starts[i] ?? 0, fields }));
  };
  for await (const { line, text } of linesOf(file)) {
    if (!isInside && /^\r?\n?$/.test(text)) continue;
    if (!isInside) lines.push(line);
    block += text;
    for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', at + 1)) isInside = !isInside;
    const isFull = isInside ? block.length > longestRecord : block.length > 2 ** 16;
    if (isFull) yield* parsed();
  }
  yield* parsed();
}

function parseBlock(file: string, block: string, lines: readonly number[], delimiter: string): string[][] {
  const options = { delimiter, record_delimiter: ['\r\n', '\n'], relax_column_count: true, skip_empty_lines: true };
  try {
    return parse(block, options);
  } catch (cause) {
    if (!(cause instanceof CsvError)) throw cause;
    const line = lines[Number(cause.records)] ?? lines.at(-1) ?? 1;
    throw new UserError(`${placeOf(file, line)}: the record that begins here has a stray quote (").`, {
      hint: 'Put the field into double quotes, and write each double quote within it twice.',
      cause,
    });
  }
}

async function* jsonRows(file: string, columns: TextColumns): AsyncGenerator<TextRow> {
  for await (const { line, text } of linesOf(file)) {
    if (text.trim() === '') continue;
    const place = placeOf(file, line);
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (cause) {
      throw new UserError(`${place}: this line is no JSON: ${(cause as Error).message}.`, {
        hint: 'Write one JSON object a line.',
        cause,
      });
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new UserError(`${place}: expected a JSON object, found ${nameOf(value)}.`, {
        hint: 'Write one JSON object a line, and no list around them.',
      });
    }
    const row = value as Record<string, unknown>;
    checkColumns(columns, Object.keys(row), place);
    yield rowOf(row, columns, line, place);
  }
}

async function* parquetRows(file: string, columns: TextColumns): AsyncGenerator<TextRow> {
  const buffer = await asyncBufferFromFile(file).catch((cause: unknown) => {
    throw fileError(file, cause);
  });
  let metadata: FileMetaData;
  let names: string[];
  try {
    metadata = await parquetMetadataAsync(buffer);
    names = parquetSchema(metadata).children.map(({ element }) => element.name);
  } catch (cause) {
    throw unreadableParquet(file, cause);
  }
  checkColumns(columns, names, file);
  const wanted = Object.values(columns).filter((name): name is string => name !== undefined);
  const parsers = { stringFromBytes: (bytes: Uint8Array) => strict.decode(bytes) };
  let rowStart = 0;
  for (const group of metadata.row_groups) {
    const rowEnd = rowStart + Number(group.num_rows);
    const options = { file: buffer, metadata, compressors, parsers, columns: wanted, rowStart, rowEnd };
    const rows = await parquetReadObjects(options).catch((cause: unknown) => {
      throw unreadableParquet(file, cause);
    });
    for (const row of rows) yield rowOf(row, columns, ++rowStart, placeOf(file, rowStart));
  }
}

function rowOf(row: Record<string, unknown>, columns: TextColumns, line: number, place: string): TextRow {
  const textOf = (column: string) => {
    const value = row[column] ?? '';
    if (typeof value === 'string') return value;
    throw new UserError(`${place}: expected a text as "${column}", found ${nameOf(value)}.`, {
      hint: 'Name another column, or correct the file.',
    });
  };
  return {
    line,
    text: textOf(columns.text),
    pair: columns.pair === undefined ? undefined : textOf(columns.pair),
    label: labelOf(row[columns.label], columns.label, place),
  };
}

function labelOf(value: unknown, column: string, place: string): string {
  if (value === undefined || value === null || Number.isNaN(value)) return '';
  if (typeof value === 'string') return value.trim();
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return String(value);
  throw new UserError(`${place}: expected a label as "${column}", found ${nameOf(value)}.`, {
    hint: 'A label is a string, a number, true or false.',
  });
}

function checkColumns(columns: TextColumns, present: readonly string[], place: string, separator?: string): void {
  for (const [key, column] of Object.entries(columns)) {
    if (column === undefined || present.includes(column)) continue;
    const nearest = nearestName(column, present.slice(0, 1000));
    const separated = separator && present.length === 1 ? `, which is not separated by ${separator}` : '';
    throw new UserError(
      `${place}: no column "${column}"; there is ${
        listed(
          present.map((name) => `"${name.slice(0, 80)}"`),
          20,
        ) || 'none'
      }${separated}.`,
      {
        hint: `Name it as "data.${key}Column"${nearest ? `; did you mean "${nearest}"?` : '.'}`,
      },
    );
  }
}

/** Lines with their ends, from 1; the byte order mark is left out. */
async function* linesOf(file: string): AsyncGenerator<{ line: number; text: string }> {
  let line = 0;
  let rest: Buffer = Buffer.alloc(0);
  const decode = (bytes: Uint8Array) => {
    line++;
    try {
      const text = strict.decode(bytes);
      return { line, text: line === 1 ? text.replace(/^\ufeff/, '') : text };
    } catch (cause) {
      throw new UserError(`${file}:${line}: this line is not in UTF-8.`, { hint: 'Save the file as UTF-8.', cause });
    }
  };
  try {
    for await (const bytes of createReadStream(file, { highWaterMark: 2 ** 20 })) {
      let chunk: Buffer = rest.length > 0 ? Buffer.concat([rest, bytes]) : bytes;
      for (let end = chunk.indexOf(0x0a); end >= 0; end = chunk.indexOf(0x0a)) {
        yield decode(chunk.subarray(0, end + 1));
        chunk = chunk.subarray(end + 1);
      }
      rest = chunk;
      if (rest.length > longestRecord) {
        throw new UserError(`${file}:${line + 1}: this line has more than ${longestRecord} bytes.`, {
          hint: 'Write one record a line, and cut the texts.',
        });
      }
    }
  } catch (cause) {
    throw cause instanceof UserError ? cause : fileError(file, cause);
  }
  if (rest.length > 0) yield decode(rest);
}

/** Keeps a byte order mark: within a text it is a character like others. */
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const nameOf = (value: unknown) =>
  value === null
    ? 'null'
    : Array.isArray(value)
      ? 'a list'
      : typeof value === 'object'
        ? 'an object'
        : `a ${typeof value}`;
