/** The page of a data set: counts of each class as bars, what is odd, and samples; in the colours of the editor's theme. */
import { randomBytes } from 'node:crypto';
import type { DataReport, DataSample } from '../core/dataReport.ts';
import { escaped } from '../core/format.ts';
import { t } from '../core/l10n.ts';

export function dataHtml(report: DataReport): string {
  const nonce = randomBytes(16).toString('hex');
  const policy = `default-src 'none'; img-src data:; style-src 'nonce-${nonce}';`;
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(t('Data set'))}</title>
<style nonce="${nonce}">${style}${barWidths(report)}</style>
</head>
<body>
<main id="data-set">
<header>
<h1>${escaped(report.title)}</h1>
<p>${escaped(report.path ?? '')}</p>
</header>
${warnings(report)}
<dl>${facts(report)
    .map(([name, value]) => `<div><dt>${escaped(name)}</dt><dd>${escaped(value)}</dd></div>`)
    .join('')}</dl>
${classes(report)}
${samples(report)}
</main>
</body>
</html>`;
}

function facts({ train, validation, trainOn, images, texts, hash }: DataReport): [string, string][] {
  const numbers = (values: readonly number[]) => values.map((value) => value.toFixed(3)).join(', ');
  return [
    [
      t('Training'),
      trainOn === undefined ? count(train) : t('{0}; a run takes {1} of them', count(train), count(trainOn)),
    ],
    [t('Validation'), count(validation)],
    ...(images
      ? ([
          [t('Size'), sizes(images)],
          [t('Channels'), images.channels === 1 ? t('1 (grey)') : String(images.channels)],
          [t('Normalized by mean'), numbers(images.mean)],
          [t('Normalized by std'), numbers(images.std)],
        ] satisfies [string, string][])
      : []),
    ...(texts
      ? ([
          [t('Tokens of a text'), t('median {0}, 95 % up to {1}', texts.tokens.median, texts.tokens.p95)],
          [t('Cut at'), t('{0} tokens', texts.length)],
          [t('Vocabulary'), count(texts.vocabulary)],
        ] satisfies [string, string][])
      : []),
    [t('Hash'), `${hash.slice(0, 'sha256:'.length + 12)}…`],
  ];
}

function sizes({ smallest, largest }: NonNullable<DataReport['images']>): string {
  const [from, to] = [smallest, largest].map(({ width, height }) => `${width} × ${height}`);
  return from === to ? `${from} px` : t('{0} to {1} px', String(from), String(to));
}

const warnings = ({ warnings }: DataReport) =>
  warnings.length === 0
    ? ''
    : `<ul id="data-warnings" aria-label="${escaped(t('Warnings'))}">${warnings.map((warning) => `<li>${escaped(warning)}</li>`).join('')}</ul>`;

function classes({ classes, train }: DataReport): string {
  const rows = classes.map(
    ({ name, ...counts }, i) =>
      `<tr><th scope="row" title="${escaped(name)}">${escaped(name)}</th><td class="bar"><i id="bar-${i}"></i></td><td>${count(counts.train)}</td><td>${((100 * counts.train) / train).toFixed(1)} %</td><td>${count(counts.validation)}</td></tr>`,
  );
  return `<section><h2>${escaped(t('{0} classes', count(classes.length)))}</h2>
<table id="data-classes"><thead><tr>${column(t('Class'))}<th></th>${column(t('Training'))}${column(t('Share'))}${column(t('Validation'))}</tr></thead>
<tbody>${rows.join('')}</tbody></table></section>`;
}

/** Lengths of the bars as rules: the policy allows no inline style. */
function barWidths({ classes }: DataReport): string {
  const most = Math.max(1, ...classes.map(({ train }) => train));
  return classes.map(({ train }, i) => `#bar-${i}{width:${((100 * train) / most).toFixed(1)}%}`).join('');
}

function samples({ samples, classes }: DataReport): string {
  const byClass = new Map<number, DataSample[]>();
  for (const one of samples) byClass.set(one.label, [...(byClass.get(one.label) ?? []), one]);
  const rows = [...byClass].map(
    ([label, own]) =>
      `<div class="samples"><h3 title="${escaped(classes[label]?.name ?? '')}">${escaped(classes[label]?.name ?? '')}</h3><div>${own.map(sample).join('')}</div></div>`,
  );
  const more = classes.length - byClass.size;
  const rest = more > 0 ? `<p>${escaped(t('{0} more classes are not shown.', count(more)))}</p>` : '';
  return `<section id="data-samples"><h2>${escaped(t('First training samples of each class'))}</h2>${rows.join('')}${rest}</section>`;
}

const sample = ({ image, text, name }: DataSample) =>
  image
    ? `<img src="${image}" alt="${escaped(name)}" title="${escaped(name)}" width="72" height="72">`
    : `<blockquote>${escaped(text ?? '')}</blockquote>`;

const column = (title: string) => `<th scope="col">${escaped(title)}</th>`;
const count = (value: number) => value.toLocaleString('en');

const style = `
body { margin: 0; color: var(--vscode-foreground); font-family: var(--vscode-font-family); font-size: var(--vscode-font-size); line-height: 1.45; }
main { max-width: 1100px; margin: 0 auto; padding: 16px 20px 24px; }
h1 { margin: 0; font-size: 1.25em; font-weight: 600; }
h2 { margin: 24px 0 8px; font-size: 1.05em; font-weight: 600; }
header p, dt, thead th, section > p { color: var(--vscode-descriptionForeground); }
header p { margin: 0; overflow-wrap: anywhere; }
#data-warnings { margin: 12px 0 0; padding: 8px 12px 8px 28px; border: 1px solid var(--vscode-inputValidation-warningBorder, var(--vscode-panel-border)); background: var(--vscode-inputValidation-warningBackground); color: var(--vscode-inputValidation-warningForeground, var(--vscode-foreground)); overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(180px, 1fr)); gap: 10px 20px; margin: 16px 0 0; }
dt { font-size: 0.9em; }
dd { margin: 0; font-variant-numeric: tabular-nums; }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: 2px 8px; text-align: right; font-weight: normal; white-space: nowrap; }
th:first-child { padding-left: 0; text-align: left; max-width: 240px; overflow: hidden; text-overflow: ellipsis; }
thead th { font-size: 0.9em; border-bottom: 1px solid var(--vscode-panel-border, var(--vscode-widget-border, transparent)); }
.bar { width: 45%; }
.bar i { display: block; height: 10px; min-width: 1px; border-radius: 2px; background: var(--vscode-charts-blue); }
.samples { display: grid; grid-template-columns: 160px 1fr; gap: 4px 12px; align-items: center; padding: 4px 0; }
.samples:has(blockquote) { align-items: start; }
.samples h3 { margin: 0; font-size: 1em; font-weight: normal; overflow: hidden; text-overflow: ellipsis; }
.samples > div { display: flex; flex-wrap: wrap; gap: 4px; }
img { border-radius: 2px; image-rendering: pixelated; }
blockquote { flex: 1 1 100%; margin: 0; padding: 2px 8px; border-left: 2px solid var(--vscode-charts-blue); overflow-wrap: anywhere; }
`;
