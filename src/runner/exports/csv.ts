/** Scalars as comma-separated values (RFC 4180): every row of every run, nothing thinned. */
import { allNames, type Chart } from './charts.ts';
import { rowsOf } from './rows.ts';
import type { ExportedRun } from './runs.ts';

/** Line by line; the scalars of the charts, or of the tables of steps and epochs where there are none. */
export function* csvLines(runs: readonly ExportedRun[], charts: readonly Chart[]): Generator<string> {
  const chosen = charts.flatMap(({ table, columns }) =>
    columns.flatMap(({ name, over }) =>
      [name, ...(over === undefined ? [] : [over])].map((one) => ({ table, name: one })),
    ),
  );
  const all = (['steps', 'epochs'] as const).flatMap((table) => allNames(table, runs).map((name) => ({ table, name })));
  const columns = (charts.length > 0 ? chosen : all).filter(
    ({ table, name }, i, list) => list.findIndex((other) => other.table === table && other.name === name) === i,
  );
  const keys = ['run', 'method', 'seed', 'step', 'epoch', 'time', 'images', 'flops'];
  yield lineOf([...keys, ...columns.map(({ name }) => name)].map(textCell));
  for (const { id, folder, state } of runs) {
    const { method = '', seed = '' } = state.start ?? {};
    for (const { table, step, epoch, time, images, flops, values } of rowsOf(folder)) {
      const byName = new Map(values);
      const cells = columns.map((column) => (column.table === table ? byName.get(column.name) : undefined));
      if (cells.every((cell) => cell === undefined)) continue;
      const numbers = [step, epoch, time, images, flops, ...cells];
      yield lineOf([textCell(id), textCell(method), String(seed), ...numbers.map((cell) => String(cell ?? ''))]);
    }
  }
}

const lineOf = (cells: readonly string[]) => `${cells.join(',')}\r\n`;

/** A text that no spreadsheet takes for a formula, in quotes where it needs them. */
export function textCell(text: string): string {
  const harmless = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
