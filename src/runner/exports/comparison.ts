/** `masksub export` of what runs say: figures, numbers and words for papers, spreadsheets and other programs. */
import path from 'node:path';
import { UserError } from '../../core/errors.ts';
import { axes, axisSchema } from '../../core/metricQuery.ts';
import { loadSharp } from '../../data/decode.ts';
import type { FigureStyle } from '../../figure/figure.ts';
import { usualWidth } from '../../figure/look.ts';
import { engineFolder } from '../paths.ts';
import { provenance } from '../provenance.ts';
import { chooseCharts } from './charts.ts';
import { csvLines } from './csv.ts';
import { markdownOf } from './markdown.ts';
import { writeFileStore } from './mlflow.ts';
import { refuseExisting, streamNewFile, writeNewFile, writeNewFolder } from './output.ts';
import { pictureOf } from './pictureOf.ts';
import { writePictures } from './pictures.ts';
import { reportOf } from './report.ts';
import { type ExportedRun, groupRuns, nameOf, openRuns } from './runs.ts';
import { writeEventFile } from './tensorboard.ts';

export const comparisonFormats = ['html', 'png', 'svg', 'csv', 'tensorboard', 'mlflow', 'markdown'] as const;
export type ComparisonFormat = (typeof comparisonFormats)[number];

export interface ComparisonOptions {
  readonly chart?: readonly string[];
  readonly axis?: string;
  readonly from?: number;
  readonly until?: number;
  readonly smoothing?: number;
  readonly log?: boolean;
  readonly style?: string;
  readonly width?: number;
  readonly scale?: number;
  readonly eachSeed?: boolean;
  readonly to?: string;
  readonly out: string;
}

/** Writes the format, whole or not at all. Returns where it lies, or nothing where it went to standard output. */
export async function exportComparison(
  names: readonly string[],
  format: ComparisonFormat,
  options: ComparisonOptions,
): Promise<string | undefined> {
  const { flags, ...view } = viewOf(format, options);
  const runs = await openRuns(names, options.out);
  try {
    // By their ids, however they were named: the same figure is the same file.
    const command = ['masksub export', ...runs.map(({ id }) => shellWord(id)), ...flags].join(' ');
    return await writeFormat(runs, format, { ...options, ...view, command });
  } finally {
    for (const run of runs) run.close();
  }
}

type View = Omit<ReturnType<typeof viewOf>, 'flags'> & { readonly command: string };

async function writeFormat(
  runs: readonly ExportedRun[],
  format: ComparisonFormat,
  options: ComparisonOptions & View,
): Promise<string | undefined> {
  const { to, chart: chartNames = [], eachSeed } = options;
  const name = fileName(nameOf(runs));
  const target = (usual: string) => path.resolve(to ?? usual);
  switch (format) {
    case 'svg':
    case 'png': {
      const groups = groupRuns(runs, eachSeed);
      const charts = chooseCharts(chartNames, runs);
      const figures = charts.map((chart) => ({
        name: chart.id,
        figure: pictureOf(chart, groups, { ...options, eachSeed }),
      }));
      return writePictures(figures, { ...options, format, to, name });
    }
    case 'csv': {
      const charts = chartNames.length > 0 ? chooseCharts(chartNames, runs) : [];
      const file = target(`${name}.csv`);
      streamNewFile(file, csvLines(runs, charts));
      return file;
    }
    case 'html': {
      const file = target(`${name}.html`);
      refuseExisting(file); // before the work
      const charts = chooseCharts(chartNames, runs);
      writeNewFile(
        file,
        await reportOf(runs, charts, { ...options, sharp: loadSharp(engineFolder()), versions: madeWith() }),
      );
      return file;
    }
    case 'tensorboard': {
      const folder = target(`${name}-tensorboard`);
      await writeNewFolder(folder, async (inside) => {
        for (const run of runs) writeEventFile(run, path.join(inside, fileName(run.id)));
      });
      return folder;
    }
    case 'mlflow': {
      const folder = target('mlruns');
      await writeNewFolder(folder, async (inside) => writeFileStore(runs, inside, folder));
      return `${folder}. MLflow 3 opens it where MLFLOW_ALLOW_FILE_STORE=true is set.`;
    }
    case 'markdown': {
      const text = markdownOf(runs, madeWith());
      if (to === undefined) {
        process.stdout.write(text);
        return undefined;
      }
      const file = path.resolve(to);
      writeNewFile(file, text);
      return file;
    }
  }
}

function viewOf(format: ComparisonFormat, options: ComparisonOptions) {
  const { from, until, chart = [], smoothing = format === 'html' ? 0.02 : 0, log = false, eachSeed = false } = options;
  const axis = axisSchema.safeParse(options.axis ?? 'epoch');
  if (!axis.success) {
    throw new UserError(`There is no axis "${options.axis}".`, { hint: `One of: ${Object.keys(axes).join(', ')}.` });
  }
  if (smoothing < 0 || smoothing > 1) {
    throw new UserError(`--smoothing is a share of the range from 0 to 1, not ${smoothing}.`, {
      hint: '0.02 averages over a fiftieth.',
    });
  }
  if (from !== undefined && until !== undefined && from >= until) {
    throw new UserError(`--from ${from} does not lie before --until ${until}.`, { hint: 'Swap them.' });
  }
  const style = styleOf(options.style ?? (format === 'html' ? 'light' : 'paper'));
  const { width = usualWidth(style), scale = style === 'paper' ? 4 : 2 } = options;
  if (!(width >= 4 && width <= 60)) throw new UserError(`--width is 4 to 60 cm, not ${width}.`);
  if (!(scale >= 0.5 && scale <= 12)) throw new UserError(`--scale is 0.5 to 12, not ${scale}.`);
  const said: [string, string | number | undefined | boolean][] = [
    ...chart.map((one): [string, string] => ['--chart', one]),
    ['--axis', options.axis],
    ['--from', from],
    ['--until', until],
    ['--smoothing', options.smoothing],
    ['--log', log],
    ['--each-seed', eachSeed],
    ['--style', options.style],
    ['--width', options.width],
  ];
  const words = said.flatMap(([flag, value]) =>
    value === undefined || value === false ? [] : value === true ? [flag] : [flag, shellWord(String(value))],
  );
  return {
    axis: axis.data,
    ...(from === undefined ? {} : { from }),
    ...(until === undefined ? {} : { until }),
    ...{ smoothing, log, eachSeed, style, width, scale },
    flags: [`--${format}`, ...words],
  };
}

function styleOf(name: string): FigureStyle {
  if (name === 'paper' || name === 'light' || name === 'dark') return name;
  throw new UserError(`There is no style "${name}".`, { hint: 'One of: paper, light, dark.' });
}

/** A word as a shell takes it. */
const shellWord = (word: string) => (/^[\w./:=+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);

/** A run's id in the name of a file or folder. */
const fileName = (id: string) =>
  id
    .replaceAll(/[^\w.@+-]/g, '_')
    .replace(/^\.+/, '_')
    .slice(0, 120);

function madeWith(): string {
  const made = provenance('', '', 0).versions;
  return `Exported by MaskSub ${made.masksub} on Node.js ${made.node}, ${made.platform}.`;
}
