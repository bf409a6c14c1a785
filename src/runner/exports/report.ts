/** Runs as one page that needs nothing else: verdict, figures and cost, charts, samples with masks, configs, versions, caveats. */
import { type Chart, differenceChart } from '../../core/charts.ts';
import { describePair, titleOf } from '../../core/comparison.ts';
import { escaped, listed } from '../../core/format.ts';
import { runStyles } from '../../core/runStyles.ts';
import type { Sharp } from '../../data/decode.ts';
import { drawFigure } from '../../figure/drawing.ts';
import type { Figure, HeatFigure } from '../../figure/figure.ts';
import { differencesOf } from './difference.ts';
import { caveats, configDifferences, figuresTable, pairsByMethod, reality, verdicts } from './facts.ts';
import { type PictureOptions, pictureOf } from './pictureOf.ts';
import { cut, listMarkup, section, tableMarkup } from './reportParts.ts';
import { sampleSections } from './reportSamples.ts';
import { reportStyle } from './reportStyle.ts';
import { type ExportedRun, groupRuns, nameOf } from './runs.ts';

export interface ReportOptions extends PictureOptions {
  /** Draws samples; without it they are left out. */
  readonly sharp: Sharp | undefined;
  /** The versions with which the report was made. */
  readonly versions: string;
}

export async function reportOf(
  runs: readonly ExportedRun[],
  charts: readonly Chart[],
  options: ReportOptions,
): Promise<string> {
  const groups = groupRuns(runs, options.eachSeed);
  const [difference] =
    differencesOf(runs, options.axis).length > 0 ? [pictureOf(differenceChart(), groups, options)] : [];
  const figures = charts.filter(({ kind }) => kind !== 'difference').map((chart) => pictureOf(chart, groups, options));
  const title = `MaskSub: ${cut(nameOf(runs))}`;
  const sections = [
    section('Result', resultOf(runs) + (difference ? figureMarkup(difference) : '')),
    section('Figures and cost', tableMarkup(figuresTable(runs))),
    section('What to be careful about', listMarkup(caveats(runs))),
    section('Charts', `<div class="charts">${figures.map(figureMarkup).join('\n')}</div>`),
    ...(await sampleSections(runs, options.sharp)),
    section('Configs', configMarkup(runs)),
    section('Where it comes from', provenanceMarkup(runs, options)),
  ];
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
<style>${reportStyle}${runColors()}</style>
</head>
<body>
<main>
<h1>${escaped(title)}</h1>
<p class="about">${escaped(aboutOf(runs))}</p>
${sections.join('\n')}
</main>
</body>
</html>
`;
}

function aboutOf(runs: readonly ExportedRun[]): string {
  const starts = runs.map(({ state }) => state.start).filter((start) => start !== undefined);
  const distinct = (values: readonly string[]) => listed([...new Set(values)].map(cut), 6);
  return [
    `${runs.length === 1 ? 'One run' : `${runs.length} runs`}`,
    `data: ${distinct(starts.map(({ dataset }) => titleOf(dataset)))}`,
    `model: ${distinct(starts.map(({ model, parameters }) => `${model}, ${parameters.toLocaleString('en')} parameters`))}`,
    `seeds: ${distinct(starts.map(({ seed }) => String(seed)))}`,
    `begun ${distinct(starts.map(({ at }) => at.slice(0, 10)))}`,
  ].join(' · ');
}

function resultOf(runs: readonly ExportedRun[]): string {
  const sentences = verdicts(runs);
  if (sentences.length === 0) {
    return '<p class="verdict">There is no pair of a method and its baseline that were both validated, so there is nothing to compare.</p>';
  }
  const methods = [...pairsByMethod(runs).values()].filter(({ pairs }) => pairs.length > 1);
  const each = methods.flatMap(({ method, pairs }) =>
    pairs.map((pair) => `Seed ${pair.seed}: ${describePair(pair, method)}`),
  );
  return (
    sentences.map((sentence) => `<p class="verdict">${escaped(cut(sentence))}</p>`).join('\n') +
    listMarkup([...reality(runs), ...each])
  );
}

function figureMarkup(figure: Figure | HeatFigure): string {
  const picture = drawFigure(figure, { style: 'page', width: 17, bare: true });
  return `<figure>${picture}<figcaption><b>${escaped(figure.title)}.</b> ${escaped(figure.caption)}</figcaption></figure>`;
}

function configMarkup(runs: readonly ExportedRun[]): string {
  const differences = configDifferences(runs);
  const different =
    runs.length < 2
      ? ''
      : differences.rows.length === 0
        ? '<p>The configs are the same.</p>'
        : `<p>They differ in:</p>${tableMarkup(differences)}`;
  const whole = runs.map(
    ({ id, config }) =>
      `<details><summary>${escaped(cut(id))}</summary><pre>${escaped(JSON.stringify(config, undefined, 2))}</pre></details>`,
  );
  return different + whole.join('\n');
}

function provenanceMarkup(runs: readonly ExportedRun[], { command, versions }: ReportOptions): string {
  const rows = runs.map(({ id, state: { start }, config }) => {
    const made = (config as { versions?: unknown }).versions ?? {};
    const words = Object.entries(made).map(([name, version]) => `${name} ${version}`);
    const of = start
      ? [start.backend, start.executor, start.precision, start.initHash, start.batchHash, start.dataHash]
      : ['–', '–', '–', '–', '–', '–'];
    return [id, words.join(', '), ...of];
  });
  const headings = ['Run', 'Versions', 'Backend', 'Executor', 'Precision', 'Initial weights', 'Batches', 'Data'];
  return `${tableMarkup({ headings, rows })}<p>${escaped(versions)}</p><pre>${escaped(command)}</pre>`;
}

/** A variable for the colour of each place, light and dark. */
function runColors(): string {
  const variables = (of: 'light' | 'dark') => runStyles.map((style, i) => `--run-${i}:${style[of]};`).join('');
  return `:root{${variables('light')}}@media (prefers-color-scheme:dark){:root{${variables('dark')}}}@media print{:root{${variables('light')}}}`;
}
