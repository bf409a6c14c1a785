/** The dashboard: messages of the extension in, pages out. */
import './language.ts'; // first: what the other modules make at once has texts
import './style.css';
import './charts/charts.css';
import './compare/compare.css';
import './explain/explain.css';
import './runs/runs.css';
import '@vscode-elements/elements/dist/vscode-button/index.js';
import { t } from '../src/core/l10n.ts';
import type { ArraysToDashboard, FromDashboard, ToDashboard } from '../src/core/messages.ts';
import { fromWire } from '../src/core/wire.ts';
import { ChartsPage } from './charts/chartsPage.ts';
import { ComparePage } from './compare/comparePage.ts';
import { element, fill } from './dom.ts';
import { ExplainPage } from './explain/explainPage.ts';
import { finalTable } from './finalTable.ts';
import { Header, showNotice } from './header.ts';
import { RunsPage } from './runs/runsPage.ts';
import { applyMessage, chartedRuns, type DashboardState, emptyState, isSelection, shownPair } from './state.ts';
import { Tabs } from './tabs.ts';
import { watchTheme } from './theme.ts';

declare function acquireVsCodeApi(): {
  postMessage(message: FromDashboard): void;
  getState(): unknown;
  setState(state: unknown): void;
};

/** Between two frames with news, in milliseconds. */
const FRAME_MS = 150;

const vscode = acquireVsCodeApi();
const send = (message: FromDashboard) => vscode.postMessage(message);

let state = emptyState;
let lastFrame = Number.NEGATIVE_INFINITY;
let waiting = false;
const painted = new Map<string, number>();

const header = new Header({
  send,
  pick: (picked) => {
    state = { ...state, picked };
    render();
  },
});
const saved = (vscode.getState() ?? {}) as Record<string, unknown>;
const charts = new ChartsPage({ send, changed: save });
const runs = new RunsPage({ send, changed: save });
const compare = new ComparePage({ send });
const explain = new ExplainPage({ send });
charts.restore(saved.charts);
runs.restore(saved.table);
const tabs = new Tabs([charts, runs, compare, explain], () => {
  tellRows();
  save();
  render();
});
const result = element('div', { class: 'result' });
charts.root.append(result);
const empty = emptyView();
header.details.before(tabs.list);
document.getElementById('dashboard')?.append(empty, header.root, tabs.panels);
if (typeof saved.page === 'string') tabs.show(saved.page);

// Only the extension can post to this frame; both are of one build.
window.addEventListener('message', ({ data }: MessageEvent<string | ArraysToDashboard>) => {
  if (typeof data !== 'string') {
    if (data.type === 'windows') charts.windows(data);
    else explain.samples(data);
    return;
  }
  const message = fromWire(data) as ToDashboard;
  if (message.type === 'page') tabs.show(message.page);
  state = applyMessage(state, message);
  if (message.type === 'show') {
    save();
    tellRows();
  }
  schedule();
});
// The cards take their colours when they are made.
watchTheme(render);
render();
send({ type: 'ready' });

/** The table lists every run, which the extension gathers only while somebody looks; the comparison groups by what it lists. */
function tellRows(): void {
  const wanted = tabs.front === runs || tabs.front === compare;
  send({ type: 'rows', wanted });
}

/** What the page keeps while it is hidden and over a reload of the window. */
function save(): void {
  vscode.setState({
    runs: state.handles.map(({ id }) => id),
    selected: isSelection(state),
    page: tabs.front.id,
    charts: charts.saved,
    table: runs.saved,
  });
}

/** The first news is shown at once, those that follow a few times a second. */
function schedule(): void {
  if (waiting) return;
  waiting = true;
  const wait = Math.max(0, lastFrame + FRAME_MS - performance.now());
  setTimeout(() => requestAnimationFrame(render), wait);
}

function render(): void {
  waiting = false;
  lastFrame = performance.now();
  const pair = shownPair(state);
  empty.hidden = !state.told || pair !== undefined;
  const notice = empty.querySelector<HTMLElement>('.notice');
  if (notice) showNotice(notice, state.notice);
  header.update(state);
  header.details.hidden = pair === undefined || tabs.front !== charts;
  tabs.list.hidden = pair === undefined;
  tabs.panels.hidden = pair === undefined;
  const isOnePair = chartedRuns(state).length <= 2;
  fill(result, ...(pair && isOnePair ? finalTable(pair) : []));
  tabs.front.update(state);
  requestAnimationFrame(() => tellPainted(state));
}

function tellPainted({ runs }: DashboardState): void {
  for (const [run, { lastStep }] of runs) {
    if (lastStep === undefined || painted.get(run) === lastStep.step) continue;
    painted.set(run, lastStep.step);
    send({ type: 'painted', run, step: lastStep.step, at: Date.now() });
  }
}

function emptyView(): HTMLElement {
  const start = element('vscode-button' as 'button', { id: 'start-first' }, t('Start MaskSub run'));
  start.addEventListener('click', () => send({ type: 'start' }));
  return element(
    'div',
    { id: 'empty', hidden: true },
    element('div', { class: 'notice', role: 'alert', hidden: true }),
    element('h1', {}, t('No run yet')),
    element(
      'p',
      {},
      t(
        'A run trains MaskSub and its baseline side by side, from the same weights and on the same batches; their curves appear here.',
      ),
    ),
    start,
  );
}
