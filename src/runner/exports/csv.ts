/** Scalars as comma-separated values (RFC 4180): every row of every run, nothing thinned. */
import type { Chart } from '../../core/charts.ts';
import { differenceOver, pointsOf } from '../../core/comparing.ts';
import type { MetricTable } from '../../core/metricQuery.ts';
import { pairsAmong } from '../../core/pairSets.ts';
import { allNames, columnsOf } from './charts.ts';
import { type Row, rowsOf } from './rows.ts';
import type { ExportedRun } from './runs.ts';

interface Cells {
  readonly table: MetricTable;
  readonly name: string;
}

/** Of a method's run: its validation top-1 minus that of its baseline at the same epoch. */
const difference = 'difference.top1';

/** Line by line; the scalars of the charts, or of the tables of steps and epochs where there are none. */
export function* csvLines(runs: readonly ExportedRun[], charts: readonly Chart[]): Generator<string> {
  const all = (['steps', 'epochs'] as const).flatMap((table) => allNames(table, runs).map((name) => ({ table, name })));
  const columns = (charts.length > 0 ? charts.flatMap((chart) => cellsOf(chart, runs)) : all).filter(
    ({ table, name }, i, list) => list.findIndex((other) => other.table === table && other.name === name) === i,
  );
  const differences = columns.some(({ name }) => name === difference) ? differencesByRun(runs) : new Map();
  const keys = ['run', 'method', 'seed', 'step', 'epoch', 'time', 'images', 'flops'];
  yield lineOf([...keys, ...columns.map(({ name }) => name)].map(textCell));
  for (const run of runs) {
    const { method = '', seed = '' } = run.state.start ?? {};
    const own = differences.get(run);
    for (const row of rowsOf(run.folder)) {
      const byName = new Map(valuesOf(row, own));
      const cells = columns.map((column) => (column.table === row.table ? byName.get(column.name) : undefined));
      if (cells.every((cell) => cell === undefined)) continue;
      const { step, epoch, time, images, flops } = row;
      const numbers = [step, epoch, time, images, flops, ...cells];
      yield lineOf([textCell(run.id), textCell(method), String(seed), ...numbers.map((cell) => String(cell ?? ''))]);
    }
  }
}

function cellsOf(chart: Chart, runs: readonly ExportedRun[]): Cells[] {
  switch (chart.kind) {
    case 'lines':
      return chart.columns.map(({ name }) => ({ table: chart.table, name }));
    case 'layers':
      return columnsOf(chart, runs).map((name) => ({ table: 'layers', name }));
    case 'difference':
      return ['validation.top1', difference].map((name) => ({ table: 'epochs', name }));
  }
}

function valuesOf({ table, epoch, values }: Row, differences: ReadonlyMap<number, number> | undefined): Row['values'] {
  const value = table === 'epochs' ? differences?.get(epoch) : undefined;
  return value === undefined ? values : [...values, [difference, value]];
}

/** By the epoch; also of a pair whose seed another has, for nothing is tested here. */
function differencesByRun(runs: readonly ExportedRun[]): Map<ExportedRun, ReadonlyMap<number, number>> {
  return new Map(
    pairsAmong(runs.map((run) => ({ ...run, of: run, config: undefined }))).map(
      ({ runs: [baseline, { of: method }] }) => {
        const [before, after] = [pointsOf(baseline.state, 'top1', 'epoch'), pointsOf(method.state, 'top1', 'epoch')];
        return [method, new Map(differenceOver(before, after).map(({ x, y }) => [x, y]))];
      },
    ),
  );
}

const lineOf = (cells: readonly string[]) => `${cells.join(',')}\r\n`;

/** A text that no spreadsheet takes for a formula, in quotes where it needs them. */
export function textCell(text: string): string {
  const harmless = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
