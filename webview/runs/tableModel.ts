/** From the runs and a person's arrangement to what the table shows: pure, so that it can be tested without a page. */
import type { RunRow } from '../../src/core/runRow.ts';
import { type Column, configColumn, configColumnId, configKeyOf, extraColumns, fixedColumns } from './columns.ts';
import { configKeys, differingKeys } from './diffColumns.ts';
import { filterRows } from './filterRows.ts';
import { sortRows } from './sortRows.ts';
import { groupedLines, type Line, plainLines } from './viewRows.ts';
import type { ViewState } from './viewState.ts';

export interface TableModel {
  readonly lines: readonly Line[];
  /** The runs that the filter lets through, sorted, folded or not. */
  readonly rows: readonly RunRow[];
  readonly columns: readonly Column[];
  /** Every column that could be shown. */
  readonly choice: readonly Column[];
  /** Those that would be shown if a person had not changed anything. */
  readonly automatic: ReadonlySet<string>;
  /** Of the filter. */
  readonly problem: string | undefined;
}

/** More than these come only when a person asks: a table of every key helps nobody. */
const MOST_DIFFERENCES = 12;

export function tableModel(all: readonly RunRow[], view: ViewState, shown: ReadonlySet<string>): TableModel {
  const fixed = fixedColumns(all);
  const extra = extraColumns();
  const keys = configKeys(all);
  const ofConfig = keys.map((key) => configColumn(key, all));
  const { rows: filtered, problem } = filterRows(all, view.filter, [...fixed, ...extra, ...ofConfig], shown);
  const differing = differingKeys(filtered).slice(0, MOST_DIFFERENCES);
  const problems = filtered.some((row) => row.problem !== undefined) ? ['problem'] : [];
  const automatic = new Set([...fixed.map(({ id }) => id), ...problems, ...differing.map(configColumnId)]);
  const choice = [...fixed, ...extra, ...ofConfig];
  const isShown = ({ id }: Column) =>
    id === 'name' || (automatic.has(id) ? !view.removed.includes(id) : view.added.includes(id));
  const rows = sortRows(filtered, view.sorting, [starColumn, ...choice]);
  const lines = view.isGrouped ? groupedLines(rows, new Set(view.folded)) : plainLines(rows);
  return { lines, rows, columns: distinctTitles(choice.filter(isShown)), choice, automatic, problem };
}

/** Sorts by star; drawn by the table itself. */
export const starColumn: Column = {
  id: 'star',
  title: '',
  about: '',
  isNumber: false,
  width: 26,
  first: 'descending',
  value: ({ star }) => star,
  text: String,
};

/** Config keys are titled by their last part, where that names one column only; else in full. */
function distinctTitles(columns: readonly Column[]): Column[] {
  return columns.map((column) => {
    const key = configKeyOf(column.id);
    const isTaken = columns.some(
      ({ id, title }) => id !== column.id && title.toLowerCase() === column.title.toLowerCase(),
    );
    return key === undefined || !isTaken ? column : { ...column, title: key };
  });
}
