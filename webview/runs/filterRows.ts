/**
 * The filter of the run table: words, `key:value`, `key>number`, `state:failed`, `is:starred`; `-` before a term turns it round, and
 * quotes hold spaces. All terms must hold.
 */
import { t } from '../../src/core/l10n.ts';
import type { RunRow } from '../../src/core/runRow.ts';
import { type Column, configKeyOf, type Value } from './columns.ts';
import { configKeys } from './diffColumns.ts';

export interface Filtered {
  readonly rows: readonly RunRow[];
  /** What was not understood, for a person; the other terms count. */
  readonly problem: string | undefined;
}

type Test = (row: RunRow) => boolean;

/** The runs that the text lets through. `columns` names what may be compared; `shown` are the ids that the charts show. */
export function filterRows(
  rows: readonly RunRow[],
  text: string,
  columns: readonly Column[],
  shown: ReadonlySet<string>,
): Filtered {
  const problems: string[] = [];
  const tests: Test[] = [];
  const keys = new Keys(rows, columns);
  for (const term of termsOf(text)) {
    const isNegated = term.length > 1 && term.startsWith('-') && !/^-\d/.test(term);
    const made = testOf(isNegated ? term.slice(1) : term, keys, shown);
    if (typeof made === 'string') problems.push(made);
    else tests.push(isNegated ? (row) => !made(row) : made);
  }
  if (isOpen(text)) problems.push(t('A quote is not closed.'));
  return {
    rows: rows.filter((row) => tests.every((test) => test(row))),
    problem: problems.length > 0 ? problems.join(' ') : undefined,
  };
}

/** Separated by spaces, but for those within quotes. */
function termsOf(text: string): string[] {
  return text.match(/(?:"[^"]*"?|[^\s"])+/g) ?? [];
}

const isOpen = (text: string) => (text.match(/"/g)?.length ?? 0) % 2 === 1;
const unquoted = (text: string) => text.replaceAll('"', '');

function testOf(term: string, keys: Keys, shown: ReadonlySet<string>): Test | string {
  const [, key, operator, wanted] = /^([^\s":<>=!]+)(:|>=|<=|!=|[<>=])(.*)$/s.exec(term) ?? [];
  if (key === undefined || operator === undefined || wanted === undefined) return wordTest(unquoted(term));
  const value = unquoted(wanted);
  if (value === '') return t('Nothing follows “{0}”.', `${key}${operator}`);
  if (key.toLowerCase() === 'is') return isTest(value, shown);
  const read = keys.reader(key);
  if (!read) return t('No run has “{0}”. To look for the text itself, put it in quotes.', key);
  if (operator === ':') return (row) => read(row).some((own) => holds(own, value));
  if (operator === '=' || operator === '!=') {
    const isEqual: Test = (row) => read(row).some((own) => equals(own, value));
    return operator === '=' ? isEqual : (row) => !isEqual(row);
  }
  const limit = Number(value);
  if (Number.isNaN(limit)) return t('“{0}” is no number.', value);
  const compare = comparisons[operator as keyof typeof comparisons];
  return (row) => read(row).some((own) => typeof own === 'number' && compare(own, limit));
}

const comparisons = {
  '>': (a: number, b: number) => a > b,
  '>=': (a: number, b: number) => a >= b,
  '<': (a: number, b: number) => a < b,
  '<=': (a: number, b: number) => a <= b,
} as const;

function wordTest(word: string): Test {
  const wanted = word.toLowerCase();
  return ({ id, name, tags, notes, method, dataset, model }) =>
    [id, name, notes, method, dataset, model ?? '', ...tags].some((own) => own.toLowerCase().includes(wanted));
}

function isTest(what: string, shown: ReadonlySet<string>): Test | string {
  switch (what.toLowerCase()) {
    case 'starred':
      return ({ star }) => star;
    case 'shown':
      return ({ id }) => shown.has(id);
    case 'problem':
      return ({ problem }) => problem !== undefined;
    default:
      return t('“is:{0}” is not known: is:starred, is:shown or is:problem.', what);
  }
}

/** What a word before a sign may name: a column, or a key of the config, in full or by its last part. */
class Keys {
  readonly #columns: ReadonlyMap<string, Column>;
  readonly #configs: ReadonlyMap<string, readonly Column[]>;

  constructor(rows: readonly RunRow[], columns: readonly Column[]) {
    const own = columns.filter(({ id }) => configKeyOf(id) === undefined);
    this.#columns = new Map(own.map((column) => [column.id.toLowerCase(), column]));
    const configs = new Map<string, Column[]>();
    for (const key of configKeys(rows)) {
      const column = columns.find(({ id }) => configKeyOf(id) === key);
      if (!column) continue;
      for (const name of new Set([key.toLowerCase(), (key.split('.').at(-1) ?? key).toLowerCase()])) {
        configs.set(name, [...(configs.get(name) ?? []), column]);
      }
    }
    this.#configs = configs;
  }

  /** Gives a run's values under that name; a state, method or data set under its title and under its name. */
  reader(key: string): ((row: RunRow) => Value[]) | undefined {
    const name = key.toLowerCase();
    const column = this.#columns.get(name);
    if (column) return (row) => [column.value(row), rawOf(name, row)];
    const configs = this.#configs.get(name);
    return configs && ((row) => configs.map((config) => config.value(row)));
  }
}

function rawOf(name: string, row: RunRow): Value {
  return name === 'state' ? row.state : name === 'method' ? row.method : name === 'dataset' ? row.dataset : undefined;
}

/** A text holds what it contains; a number only itself. */
function holds(own: Value, wanted: string): boolean {
  if (typeof own === 'string') return own.toLowerCase().includes(wanted.toLowerCase());
  return equals(own, wanted);
}

function equals(own: Value, wanted: string): boolean {
  if (own === undefined) return false;
  if (typeof own === 'number') return own === Number(wanted) || (Number.isNaN(own) && wanted.toLowerCase() === 'nan');
  return String(own).toLowerCase() === wanted.toLowerCase();
}
