/** The dashboard: messages of the extension in, charts out. */
import './style.css';
import '@vscode-elements/elements/dist/vscode-button/index.js';
import type { FromDashboard, ToDashboard } from '../src/core/messages.ts';
import { fromWire } from '../src/core/wire.ts';
import { Cursor } from './charts/cursor.ts';
import { MetricChart } from './charts/metricChart.ts';
import { metrics } from './charts/metrics.ts';
import { element, fill } from './dom.ts';
import { finalTable } from './finalTable.ts';
import { Header, showNotice } from './header.ts';
import { applyMessage, type DashboardState, emptyState, runsOf, type ShownPair, shownPair } from './state.ts';
import { readTheme, watchTheme } from './theme.ts';

declare function acquireVsCodeApi(): {
  postMessage(message: FromDashboard): void;
  setState(state: unknown): void;
};

/** Between two frames with new points, in milliseconds. */
const FRAME_MS = 150;

const vscode = acquireVsCodeApi();
const send = (message: FromDashboard) => vscode.postMessage(message);

let state = emptyState;
let lastFrame = Number.NEGATIVE_INFINITY;
let waiting = false;
const painted = new Map<string, number>();

const header = new Header({
  send,
  pickSeed: (seed) => {
    state = { ...state, picked: seed };
    render();
  },
});
const theme = readTheme();
const cursor = new Cursor();
const charts = metrics.map((metric) => new MetricChart(metric, cursor, theme));
const result = element('div', { class: 'result' });
const grid = element('div', { class: 'charts' }, ...charts.map(({ figure }) => figure));
const empty = emptyView();
document.getElementById('dashboard')?.append(empty, header.root, result, grid);

watchTheme(() => {
  const changed = readTheme();
  for (const chart of charts) chart.setTheme(changed);
});
// Only the extension can post to this frame; both are of one build.
window.addEventListener('message', ({ data }: MessageEvent<string>) => {
  const message = fromWire(data) as ToDashboard;
  state = applyMessage(state, message);
  if (message.type === 'show') vscode.setState({ runs: message.runs.map(({ id }) => id) });
  schedule();
});
render();
send({ type: 'ready' });

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
  fill(result, ...(pair ? finalTable(pair) : []));
  grid.hidden = !pair;
  const epochs = epochsOf(pair);
  for (const chart of charts) chart.update(pair, epochs);
  requestAnimationFrame(() => tellPainted(state));
}

/** Up to the newest point of either run, so that the charts fill their width from the first epochs on. */
function epochsOf(pair: ShownPair | undefined): number {
  const seen = pair
    ? runsOf(pair).map(({ run }) => Math.max(run.steps.at(-1)?.epoch ?? 0, run.epochs.at(-1)?.epoch ?? 0))
    : [];
  return Math.max(1, ...seen);
}

function tellPainted({ runs }: DashboardState): void {
  for (const [run, { steps }] of runs) {
    const step = steps.at(-1)?.step;
    if (step === undefined || painted.get(run) === step) continue;
    painted.set(run, step);
    send({ type: 'painted', run, step, at: Date.now() });
  }
}

function emptyView(): HTMLElement {
  const start = element('vscode-button' as 'button', { id: 'start-first' }, 'Start MaskSub run');
  start.addEventListener('click', () => send({ type: 'start' }));
  return element(
    'div',
    { id: 'empty', hidden: true },
    element('div', { class: 'notice', role: 'alert', hidden: true }),
    element('h1', {}, 'No run yet'),
    element(
      'p',
      {},
      'A run trains MaskSub and its baseline side by side, from the same weights and on the same batches; their curves appear here.',
    ),
    start,
  );
}
