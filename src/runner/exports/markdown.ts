/** Runs as a summary in Markdown, for a pull request or a lab log. */
import { titleOf } from '../../core/comparison.ts';
import { caveats, configDifferences, figuresTable, reality, type Table, verdicts } from './facts.ts';
import { type ExportedRun, nameOf } from './runs.ts';

export function markdownOf(runs: readonly ExportedRun[], versions: string): string {
  const starts = runs.map(({ state }) => state.start).filter((start) => start !== undefined);
  const distinct = (values: readonly string[]) => [...new Set(values)].map(plain).join(', ');
  const about = [
    `Data: ${distinct(starts.map(({ dataset }) => titleOf(dataset)))}`,
    `model: ${distinct(starts.map(({ model, parameters }) => `${model} (${parameters.toLocaleString('en')} parameters)`))}`,
    `methods: ${distinct(starts.map(({ method }) => titleOf(method)))}`,
    `seeds: ${distinct(starts.map(({ seed }) => String(seed)))}`,
  ].join('; ');
  const differences = configDifferences(runs);
  return [
    `## ${plain(nameOf(runs))}`,
    ...(starts.length > 0 ? [`${about}.`] : []),
    ...verdicts(runs).map((sentence) => `**${plain(sentence)}**`),
    reality(runs).map(plain).join(' '),
    tableOf(figuresTable(runs)),
    ...(differences.rows.length > 0 && runs.length > 1 ? ['Configs differ in:', tableOf(differences)] : []),
    caveats(runs)
      .map((sentence) => `- ${plain(sentence)}`)
      .join('\n'),
    plain(versions),
  ]
    .filter((part) => part !== '')
    .join('\n\n')
    .concat('\n');
}

function tableOf({ headings, rows }: Table): string {
  const line = (cells: readonly string[]) => `| ${cells.map(plain).join(' | ')} |`;
  return [line(headings), `|${headings.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n');
}

const mostSigns = 300;

/** A text as it is: no markup, no line break, no link to follow, and not without end. */
function plain(text: string): string {
  const short = text.length > mostSigns ? `${text.slice(0, mostSigns)}…` : text;
  return short
    .replaceAll(/[\r\n]+/g, ' ')
    .replaceAll(/[\\`*_[\]<>|#~]/g, '\\$&')
    .replaceAll('&', '&amp;')
    .replaceAll('@', '@\u200b');
}
