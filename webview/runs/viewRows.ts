/** What the run table shows, line by line: runs, or experiments with their runs folded or not. */
import type { RunRow } from '../../src/core/runRow.ts';

export interface RunLine {
  readonly kind: 'run';
  readonly row: RunRow;
}

export interface GroupLine {
  readonly kind: 'group';
  readonly experiment: string;
  readonly name: string;
  readonly count: number;
  readonly isFolded: boolean;
}

export type Line = RunLine | GroupLine;

/** Unique within a table. */
export const keyOf = (line: Line) => (line.kind === 'run' ? `run:${line.row.id}` : `group:${line.experiment}`);

/** A line for each run, in the order given. */
export const plainLines = (rows: readonly RunRow[]): Line[] => rows.map((row) => ({ kind: 'run', row }));

/**
 * The runs under their experiments. An experiment stands where its first run stood, and within it the two runs of a pair stand
 * together, so that the order of a sorted table stays as far as it can.
 */
export function groupedLines(rows: readonly RunRow[], folded: ReadonlySet<string>): Line[] {
  return [...groupsOf(rows, ({ experiment }) => experiment)].flatMap(([experiment, runs]): Line[] => {
    const isFolded = folded.has(experiment);
    const name = runs[0]?.name ?? experiment;
    const group: GroupLine = { kind: 'group', experiment, name, count: runs.length, isFolded };
    const pairs = groupsOf(runs, ({ pair, id }) => (pair === undefined ? `run ${id}` : `pair ${pair}`));
    return isFolded ? [group] : [group, ...plainLines([...pairs.values()].flat())];
  });
}

/** The part of a long table that is on the screen, and some lines more on both sides, in steps: few scrolls change it. */
export function visibleRange(
  count: number,
  scrolled: number,
  height: number,
  lineHeight: number,
): { readonly from: number; readonly to: number } {
  const first = Math.floor(scrolled / lineHeight / STEP) * STEP - STEP;
  const last = Math.ceil((scrolled + height) / lineHeight / STEP) * STEP + STEP;
  const to = Math.min(count, Math.max(STEP, last));
  return { from: Math.max(0, Math.min(first, to - STEP)), to };
}

const STEP = 10;

function groupsOf(rows: readonly RunRow[], key: (row: RunRow) => string): Map<string, RunRow[]> {
  const groups = new Map<string, RunRow[]>();
  for (const row of rows) {
    const group = groups.get(key(row));
    if (group) group.push(row);
    else groups.set(key(row), [row]);
  }
  return groups;
}
