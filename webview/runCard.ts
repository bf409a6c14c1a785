/** How one run stands: state, epoch, time left, backend, and what went wrong. */
import { titleOf } from '../src/core/comparison.ts';
import { duration } from '../src/core/format.ts';
import { t } from '../src/core/l10n.ts';
import { isOver, type RunState, secondsLeft, stateTitle } from '../src/core/run.ts';
import { sample } from './charts/legend.ts';
import type { Who } from './charts/lines.ts';
import { styleOf } from './charts/styles.ts';
import { element } from './dom.ts';
import type { DashboardState, ShownRun } from './state.ts';
import type { Theme } from './theme.ts';

/** `who`: whose line it has in the charts; `named`: with its experiment or seed, where those beside it have others. */
export function runCard(
  { handle, run }: ShownRun,
  state: DashboardState,
  who: Who,
  theme: Theme,
  named?: { readonly name: boolean; readonly seed: boolean },
): HTMLElement {
  const method = titleOf(handle.method);
  // Where there is little room the name is cut off, and never what tells runs of one name apart.
  const own = named?.seed ? t('{0}, seed {1}', method, handle.seed) : method;
  const title = named?.name ? `${handle.name}, ${own}` : own;
  const share = shareDone(run);
  const style = styleOf({ who, second: false }, theme);
  const bar = element('div', {
    class: 'bar',
    role: 'progressbar',
    'aria-label': t('{0}: share of its steps done', title),
    'aria-valuemin': 0,
    'aria-valuemax': 100,
    'aria-valuenow': Math.round(100 * share),
  });
  bar.append(element('div', { style: `width: ${(100 * share).toFixed(1)}%; background: ${style.color}` }));
  return element(
    'section',
    { class: `run ${handle.role} ${run.state}`, 'data-run': handle.id, 'data-state': run.state },
    element(
      'div',
      { class: 'run-title' },
      sample(style),
      element(
        'h2',
        { title },
        ...(named?.name ? [element('span', { class: 'name' }, `${handle.name},\u00a0`)] : []),
        own,
      ),
      element('span', { class: 'state' }, stateTitle(run.state)),
      element('span', { class: 'progress', title: progressText(run) }, progressText(run)),
    ),
    bar,
    ...[...messagesOf(run), ...factsOf(handle.id, state)].map((text) =>
      element('p', { class: isBad(run) ? 'problem' : 'message' }, text),
    ),
  );
}

/** `epoch 42 of 150 · 1 min 3 s left`, or what it took. */
export function progressText(run: RunState): string {
  const { start } = run;
  if (!start) return '';
  const done = run.lastStep?.epoch ?? 0;
  if (isOver(run)) return t('{0} in {1}', epochs(run, done), duration(run.t));
  const left = secondsLeft(run);
  const epoch = t('epoch {0} of {1}', Math.min(start.epochs, Math.floor(done) + 1), start.epochs);
  return left === undefined ? epoch : `${epoch} · ${t('{0} left', duration(left))}`;
}

function epochs(run: RunState, done: number): string {
  const { epochs: total = 0, steps = 1, forkOf } = run.start ?? {};
  const whole = run.state === 'finished' ? total : Math.floor(done);
  // What a fork took is for what it trained itself.
  if (forkOf) return t('epochs {0} to {1}', Math.floor((forkOf.step * total) / steps) + 1, whole);
  if (whole === 1 && total === 1) return t('1 epoch');
  return whole === total ? t('{0} epochs', total) : t('{0} of {1} epochs', whole, total);
}

function shareDone({ start, lastStep, state }: RunState): number {
  if (state === 'finished') return 1;
  return start ? Math.min(1, (lastStep?.step ?? 0) / Math.max(1, start.steps)) : 0;
}

/** That its log is being read, and what is odd about its folder. */
function factsOf(id: string, { reading, problems }: DashboardState): string[] {
  const done = reading.get(id);
  const problem = problems.get(id);
  return [
    ...(done === undefined ? [] : [t('Reading its log: {0} %', Math.round(100 * done))]),
    ...(problem === undefined ? [] : [problem]),
  ];
}

const isBad = ({ state }: RunState) => state === 'failed' || state === 'lost' || state === 'interrupted';

/** Why it ended, unless as planned, and its warnings. */
function messagesOf(run: RunState): string[] {
  const lost = t(
    'Its process is gone without a word: killed, or the machine was restarted. What it had written is kept.',
  );
  const end = run.state === 'lost' ? lost : run.end && run.state !== 'finished' ? run.end.message : '';
  return [end, ...run.warnings.slice(-3)].filter(Boolean);
}
