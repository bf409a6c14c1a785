/** How a person arranged the run table, as the page keeps it over a reload. */
import type { Sorting } from './sortRows.ts';

export interface ViewState {
  readonly sorting: Sorting;
  readonly filter: string;
  /** Columns that a person added, and those that they took away; all others come by themselves. */
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly isGrouped: boolean;
  /** Experiments that are folded. */
  readonly folded: readonly string[];
}

export const firstView: ViewState = {
  sorting: [{ column: 'began', direction: 'descending' }],
  filter: '',
  added: [],
  removed: [],
  isGrouped: false,
  folded: [],
};

/** What an earlier page saved; whatever is not as it should be is as at first. */
export function viewFrom(saved: unknown): ViewState {
  const { sorting, filter, added, removed, isGrouped, folded } = isObject(saved) ? saved : {};
  return {
    sorting: sortingFrom(sorting) ?? firstView.sorting,
    filter: typeof filter === 'string' ? filter : firstView.filter,
    added: texts(added),
    removed: texts(removed),
    isGrouped: typeof isGrouped === 'boolean' ? isGrouped : firstView.isGrouped,
    folded: texts(folded),
  };
}

function sortingFrom(value: unknown): Sorting | undefined {
  if (!Array.isArray(value)) return undefined;
  const keys = value.flatMap((key: unknown) => {
    const { column, direction } = isObject(key) ? key : {};
    const isDirection = direction === 'ascending' || direction === 'descending';
    return typeof column === 'string' && isDirection ? [{ column, direction } as const] : [];
  });
  return keys.slice(0, 2);
}

const texts = (value: unknown) => (Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []);
const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
