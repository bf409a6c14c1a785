/** The charts that can be exported, by the names of the dashboard: which scalars each shows; any other scalar is one by its own name. */
import { nearestName, UserError } from '../../core/errors.ts';
import type { MetricTable } from '../../core/metricQuery.ts';
import type { ExportedRun } from './runs.ts';

/** One scalar of a chart. */
export interface Column {
  /** As `RunMetrics.names` lists it. */
  readonly name: string;
  /** What of a run it is, after the run's name in the legend. */
  readonly part: string;
  readonly dashed: boolean;
  /** Divided by another scalar of the same table. */
  readonly over?: string;
  readonly factor?: number;
}

export interface Chart {
  readonly name: string;
  readonly title: string;
  readonly y: { readonly title: string; readonly unit: string };
  readonly log: boolean;
  readonly table: MetricTable;
  readonly columns: readonly Column[];
  /** What is shown, as a sentence of the caption. */
  readonly about: string;
  readonly reference?: number;
  /** Averaged where an average is asked for; other scalars are what they are. */
  readonly smoothed: boolean;
  /** Equal in all runs by design: drawn once where it is. */
  readonly shared?: boolean;
}

const branches = (of: string): Column[] => [
  { name: `${of}.main`, part: 'main', dashed: false },
  { name: `${of}.sub`, part: 'sub', dashed: true },
];
const only = (name: string, more: Partial<Column> = {}): Column[] => [{ name, part: '', dashed: false, ...more }];

export const charts: readonly Chart[] = [
  {
    name: 'loss',
    title: 'Training loss',
    y: { title: 'Loss per batch', unit: '' },
    smoothed: true,
    log: false,
    table: 'steps',
    columns: branches('loss'),
    about: 'Of each branch, per batch.',
  },
  {
    name: 'accuracy',
    title: 'Validation accuracy',
    y: { title: 'Top-1', unit: '%' },
    smoothed: false,
    log: false,
    table: 'epochs',
    columns: [
      { name: 'validation.top1', part: '', dashed: false, factor: 100 },
      { name: 'validation.maskedTop1', part: 'masked', dashed: true, factor: 100 },
    ],
    about: 'Top-1; masked: with patches hidden at the mask ratio of the config.',
  },
  {
    name: 'grad-norm',
    title: 'Gradient norm',
    y: { title: 'L2 norm of the gradient', unit: '' },
    smoothed: true,
    log: false,
    table: 'steps',
    columns: branches('grad'),
    about: 'Global L2 norm for each branch, of its unhalved loss.',
  },
  {
    name: 'grad-ratio',
    title: 'Gradient ratio',
    y: { title: 'Gradient norm, sub / main', unit: '' },
    smoothed: true,
    log: true,
    table: 'steps',
    columns: only('grad.sub', { over: 'grad.main' }),
    about: 'Norm of the sub-branch over that of the main branch.',
    reference: 1,
  },
  {
    name: 'grad-cosine',
    title: 'Gradient cosine',
    y: { title: 'Cosine of main and sub', unit: '' },
    smoothed: true,
    log: false,
    table: 'steps',
    columns: only('grad.cosine'),
    about: 'Between the gradients of the two branches.',
    reference: 0,
  },
  {
    name: 'lr',
    title: 'Learning rate',
    y: { title: 'Learning rate', unit: '' },
    smoothed: false,
    log: false,
    table: 'steps',
    columns: only('learningRate'),
    about: 'As the optimizer takes it.',
    shared: true,
  },
  {
    name: 'throughput',
    title: 'Throughput',
    y: { title: 'Samples per second', unit: '' },
    smoothed: true,
    log: false,
    table: 'steps',
    columns: only('imagesPerSecond'),
    about: 'Samples that training takes in a second.',
  },
  {
    name: 'memory',
    title: 'Memory',
    y: { title: 'Resident memory', unit: 'B' },
    smoothed: false,
    log: false,
    table: 'steps',
    columns: only('memoryBytes'),
    about: 'Resident, of the training process.',
  },
];

/**
 * The charts of these names, or all that have values where there are none. Throws a `UserError` for a name that is neither a chart
 * nor a scalar of the runs.
 */
export function chooseCharts(names: readonly string[], runs: readonly ExportedRun[]): Chart[] {
  if (names.length === 0) {
    const some = charts.filter((chart) => hasValues(chart, runs));
    if (some.length > 0) return some;
    throw new UserError('There are no values to show yet.', { hint: 'Export again once the run has trained.' });
  }
  return [...new Set(names)].map((name) => {
    const chart = charts.find((one) => one.name === name) ?? chartOfScalar(name, runs);
    if (hasValues(chart, runs)) return chart;
    throw new UserError(
      `There are no values for the chart "${name}" in ${runs.length > 1 ? 'these runs' : 'this run'}.`,
      {
        hint: 'Leave it out.',
      },
    );
  });
}

/** True where one of the runs has one of the scalars. */
function hasValues({ table, columns }: Chart, runs: readonly ExportedRun[]): boolean {
  return runs.some(({ metrics }) => {
    const names = new Set(metrics.names(table));
    return columns.some(({ name, over }) => names.has(name) && (over === undefined || names.has(over)));
  });
}

const tables: readonly MetricTable[] = ['steps', 'epochs', 'layers'];

function chartOfScalar(name: string, runs: readonly ExportedRun[]): Chart {
  const table = tables.find((one) => runs.some(({ metrics }) => metrics.names(one).includes(name)));
  if (!table) {
    const known = [...charts.map((chart) => chart.name), ...tables.flatMap((one) => allNames(one, runs))];
    const near = nearestName(name, known);
    throw new UserError(`There is no chart and no scalar "${name}".`, {
      hint: near ? `Did you mean "${near}"?` : `Charts: ${charts.map((chart) => chart.name).join(', ')}.`,
    });
  }
  return {
    name,
    title: name,
    y: { title: name, unit: '' },
    smoothed: table !== 'epochs',
    log: false,
    table,
    columns: only(name),
    about: `As the events of ${table} hold it.`,
  };
}

/** Every scalar of a table that one of the runs has. */
export function allNames(table: MetricTable, runs: readonly ExportedRun[]): string[] {
  return [...new Set(runs.flatMap(({ metrics }) => metrics.names(table)))];
}
