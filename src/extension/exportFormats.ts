/** What `Export…` can write, as a pick list, and the command line of each. */
import { allCharts } from '../core/charts.ts';
import { t } from '../core/l10n.ts';

export type ExportFormat =
  | 'png'
  | 'svg'
  | 'csv'
  | 'paper'
  | 'html'
  | 'tensorboard'
  | 'mlflow'
  | 'markdown'
  | 'pytorch'
  | 'saved-model';

export interface FormatEntry {
  readonly format: ExportFormat;
  readonly label: string;
  readonly detail: string;
  /** `chart`: of a chart; `runs`: of all runs that are chosen; `weights`: of one run that has a checkpoint. */
  readonly of: 'chart' | 'runs' | 'weights';
  /** Ending of the file; absent where a folder is written. */
  readonly extension?: string;
}

/** The formats in the order of the list, in the language that is set. */
export function formats(): readonly FormatEntry[] {
  return [
    { format: 'png', label: t('PNG picture'), detail: t('A chart as pixels.'), of: 'chart', extension: 'png' },
    {
      format: 'svg',
      label: t('SVG picture'),
      detail: t('A chart as lines, sharp at any size.'),
      of: 'chart',
      extension: 'svg',
    },
    { format: 'csv', label: t('CSV table'), detail: t('The numbers of a chart.'), of: 'chart', extension: 'csv' },
    {
      format: 'paper',
      label: t('Figure for a paper'),
      detail: t('SVG in print style, with caption and config in the file.'),
      of: 'chart',
      extension: 'svg',
    },
    {
      format: 'html',
      label: t('HTML report'),
      detail: t('One file with the comparison, which opens in any browser.'),
      of: 'runs',
      extension: 'html',
    },
    { format: 'tensorboard', label: 'TensorBoard', detail: t('Event files in a folder.'), of: 'runs' },
    { format: 'mlflow', label: 'MLflow', detail: t('An mlruns folder, a file store.'), of: 'runs' },
    {
      format: 'markdown',
      label: t('Markdown summary'),
      detail: t('A table of the runs, to the clipboard.'),
      of: 'runs',
      extension: 'md',
    },
    {
      format: 'pytorch',
      label: t('PyTorch weights'),
      detail: t('A safetensors file for the model of timm or transformers.'),
      of: 'weights',
      extension: 'safetensors',
    },
    { format: 'saved-model', label: 'SavedModel', detail: t('A TensorFlow model in a folder.'), of: 'weights' },
  ];
}

/** The charts of the dashboard that can be drawn without it, by name. */
export function charts(): readonly { readonly name: string; readonly label: string }[] {
  return allCharts().map(({ id, title }) => ({ name: id, label: title }));
}

export interface ExportLine {
  /** Run folders. */
  readonly runs: readonly string[];
  readonly format: ExportFormat;
  readonly charts: readonly string[];
  readonly axis?: string | undefined;
  /** Colours of a picture; a figure for a paper has its own. */
  readonly look: 'light' | 'dark';
  readonly to: string;
}

/** The command line of an export, after the program's name. */
export function exportArguments({ runs, format, charts, axis, look, to }: ExportLine): string[] {
  const kind = format === 'paper' ? ['--svg', '--style', 'paper'] : [`--${format}`];
  const isPicture = format === 'png' || format === 'svg';
  const ofChart = ['png', 'svg', 'csv', 'paper'].includes(format);
  return [
    'export',
    ...runs,
    ...kind,
    ...(isPicture ? ['--style', look] : []),
    ...(ofChart ? charts.flatMap((chart) => ['--chart', chart]) : []),
    ...(ofChart && axis !== undefined ? ['--axis', axis] : []),
    ...['--to', to],
  ];
}
