/** The dashboard's header: what runs, how it stands, that the comparison is fair, and Stop. */
import '@vscode-elements/elements/dist/vscode-button/index.js';
import '@vscode-elements/elements/dist/vscode-option/index.js';
import '@vscode-elements/elements/dist/vscode-single-select/index.js';
import { models } from '../src/core/catalog.ts';
import { titleOf } from '../src/core/comparison.ts';
import type { FromDashboard } from '../src/core/messages.ts';
import { element, fill } from './dom.ts';
import { proofView } from './proof.ts';
import { runCard } from './runCard.ts';
import { type DashboardState, isLiving, pairsOf, runsOf, type ShownPair, shownPair } from './state.ts';
import { verdictOf, verdictView } from './verdict.ts';

export interface HeaderActions {
  readonly send: (message: FromDashboard) => void;
  readonly pickSeed: (seed: number) => void;
}

export class Header {
  readonly root = element('header', { id: 'pair-status' });
  readonly #title = element('div', { class: 'title' });
  readonly #seeds = element('div', { class: 'seeds' });
  readonly #stop = element('vscode-button' as 'button', { id: 'stop' }, 'Stop');
  readonly #start = element('vscode-button' as 'button', { id: 'start', secondary: true }, 'Start again');
  readonly #folder = element('vscode-button' as 'button', { id: 'folder', secondary: true }, 'Run folder');
  readonly #notice = element('div', { class: 'notice', role: 'alert' });
  readonly #verdict = element('div', { class: 'verdict', 'aria-live': 'polite' });
  readonly #runs = element('div', { class: 'runs' });
  readonly #proof = element('ul', { class: 'proof' });
  readonly #actions: HeaderActions;
  #state: DashboardState | undefined;
  #stopRequested = false;

  constructor(actions: HeaderActions) {
    this.#actions = actions;
    const buttons = element('div', { class: 'buttons' }, this.#seeds, this.#folder, this.#start, this.#stop);
    const top = element('div', { class: 'top' }, this.#title, buttons);
    this.root.append(top, this.#notice, this.#verdict, this.#runs, this.#proof);
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
    if (!living) this.#stopRequested = false;
    const stopping = this.#stopRequested || runsOf(pair).some(({ run }) => run.state === 'stopping');
    this.#stop.hidden = !living;
    this.#stop.toggleAttribute('disabled', stopping);
    this.#stop.textContent = stopping ? 'Stopping…' : 'Stop';
    this.#start.hidden = living;
    const pairs = pairsOf(state);
    fill(this.#title, ...titleView(pair));
    this.#showSeeds(pairs, pair);
    const verdict = verdictOf(pair, pairs);
    fill(this.#verdict, ...verdictView(verdict));
    fill(this.#runs, ...runsOf(pair).map(runCard));
    fill(this.#proof, ...proofView(pair));
  }

  #requestStop(): void {
    const run = this.#firstRun();
    if (run === undefined || this.#stopRequested) return;
    this.#stopRequested = true;
    this.#actions.send({ type: 'stop', run });
    if (this.#state) this.update(this.#state);
  }

  #firstRun(): string | undefined {
    const pair = this.#state && shownPair(this.#state);
    return pair && runsOf(pair)[0]?.handle.id;
  }

  #showSeeds(pairs: readonly ShownPair[], shown: ShownPair): void {
    this.#seeds.hidden = pairs.length < 2;
    const seeds = pairs.map(({ seed }) => String(seed)).join();
    if (this.#seeds.dataset.seeds === seeds && this.#seeds.dataset.shown === String(shown.seed)) return;
    this.#seeds.dataset.seeds = seeds;
    this.#seeds.dataset.shown = String(shown.seed);
    const options = pairs.map(({ seed }) =>
      element('vscode-option' as 'option', { value: seed, selected: seed === shown.seed }, `Seed ${seed}`),
    );
    const select = element('vscode-single-select' as 'select', { label: 'Seed' }, ...options);
    select.addEventListener('change', () => this.#actions.pickSeed(Number(select.value)));
    this.#seeds.replaceChildren(select);
  }
}

/** Shows a failure, or nothing. */
export function showNotice(place: HTMLElement, text: string | undefined): void {
  place.hidden = text === undefined;
  if (place.textContent !== (text ?? '')) place.textContent = text ?? '';
}

function titleView(pair: ShownPair): HTMLElement[] {
  const [first] = runsOf(pair);
  const start = runsOf(pair).find(({ run }) => run.start)?.run.start;
  const facts = [
    `seed ${pair.seed}`,
    ...(start
      ? [`${titleOf(start.dataset)}`, `${modelTitle(start.model)}, ${start.parameters.toLocaleString('en')} parameters`]
      : []),
  ];
  return [element('h1', {}, first?.handle.name ?? ''), element('p', {}, facts.join(' · '))];
}

const modelTitle = (name: string) => models[name as keyof typeof models]?.title ?? name;
