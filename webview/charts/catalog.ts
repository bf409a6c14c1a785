/** The charts of the dashboard: what each shows of a run's scalars, in data; `lineChart.ts` draws them. */
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
export interface Part {
  /** Told apart from the other lines of the run; '' for a chart's only one. */
  readonly label: string;
  /** Dashed, and left out by default where there are many runs: the sub-branch, or masked inputs. */
  readonly second?: true;
  /** The label can be left out for a run that has no second line. */
  readonly plainAlone?: true;
  readonly source: Source;
}

export interface ChartSpec {
  /** The figure's id is `chart-<id>`. */
  readonly id: string;
  readonly title: string;
  /** What is drawn and in which unit, under the title. */
  readonly unit: string;
  readonly log: boolean;
  /** Drawn as an average, with the raw values behind it, where the slider asks for it. */
  readonly smoothed: boolean;
  /** A value of special meaning, drawn as a thin line and always in view. */
  readonly reference?: number;
  /** Shown while there are no points. */
  readonly empty: string;
  /** Compares the branches of a run. */
  readonly ofBranches?: true;
  /** The runs of a pair have the same values by design: one line for both. */
  readonly shared?: true;
  readonly format: (value: number) => string;
  /** Labels of the y axis where the numbers alone do not do. */
  readonly tick?: (value: number) => string;
  readonly parts: readonly Part[];
}

const step = (name: string, rest: Partial<Source> = {}): Source => ({ table: 'steps', name, ...rest });
const epoch = (name: string, rest: Partial<Source> = {}): Source => ({ table: 'epochs', name, ...rest });
const inPercent = { factor: 100 };
const number = (value: number) => withMinus(significant(value));
const firstStep = t('Begins with the first step.');

export const charts: readonly ChartSpec[] = [
  {
    id: 'loss',
    title: t('Training loss'),
    unit: t('per batch'),
    log: false,
    smoothed: true,
    empty: firstStep,
    format: number,
    parts: [
      { label: t('main'), plainAlone: true, source: step('loss.main') },
      { label: t('sub'), second: true, source: step('loss.sub') },
    ],
  },
  {
    id: 'accuracy',
    title: t('Validation accuracy'),
    unit: t('top-1, %; masked: with patches hidden'),
    log: false,
    smoothed: false,
    empty: t('Begins with the first validation.'),
    format: (value) => value.toFixed(1),
    parts: [
      { label: '', source: epoch('validation.top1', inPercent) },
      { label: t('masked'), second: true, source: epoch('validation.maskedTop1', inPercent) },
    ],
  },
  {
    id: 'train-accuracy',
    title: t('Training accuracy'),
    unit: t('top-1 of the epoch’s batches, %'),
    log: false,
    smoothed: false,
    empty: t('Begins with the end of the first epoch.'),
    format: (value) => value.toFixed(1),
    parts: [{ label: '', source: epoch('train.top1', inPercent) }],
  },
  {
    id: 'grad-norm',
    title: t('Gradient norm'),
    unit: t('L2, per branch'),
    log: false,
    smoothed: true,
    empty: firstStep,
    format: number,
    parts: [
      { label: t('main'), plainAlone: true, source: step('grad.main') },
      { label: t('sub'), second: true, source: step('grad.sub') },
    ],
  },
  {
    id: 'grad-ratio',
    title: t('Gradient ratio'),
    unit: t('sub over main'),
    log: true,
    smoothed: true,
    reference: 1,
    empty: firstStep,
    ofBranches: true,
    format: number,
    parts: [{ label: t('sub / main'), source: step('grad.ratio') }],
  },
  {
    id: 'grad-cosine',
    title: t('Gradient cosine'),
    unit: t('of main and sub'),
    log: false,
    smoothed: true,
    reference: 0,
    empty: firstStep,
    ofBranches: true,
    format: (value) => withMinus(value.toFixed(2)),
    parts: [{ label: t('cosine'), source: step('grad.cosine') }],
  },
  {
    id: 'lr',
    title: t('Learning rate'),
    unit: t('of the next optimizer step'),
    log: false,
    smoothed: false,
    empty: firstStep,
    shared: true,
    format: number,
    parts: [{ label: '', source: step('learningRate') }],
  },
  {
    id: 'throughput',
    title: t('Throughput'),
    unit: t('samples/s'),
    log: false,
    smoothed: true,
    empty: firstStep,
    format: number,
    parts: [{ label: '', source: step('imagesPerSecond') }],
  },
  {
    id: 'data-wait',
    title: t('Waiting for data'),
    unit: t('% of the time'),
    log: false,
    smoothed: true,
    empty: firstStep,
    format: number,
    parts: [{ label: '', source: step('dataWait', inPercent) }],
  },
  {
    id: 'memory',
    title: t('Memory'),
    unit: t('resident'),
    log: false,
    smoothed: false,
    empty: firstStep,
    format: bytes,
    tick: bytes,
    parts: [{ label: '', source: step('memoryBytes') }],
  },
];

/** A scalar that a person added, by the name that its table has for it. */
export interface ExtraScalar {
  readonly table: 'steps' | 'epochs';
  readonly name: string;
}

export function extraChart({ table, name }: ExtraScalar): ChartSpec {
  return {
    id: `extra-${table}-${name.replaceAll(/[^\w-]/g, '-')}`,
    title: name,
    unit: table === 'steps' ? t('per step') : t('per epoch'),
    log: false,
    smoothed: table === 'steps',
    empty: t('None of these runs has logged it.'),
    format: number,
    parts: [{ label: '', source: { table, name } }],
  };
}
