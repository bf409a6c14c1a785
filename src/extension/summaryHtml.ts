/** The page of a run folder: how it ended, figures, cost, config and hashes, without scripts; its links are commands of the editor. */
import { randomBytes } from 'node:crypto';
import { titleOf } from '../core/comparison.ts';
import { experimentOf } from '../core/experiment.ts';
import { escaped } from '../core/format.ts';
import { t } from '../core/l10n.ts';
import { isOver, type RunState, stateTitle } from '../core/run.ts';
import type { RunOutline } from './runOutline.ts';
import { type FactGroup, summaryFacts } from './summaryFacts.ts';

export function summaryHtml(run: RunOutline): string {
  const { state, folder, id, config } = run;
  const { start } = state;
  const name = start?.name ?? id;
  const title = start ? t('{0}: {1}, seed {2}', name, titleOf(start.method), start.seed) : name;
  const experiment = experimentOf({ id, pair: start?.run === id ? start.pair : undefined });
  return page(
    title,
    `<header>
<h1>${escaped(title)}</h1>
<p id="run-state" class="${state.state}">${escaped(stateTitle(state.state))}</p>
<p>${escaped(said(state))}</p>
<nav aria-label="${escaped(t('Actions'))}">
${link('masksub.openDashboard', [experiment], t('Open dashboard'))}
${link('masksub.showRunFolder', [folder], t('Show run folder'))}
${link('masksub.export', [folder], t('Export…'))}
${run.summary ? link('workbench.action.reopenTextEditor', [], t('Show as text')) : ''}
</nav>
</header>
${warnings(state.warnings)}
<div id="run-facts">${summaryFacts(run).map(group).join('\n')}</div>
${config === undefined ? '' : configSection(config)}`,
  );
}

/** A page that only says something, as of a folder that is gone. */
export function messageHtml(title: string, text: string): string {
  return page(title, `<header><h1>${escaped(title)}</h1><p>${escaped(text)}</p></header>`);
}

/** How it ended in the run's own words, or why it has no end. */
function said(state: RunState): string {
  if (state.end) return state.end.message;
  if (state.state === 'lost') {
    return t(
      'Its process is gone without a word: it was killed, or the machine went down. What it had written is shown.',
    );
  }
  return isOver(state)
    ? ''
    : t('It is under way: this is how it stood when the page was opened. The dashboard follows it.');
}

const group = ({ id, title, facts }: FactGroup) =>
  `<section id="run-${id}"><h2>${escaped(title)}</h2><dl>${facts
    .map(([name, value]) => `<div><dt>${escaped(name)}</dt><dd>${escaped(value)}</dd></div>`)
    .join('')}</dl></section>`;

/** So many are shown; a run that warns at each step shall not fill the page. */
const MOST_WARNINGS = 20;

function warnings(all: readonly string[]): string {
  if (all.length === 0) return '';
  const more = all.length - MOST_WARNINGS;
  const items = all.slice(0, MOST_WARNINGS).map((warning) => `<li>${escaped(warning)}</li>`);
  const rest = more > 0 ? `<li>${escaped(t('and {0} more', more))}</li>` : '';
  return `<ul id="run-warnings" aria-label="${escaped(t('Warnings'))}">${items.join('')}${rest}</ul>`;
}

const configSection = (config: unknown) =>
  `<section id="run-config"><h2>${escaped(t('Config'))}</h2><pre tabindex="0">${escaped(JSON.stringify(config, undefined, 2))}</pre></section>`;

/** A command as a link; the editor runs only those that the page was allowed. */
function link(command: string, args: readonly unknown[], label: string): string {
  return `<a href="command:${command}?${escaped(encodeURIComponent(JSON.stringify(args)))}">${escaped(label)}</a>`;
}

function page(title: string, body: string): string {
  const nonce = randomBytes(16).toString('hex');
  return `<!DOCTYPE html>
<html>
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'nonce-${nonce}';">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
<style nonce="${nonce}">${style}</style>
</head>
<body>
<main id="run-summary">
${body}
</main>
</body>
</html>`;
}

const style = `
body { margin: 0; color: var(--vscode-foreground); font-family: var(--vscode-font-family); font-size: var(--vscode-font-size); line-height: 1.45; }
main { max-width: 900px; margin: 0 auto; padding: 16px 20px 24px; }
h1 { margin: 0; font-size: 1.25em; font-weight: 600; overflow-wrap: anywhere; }
h2 { margin: 20px 0 6px; font-size: 1.05em; font-weight: 600; }
header p { margin: 4px 0 0; overflow-wrap: anywhere; }
#run-state { font-weight: 600; }
#run-state::before { content: ''; display: inline-block; width: 0.7em; height: 0.7em; margin-right: 0.5em; border-radius: 50%; background: var(--vscode-charts-blue); }
#run-state.finished::before { background: var(--vscode-testing-iconPassed, var(--vscode-charts-green)); }
#run-state.failed::before { background: var(--vscode-testing-iconFailed, var(--vscode-charts-red)); }
#run-state.lost::before, #run-state.interrupted::before { background: var(--vscode-list-warningForeground, var(--vscode-charts-yellow)); }
#run-state.stopped::before { background: var(--vscode-descriptionForeground); }
nav { display: flex; flex-wrap: wrap; gap: 4px 16px; margin-top: 10px; }
a { color: var(--vscode-textLink-foreground); }
a:focus-visible, pre:focus-visible { outline: 1px solid var(--vscode-focusBorder); outline-offset: 2px; }
#run-warnings { margin: 12px 0 0; padding: 8px 12px 8px 28px; border: 1px solid var(--vscode-inputValidation-warningBorder, var(--vscode-panel-border)); background: var(--vscode-inputValidation-warningBackground); color: var(--vscode-inputValidation-warningForeground, var(--vscode-foreground)); overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(200px, 1fr)); gap: 10px 20px; margin: 0; }
#run-hashes dl { grid-template-columns: 1fr; gap: 4px; }
#run-hashes dl > div { display: grid; grid-template-columns: 160px 1fr; }
dt { color: var(--vscode-descriptionForeground); font-size: 0.9em; }
dd { margin: 0; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
pre { margin: 0; padding: 10px 12px; max-height: 480px; overflow: auto; background: var(--vscode-textCodeBlock-background); font-family: var(--vscode-editor-font-family); font-size: var(--vscode-editor-font-size); }
`;
