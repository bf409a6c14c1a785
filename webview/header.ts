/** The dashboard's header: what runs, how it stands, that the comparison is fair, and Stop. */
import '@vscode-elements/elements/dist/vscode-button/index.js';
import '@vscode-elements/elements/dist/vscode-option/index.js';
import '@vscode-elements/elements/dist/vscode-single-select/index.js';
import { models } from '../src/core/catalog.ts';
import { titleOf } from '../src/core/comparison.ts';
import { listed } from '../src/core/format.ts';
import { t } from '../src/core/l10n.ts';
import type { FromDashboard } from '../src/core/messages.ts';
import { isOver } from '../src/core/run.ts';
import { element, fill, setText } from './dom.ts';
import { looksOf } from './looks.ts';
import { proofView } from './proof.ts';
import { runCard } from './runCard.ts';
import {
  chartedRuns,
  type DashboardState,
  everyRun,
  isLiving,
  isSelection,
  pairsOf,
  runsOf,
  type ShownPair,
  type ShownRun,
  shownPair,
} from './state.ts';
import { readTheme } from './theme.ts';
import { verdictOf, verdictView } from './verdict.ts';

export interface HeaderActions {
  readonly send: (message: FromDashboard) => void;
  /** A pair's key, or every run. */
  readonly pick: (picked: string) => void;
}

export class Header {
  readonly root = element('header', { id: 'pair-status' });
  readonly #title = element('div', { class: 'title' });
  /** Verdict, run cards and proof: for the page that shows curves. */
  readonly details = element('div', { class: 'details' });
  readonly #picker = element('div', { class: 'picker' });
  readonly #stop = element('vscode-button' as 'button', { id: 'stop' }, t('Stop'));
  readonly #start = element('vscode-button' as 'button', { id: 'start', secondary: true }, t('Start again'));
  readonly #folder = element('vscode-button' as 'button', { id: 'folder', secondary: true }, t('Run folder'));
  readonly #notice = element('div', { class: 'notice', role: 'alert' });
  readonly #verdict = element('div', { class: 'verdict', 'aria-live': 'polite' });
  readonly #runs = element('div', { class: 'runs' });
  readonly #proof = element('ul', { class: 'proof' });
  readonly #actions: HeaderActions;
  #state: DashboardState | undefined;
  /** The run that was told to stop, until it is over. */
  #stopRequested: string | undefined;

  constructor(actions: HeaderActions) {
    this.#actions = actions;
    const buttons = element('div', { class: 'buttons' }, this.#picker, this.#folder, this.#start, this.#stop);
    const top = element('div', { class: 'top' }, this.#title, buttons);
    this.details.append(this.#verdict, this.#runs, this.#proof);
    this.root.append(top, this.#notice, this.details);
    this.#stop.addEventListener('click', () => this.#requestStop());
    this.#start.addEventListener('click', () => actions.send({ type: 'start' }));
    this.#folder.addEventListener('click', () => {
      const run = this.#firstRun();
      if (run !== undefined) actions.send({ type: 'showRunFolder', run });
    });
  }

  update(state: DashboardState): void {
    this.#state = state;
    const pair = shownPair(state);
    this.root.hidden = !pair;
    showNotice(this.#notice, state.notice);
    if (!pair) return;
    const living = isLiving(state);
    const told = this.#stopRequested === undefined ? undefined : state.runs.get(this.#stopRequested);
    if (!told || isOver(told)) this.#stopRequested = undefined;
    const stopping = this.#stopRequested !== undefined || runsOf(pair).some(({ run }) => run.state === 'stopping');
    this.#stop.hidden = !living;
    this.#stop.toggleAttribute('disabled', stopping);
    this.#stop.textContent = stopping ? t('Stopping…') : t('Stop');
    const pairs = pairsOf(state);
    const charted = chartedRuns(state);
    const all = charted.length > runsOf(pair).length;
    // With runs of several experiments nobody could say which one these mean.
    const isMixed = all && isSelection(state);
    this.#start.hidden = living || isMixed;
    this.#folder.hidden = isMixed;
    this.root.classList.toggle('many', all);
    fill(this.#title, ...(all ? allTitle(state, charted.length) : titleView(pair)));
    this.#showPicker(pairs, all ? everyRun : pair.key, isSelection(state));
    this.#verdict.hidden = all;
    this.#proof.hidden = all;
    if (!all) fill(this.#verdict, ...verdictView(verdictOf(pair, pairs)));
    const looks = looksOf(state);
    const theme = readTheme();
    const named = {
      name: new Set(charted.map(({ handle }) => handle.name)).size > 1,
      seed: new Set(charted.map(({ handle }) => handle.seed)).size > 1,
    };
    const cardOf = (shown: ShownRun) =>
      runCard(shown, state, looks.get(shown.handle.id) ?? shown.handle.role, theme, all ? named : undefined);
    fill(this.#runs, ...charted.map(cardOf));
    this.#runs.classList.toggle('many', all);
    if (!all) fill(this.#proof, ...proofView(pair));
  }

  #requestStop(): void {
    const run = this.#livingRun();
    if (run === undefined || this.#stopRequested !== undefined) return;
    this.#stopRequested = run;
    this.#actions.send({ type: 'stop', run });
    if (this.#state) this.update(this.#state);
  }

  #firstRun(): string | undefined {
    const pair = this.#state && shownPair(this.#state);
    return pair && runsOf(pair)[0]?.handle.id;
  }

  /** A run that Stop is for: of the shown pair, else of those beside it. */
  #livingRun(): string | undefined {
    const pair = this.#state && shownPair(this.#state);
    const all = [...(pair ? runsOf(pair) : []), ...(this.#state ? pairsOf(this.#state).flatMap(runsOf) : [])];
    return all.find(({ run }) => !isOver(run))?.handle.id;
  }

  /** A choice among the pairs, and all of them at once. */
  #showPicker(pairs: readonly ShownPair[], picked: string, selection: boolean): void {
    this.#picker.hidden = pairs.length < 2;
    const shown = JSON.stringify([pairs.map(({ key, name }) => [key, name]), picked]);
    if (this.#picker.dataset.shown === shown) return;
    this.#picker.dataset.shown = shown;
    const option = (value: string, label: string) =>
      element('vscode-option' as 'option', { value, selected: value === picked }, label);
    const label = ({ name, seed }: ShownPair) => (selection ? t('{0}, seed {1}', name, seed) : t('Seed {0}', seed));
    const select = element(
      'vscode-single-select' as 'select',
      { label: t('Runs to show') },
      ...pairs.map((pair) => option(pair.key, label(pair))),
      option(everyRun, selection ? t('All runs') : t('All seeds')),
    );
    select.addEventListener('change', () => this.#actions.pick(select.value));
    this.#picker.replaceChildren(select);
  }
}

/** Shows a failure, or nothing. */
export function showNotice(place: HTMLElement, text: string | undefined): void {
  place.hidden = text === undefined;
  setText(place, text ?? '');
}

function titleView(pair: ShownPair): HTMLElement[] {
  const start = runsOf(pair).find(({ run }) => run.start)?.run.start;
  const facts = [
    t('seed {0}', pair.seed),
    ...(start
      ? [
          titleOf(start.dataset),
          t('{0}, {1} parameters', modelTitle(start.model), start.parameters.toLocaleString('en')),
        ]
      : []),
  ];
  return [
    element('h1', { title: pair.name }, pair.name),
    element('p', { title: facts.join(' · ') }, facts.join(' · ')),
  ];
}

function allTitle(state: DashboardState, count: number): HTMLElement[] {
  const names = [...new Set(pairsOf(state).map(({ name }) => name))];
  const title = listed(names, 3);
  const whole = names.join('\n');
  return [element('h1', { title: whole }, title), element('p', {}, t('{0} runs', count))];
}

const modelTitle = (name: string) => models[name as keyof typeof models]?.title ?? name;
