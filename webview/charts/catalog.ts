/** The charts of the dashboard: those of `core/charts.ts`, with how their numbers read here; `lineChart.ts` draws them. */
import { type ChartColumn, type LineChart, lineCharts, scalarChart } from '../../src/core/charts.ts';
import { bytes, significant } from '../../src/core/format.ts';
import { t } from '../../src/core/l10n.ts';
import { withMinus } from './ticks.ts';

/** Which numbers a line has: a column, times a factor. */
export interface Source {
  readonly table: 'steps' | 'epochs';
  readonly name: string;
  readonly factor?: number;
}

/** One line of every run that has the numbers. */
export interface Part extends Pick<ChartColumn, 'part' | 'second' | 'plainAlone'> {
  readonly source: Source;
}

/** The figure's id is `chart-<id>`. */
export interface ChartSpec
  extends Pick<LineChart, 'id' | 'title' | 'about' | 'log' | 'smoothed' | 'reference' | 'ofBranches' | 'shared'> {
  /** What is drawn and in which unit, under the title. */
  readonly unit: string;
  /** Shown while there are no points. */
  readonly empty: string;
  readonly format: (value: number) => string;
  /** Labels of the y axis where the numbers alone do not do. */
  readonly tick?: (value: number) => string;
  readonly parts: readonly Part[];
}

export const charts: readonly ChartSpec[] = lineCharts().map(specOf);

/** A scalar that a person added, by the name that its table has for it. */
export interface ExtraScalar {
  readonly table: 'steps' | 'epochs';
  readonly name: string;
}

export function extraChart({ table, name }: ExtraScalar): ChartSpec {
  return {
    ...specOf(scalarChart(table, name)),
    id: `extra-${table}-${name.replaceAll(/\W/g, (sign) => `-${sign.charCodeAt(0).toString(16)}-`)}`,
    unit: table === 'steps' ? t('per step') : t('per epoch'),
    empty: t('None of these runs has logged it.'),
  };
}

function specOf({ y, columns, table, ...rest }: LineChart): ChartSpec {
  const source = { table: table === 'epochs' ? 'epochs' : 'steps' } as const;
  return {
    ...rest,
    unit: y.title === rest.title ? '' : y.unit === '%' ? `${y.title}, %` : y.title,
    empty: emptyOf(table, columns),
    parts: columns.map(({ name, factor, ...part }) => ({
      ...part,
      source: { ...source, name, ...(factor === undefined ? {} : { factor }) },
    })),
    format: formatOf(rest.id, y.unit),
    ...(y.unit === 'B' ? { tick: bytes } : {}),
  };
}

function emptyOf(table: LineChart['table'], columns: readonly ChartColumn[]): string {
  if (table === 'steps') return t('Begins with the first step.');
  const isOfTraining = columns.some(({ name }) => name.startsWith('train.'));
  return isOfTraining ? t('Begins with the end of the first epoch.') : t('Begins with the first validation.');
}

function formatOf(id: string, unit: string): ChartSpec['format'] {
  if (unit === 'B') return bytes;
  if (id === 'grad-cosine') return (value) => withMinus(value.toFixed(2));
  if (unit === '%' && id !== 'data-wait') return (value) => value.toFixed(1);
  return (value) => withMinus(significant(value));
}
