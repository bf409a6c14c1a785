/** The charts of a run in their order: what each shows of its scalars and in which words, for the dashboard and for exports alike. */
import { t } from './l10n.ts';
import { type LayerNumber, layerNumbers } from './layers.ts';
import type { MetricTable } from './metricQuery.ts';

/** One line of every run that has the numbers. */
export interface ChartColumn {
  /** As `RunMetrics.names` lists it. */
  readonly name: string;
  /** What of a run it is, after the run's name; '' for a chart's only one. */
  readonly part: string;
  /** Dashed, and left out by default where there are many runs: the sub-branch, or masked inputs. */
  readonly second?: true;
  /** The part can be left out for a run that has no second line. */
  readonly plainAlone?: true;
  readonly factor?: number;
}

interface Titled {
  /** What `masksub export --chart` takes. */
  readonly id: string;
  readonly title: string;
  /** What is shown, as a sentence. */
  readonly about: string;
}

/** Lines of the columns of a table. */
export interface LineChart extends Titled {
  readonly kind: 'lines';
  readonly y: { readonly title: string; readonly unit: string };
  readonly log: boolean;
  /** Drawn as an average, with the values behind it, where one is asked for. */
  readonly smoothed: boolean;
  /** A value of special meaning, drawn as a thin line. */
  readonly reference?: number;
  /** Compares the branches of a run. */
  readonly ofBranches?: true;
  /** The runs of a pair have the same values by design: one line for both. */
  readonly shared?: true;
  readonly table: MetricTable;
  readonly columns: readonly ChartColumn[];
}

/** Numbers of each layer as colours. */
export interface LayersChart extends Titled {
  readonly kind: 'layers';
  readonly numbers: readonly LayerNumber[];
}

/** Validation accuracy of a method minus that of its baseline. */
export interface DifferenceChart extends Titled {
  readonly kind: 'difference';
  readonly y: { readonly title: string; readonly unit: string };
}

export type Chart = LineChart | LayersChart | DifferenceChart;

/** The charts of lines, in the language that is set. */
export function lineCharts(): readonly LineChart[] {
  const inPercent = { factor: 100 };
  const branches = (of: 'loss' | 'grad'): readonly ChartColumn[] => [
    { name: `${of}.main`, part: t('main'), plainAlone: true },
    { name: `${of}.sub`, part: t('sub'), second: true },
  ];
  const only = (name: string, more: Partial<ChartColumn> = {}): readonly ChartColumn[] => [{ name, part: '', ...more }];
  const steps = { kind: 'lines', table: 'steps', log: false, smoothed: true } as const;
  const epochs = { kind: 'lines', table: 'epochs', log: false, smoothed: false } as const;
  return [
    {
      ...steps,
      id: 'loss',
      title: t('Training loss'),
      y: { title: t('Loss per batch'), unit: '' },
      about: t('Of each branch, per batch.'),
      columns: branches('loss'),
    },
    {
      ...epochs,
      id: 'accuracy',
      title: t('Validation accuracy'),
      y: { title: t('Top-1'), unit: '%' },
      about: t('Top-1; masked: with patches hidden at the mask ratio of the config.'),
      columns: [
        { name: 'validation.top1', part: '', ...inPercent },
        { name: 'validation.maskedTop1', part: t('masked'), second: true, ...inPercent },
      ],
    },
    {
      ...epochs,
      id: 'train-accuracy',
      title: t('Training accuracy'),
      y: { title: t('Top-1'), unit: '%' },
      about: t('Top-1 of the main branch over the batches of the epoch.'),
      columns: only('train.top1', inPercent),
    },
    {
      ...steps,
      id: 'grad-norm',
      title: t('Gradient norm'),
      y: { title: t('L2 norm of the gradient'), unit: '' },
      about: t('Global L2 norm for each branch, of its unhalved loss.'),
      columns: branches('grad'),
    },
    {
      ...steps,
      id: 'grad-ratio',
      title: t('Gradient ratio'),
      y: { title: t('Gradient norm, sub / main'), unit: '' },
      about: t('Norm of the sub-branch over that of the main branch.'),
      log: true,
      reference: 1,
      ofBranches: true,
      columns: only('grad.ratio'),
    },
    {
      ...steps,
      id: 'grad-cosine',
      title: t('Gradient cosine'),
      y: { title: t('Cosine of main and sub'), unit: '' },
      about: t('Between the gradients of the two branches.'),
      reference: 0,
      ofBranches: true,
      columns: only('grad.cosine'),
    },
    {
      ...steps,
      id: 'lr',
      title: t('Learning rate'),
      y: { title: t('Learning rate'), unit: '' },
      about: t('As the optimizer takes it.'),
      smoothed: false,
      shared: true,
      columns: only('learningRate'),
    },
    {
      ...steps,
      id: 'throughput',
      title: t('Throughput'),
      y: { title: t('Samples per second'), unit: '' },
      about: t('Samples that training takes in a second.'),
      columns: only('imagesPerSecond'),
    },
    {
      ...steps,
      id: 'data-wait',
      title: t('Waiting for data'),
      y: { title: t('Share of the time'), unit: '%' },
      about: t('Share of the time in which training waits for samples.'),
      columns: only('dataWait', inPercent),
    },
    {
      ...steps,
      id: 'memory',
      title: t('Memory'),
      y: { title: t('Resident memory'), unit: 'B' },
      about: t('Resident, of the training process.'),
      smoothed: false,
      columns: only('memoryBytes'),
    },
  ];
}

/** Any scalar by its own name. */
export function scalarChart(table: MetricTable, name: string): LineChart {
  return {
    kind: 'lines',
    id: name,
    title: name,
    y: { title: name, unit: '' },
    about: table === 'epochs' ? t('As the events of each epoch hold it.') : t('As the events hold it.'),
    log: false,
    smoothed: table !== 'epochs',
    table,
    columns: [{ name, part: '' }],
  };
}

export function layersChart(): LayersChart {
  return {
    kind: 'layers',
    id: 'layers',
    title: t('Gradients by layer'),
    about: t('L2 norm of the gradient of each layer, for each branch, and the cosine between the two.'),
    numbers: layerNumbers,
  };
}

export function differenceChart(): DifferenceChart {
  return {
    kind: 'difference',
    id: 'difference',
    title: t('Difference to the baseline'),
    y: { title: t('Difference in top-1 (points)'), unit: '' },
    about: t('Validation top-1 of the method minus that of its baseline.'),
  };
}

/** All that have a name of their own. */
export function allCharts(): readonly Chart[] {
  return [...lineCharts(), layersChart(), differenceChart()];
}
