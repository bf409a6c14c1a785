/** The confusion matrix of a validation as it is shown: counts, shares of a label, and which classes are taken for which. */

/** Largest matrix that is shown whole; of a larger one the classes with most errors. */
export const MOST_CLASSES = 60;
/** Classes up to which the matrix needs no help to be read. */
export const FEW_CLASSES = 20;

export interface Cell {
  readonly label: number;
  readonly predicted: number;
  readonly count: number;
  /** Of the samples with this label; 0 where there are none. */
  readonly share: number;
}

export interface MatrixView {
  /** The classes shown, ascending. */
  readonly classes: readonly number[];
  readonly rows: readonly (readonly Cell[])[];
  readonly isWhole: boolean;
  /** Validation samples ranked right, of all classes. */
  readonly right: number;
  readonly samples: number;
}

export function matrixView(confusion: readonly (readonly number[])[]): MatrixView {
  const all = confusion.map((_, label) => label);
  const isWhole = all.length <= MOST_CLASSES;
  const errors = errorsOf(confusion);
  const most = [...all].sort((a, b) => (errors[b] ?? 0) - (errors[a] ?? 0) || a - b).slice(0, MOST_CLASSES);
  const classes = isWhole ? all : most.sort((a, b) => a - b);
  const totals = confusion.map(sum);
  return {
    classes,
    rows: classes.map((label) => classes.map((predicted) => cellOf(confusion, totals, label, predicted))),
    isWhole,
    right: sum(all.map((label) => confusion[label]?.[label] ?? 0)),
    samples: sum(totals),
  };
}

/** Pairs of label and another class ranked first, most frequent first. */
export function mostConfused(confusion: readonly (readonly number[])[], most: number): Cell[] {
  const totals = confusion.map(sum);
  const cells = confusion.flatMap((row, label) =>
    row.flatMap((count, predicted) =>
      count > 0 && predicted !== label ? [cellOf(confusion, totals, label, predicted)] : [],
    ),
  );
  return cells.sort((a, b) => b.count - a.count || b.share - a.share || a.label - b.label).slice(0, most);
}

function cellOf(
  confusion: readonly (readonly number[])[],
  totals: readonly number[],
  label: number,
  predicted: number,
): Cell {
  const count = confusion[label]?.[predicted] ?? 0;
  const total = totals[label] ?? 0;
  return { label, predicted, count, share: total > 0 ? count / total : 0 };
}

/** Of each class, the samples that are missed and those wrongly taken for it. */
function errorsOf(confusion: readonly (readonly number[])[]): number[] {
  const errors = confusion.map((row, label) => sum(row) - (row[label] ?? 0));
  for (const [label, row] of confusion.entries()) {
    for (const [predicted, count] of row.entries()) {
      if (predicted !== label) errors[predicted] = (errors[predicted] ?? 0) + count;
    }
  }
  return errors;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
