/** The columns of the run table: what each shows of a run, in which unit, and how it sorts. */
import { titleOf } from '../../src/core/comparison.ts';
import { configValue } from '../../src/core/flatten.ts';
import { significant } from '../../src/core/format.ts';
import { t } from '../../src/core/l10n.ts';
import { stateTitle } from '../../src/core/run.ts';
import type { RunRow } from '../../src/core/runRow.ts';

/** A value as it sorts and filters; nothing where the run has none. */
export type Value = string | number | boolean | undefined;

export interface Column {
  /** That of a config key is `config:<key>`. */
  readonly id: string;
  readonly title: string;
  readonly unit?: string;
  /** How it was computed, for the header's tooltip. */
  readonly about: string;
  readonly isNumber: boolean;
  /** In pixels. */
  readonly width: number;
  /** What a person most likely wants on top. */
  readonly first: 'ascending' | 'descending';
  /** In the unit of the column. */
  readonly value: (row: RunRow) => Value;
  readonly text: (value: Value) => string;
}

/** The columns that every table can show, in their order; the last ones before those of the config are a person's own words. */
export function fixedColumns(rows: readonly RunRow[]): Column[] {
  const baselines = baselinesOf(rows);
  return [
    text('name', t('Name'), t('The experiment’s name.'), 200, ({ name }) => name),
    text('state', t('State'), t('How the run stands.'), 92, ({ state }) => stateTitle(state)),
    text('method', t('Method'), t('How it was trained.'), 92, ({ method }) => (method ? titleOf(method) : undefined)),
    number('seed', t('Seed'), '', t('Of every random stream.'), 48, ({ seed }) => seed, String, 'ascending'),
    number('top1', t('Accuracy'), '%', t('Top-1 of the last validation.'), 66, ({ top1 }) => inPercent(top1), fixed(2)),
    number(
      'difference',
      t('− baseline'),
      t('points'),
      t('Accuracy minus that of the baseline of the same pair, where both are at the same epoch.'),
      112,
      (row) => differenceToBaseline(row, baselines),
      signed,
    ),
    number(
      'masked',
      t('Masked accuracy'),
      '%',
      t('Top-1 of the last validation, with patches hidden.'),
      112,
      ({ maskedTop1 }) => inPercent(maskedTop1),
      fixed(2),
    ),
    number('best', t('Best'), '%', t('The best accuracy on the way.'), 62, ({ best }) => inPercent(best), fixed(2)),
    number(
      'loss',
      t('Loss'),
      '',
      t('Cross-entropy of the last validation.'),
      62,
      ({ loss }) => loss,
      fixed(4),
      'ascending',
    ),
    number(
      'epochs',
      t('Epochs'),
      '',
      t('Completed epochs.'),
      60,
      ({ epochs }) => epochs,
      (value) => (Number.isInteger(value) ? String(value) : value.toFixed(2)),
    ),
    number('time', t('Time'), 'h:mm:ss', t('Wall clock.'), 88, ({ seconds }) => seconds, clock, 'ascending'),
    number(
      'compute',
      t('Compute'),
      'TFLOP',
      t('Floating-point operations, analytic; a backward pass counts as two forward passes.'),
      104,
      ({ flops }) => (flops === undefined ? undefined : flops / 1e12),
      significant,
      'ascending',
    ),
    number(
      'memory',
      t('Peak memory'),
      'MB',
      t('Of the process that trained.'),
      116,
      ({ peakMemoryBytes }) => (peakMemoryBytes === undefined ? undefined : peakMemoryBytes / 1e6),
      fixed(0),
      'ascending',
    ),
    {
      ...text('began', t('Began'), t('Local time.'), 142, ({ at }) => (at === '' ? undefined : at)),
      first: 'descending',
      text: (value) => localTime(String(value ?? '')),
    },
    text('tags', t('Tags'), t('Your words; edit them in the details (Enter).'), 120, ({ tags }) => joined(tags)),
    text(
      'notes',
      t('Notes'),
      t('Your words; edit them in the details (Enter).'),
      160,
      ({ notes }) => notes || undefined,
    ),
  ];
}

/** Columns that are there to be found but not shown at first. */
export function extraColumns(): Column[] {
  return [
    text('dataset', t('Data set'), t('What it was trained on.'), 120, ({ dataset }) =>
      dataset ? titleOf(dataset) : undefined,
    ),
    text('model', t('Model'), t('The model’s name in the config.'), 80, ({ model }) => model),
    text('role', t('Role'), t('Which half of a pair it is.'), 76, ({ role }) => role),
    text('id', t('Folder'), t('The name of its folder, which is its id.'), 220, ({ id }) => id),
    text('problem', t('Problem'), t('What is wrong with the run or its folder.'), 220, ({ problem }) => problem),
  ];
}

const CONFIG = 'config:';

export const configColumnId = (key: string) => `${CONFIG}${key}`;

/** The config key of a column's id, or nothing where it is no column of the config. */
export const configKeyOf = (id: string) => (id.startsWith(CONFIG) ? id.slice(CONFIG.length) : undefined);

/** Right-aligned where every run that has the key has a number there. */
export function configColumn(key: string, rows: readonly RunRow[]): Column {
  const values = rows.map(({ config }) => configValue(config, key)).filter((value) => value !== undefined);
  const isNumber = values.length > 0 && values.every((value) => typeof value === 'number');
  const last = key.split('.').at(-1) ?? key;
  return {
    id: configColumnId(key),
    title: last,
    about: key,
    isNumber,
    width: 76,
    first: 'ascending',
    value: ({ config }) => configValue(config, key),
    text: (value) => (value === undefined ? '' : String(value)),
  };
}

/** Top-1 minus that of its baseline, in points; only where both stand at the same epoch. */
export function differenceToBaseline(row: RunRow, baselines: ReadonlyMap<string, RunRow>): number | undefined {
  const baseline = row.pair === undefined || row.role === 'baseline' ? undefined : baselines.get(row.pair);
  if (baseline?.top1 === undefined || row.top1 === undefined || baseline.epochs !== row.epochs) return undefined;
  return 100 * (row.top1 - baseline.top1);
}

export function baselinesOf(rows: readonly RunRow[]): Map<string, RunRow> {
  return new Map(
    rows.flatMap((row) => (row.role === 'baseline' && row.pair !== undefined ? [[row.pair, row] as const] : [])),
  );
}

/** 2026-11-25 20:38, in the time zone of the reader: sorts by eye as it sorts. */
export function localTime(iso: string): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return iso;
  const two = (value: number) => String(value).padStart(2, '0');
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('-');
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

function text(id: string, title: string, about: string, width: number, value: (row: RunRow) => Value): Column {
  return { id, title, about, isNumber: false, width, first: 'ascending', value, text: (shown) => String(shown ?? '') };
}

function number(
  id: string,
  title: string,
  unit: string,
  about: string,
  width: number,
  value: (row: RunRow) => number | undefined,
  format: (value: number) => string,
  first: Column['first'] = 'descending',
): Column {
  const show = (shown: Value) => {
    if (typeof shown !== 'number') return '';
    return Number.isFinite(shown) ? format(shown) : String(shown);
  };
  return { id, title, ...(unit ? { unit } : {}), about, isNumber: true, width, first, value, text: show };
}

const inPercent = (fraction: number | undefined) => (fraction === undefined ? undefined : 100 * fraction);
const fixed = (digits: number) => (value: number) => value.toFixed(digits);
const signed = (value: number) => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(2)}`;
const joined = (tags: readonly string[]) => (tags.length > 0 ? tags.join(', ') : undefined);

function clock(seconds: number): string {
  const whole = Math.round(seconds);
  const two = (value: number) => String(value).padStart(2, '0');
  return `${Math.floor(whole / 3600)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
}
