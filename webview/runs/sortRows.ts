/** Sorts runs by a column and, among equals, by a second one. */
import type { RunRow } from '../../src/core/runRow.ts';
import type { Column, Value } from './columns.ts';

export interface SortKey {
  readonly column: string;
  readonly direction: 'ascending' | 'descending';
}

/** At most two: a third one decides between runs that nobody tells apart. */
export type Sorting = readonly SortKey[];

const words = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' });

/** A new list; equal runs keep their order. NaN and missing values come last in both directions. */
export function sortRows(rows: readonly RunRow[], sorting: Sorting, columns: readonly Column[]): RunRow[] {
  const keys = sorting.flatMap(({ column, direction }) => {
    const found = columns.find(({ id }) => id === column);
    return found ? [{ values: new Map(rows.map((row) => [row, found.value(row)])), direction }] : [];
  });
  if (keys.length === 0) return [...rows];
  return [...rows].sort((a, b) => {
    for (const { values, direction } of keys) {
      const order = compareValues(values.get(a), values.get(b), direction);
      if (order !== 0) return order;
    }
    return 0;
  });
}

/** What a click on a header makes of the sorting: its column's own direction, then the other one, then none. */
export function nextSorting(sorting: Sorting, column: Column, isSecond: boolean): Sorting {
  const own = sorting.find((key) => key.column === column.id);
  const rest = sorting.filter((key) => key.column !== column.id);
  const opposite = column.first === 'ascending' ? 'descending' : 'ascending';
  const next: Sorting = !own
    ? [{ column: column.id, direction: column.first }]
    : own.direction === column.first
      ? [{ column: column.id, direction: opposite }]
      : [];
  if (!isSecond) return next;
  if (own) return sorting.flatMap((key) => (key === own ? next : [key]));
  return [...rest.slice(0, 1), ...next];
}

function compareValues(a: Value, b: Value, direction: SortKey['direction']): number {
  const [rankA, rankB] = [rankOf(a), rankOf(b)];
  if (rankA === MISSING || rankB === MISSING || rankA !== rankB) return rankA - rankB;
  const order = typeof a === 'string' && typeof b === 'string' ? words.compare(a, b) : difference(Number(a), Number(b));
  return direction === 'ascending' ? order : -order;
}

const MISSING = 3;

/** Unlike kinds do not compare; they stand apart in this order. */
function rankOf(value: Value): number {
  if (value === undefined || (typeof value === 'number' && Number.isNaN(value))) return MISSING;
  return typeof value === 'number' ? 0 : typeof value === 'boolean' ? 1 : 2;
}

const difference = (a: number, b: number) => (a < b ? -1 : a > b ? 1 : 0);
