/** How one run stands: state, epoch, time left, backend, and what went wrong. */
import { titleOf } from '../src/core/comparison.ts';
import { duration } from '../src/core/format.ts';
import { isOver, type RunState, secondsLeft, stateTitles } from '../src/core/run.ts';
import { sample } from './charts/legend.ts';
import { element } from './dom.ts';
import type { ShownRun } from './state.ts';

export function runCard({ handle, run }: ShownRun): HTMLElement {
  const title = titleOf(handle.method);
  const share = shareDone(run);
  const bar = element('div', {
    class: 'bar',
    role: 'progressbar',
    'aria-label': `${title}: share of its steps done`,
    'aria-valuemin': 0,
    'aria-valuemax': 100,
    'aria-valuenow': Math.round(100 * share),
  });
  bar.append(element('div', { style: `width: ${(100 * share).toFixed(1)}%` }));
  return element(
    'section',
    { class: `run ${handle.role} ${run.state}`, 'data-run': handle.id, 'data-state': run.state },
    element(
      'div',
      { class: 'run-title' },
      sample(`var(--masksub-${handle.role})`, false),
      element('h2', {}, title),
      element('span', { class: 'state' }, stateTitles[run.state]),
      element('span', { class: 'progress' }, progressText(run)),
    ),
    bar,
    ...messagesOf(run).map((text) => element('p', { class: isBad(run) ? 'problem' : 'message' }, text)),
  );
}

/** `epoch 42 of 150 · 1 min 3 s left`, or what it took. */
export function progressText(run: RunState): string {
  const { start } = run;
  if (!start) return '';
  const done = run.steps.at(-1)?.epoch ?? 0;
  if (isOver(run)) return `${epochs(run, done)} in ${duration(run.t)}`;
  const left = secondsLeft(run);
  const epoch = `epoch ${Math.min(start.epochs, Math.floor(done) + 1)} of ${start.epochs}`;
  return left === undefined ? epoch : `${epoch} · ${duration(left)} left`;
}

function epochs(run: RunState, done: number): string {
  const total = run.start?.epochs ?? 0;
  const whole = run.state === 'finished' ? total : Math.floor(done);
  return whole === total ? `${total} epochs` : `${whole} of ${total} epochs`;
}

function shareDone({ start, steps, state }: RunState): number {
  if (state === 'finished') return 1;
  return start ? Math.min(1, (steps.at(-1)?.step ?? 0) / Math.max(1, start.steps)) : 0;
}

const isBad = ({ state }: RunState) => state === 'failed' || state === 'lost' || state === 'interrupted';

/** Why it ended, unless as planned, and its warnings. */
function messagesOf(run: RunState): string[] {
  const lost = 'Its process is gone without a word: killed, or the machine was restarted. What it had written is kept.';
  const end = run.state === 'lost' ? lost : run.end && run.state !== 'finished' ? run.end.message : '';
  return [end, ...run.warnings.slice(-3)].filter(Boolean);
}
