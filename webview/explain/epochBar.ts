/** The line that stays in sight: which run and epoch the page shows, steps through the epochs, and the way to each section. */
import { t } from '../../src/core/l10n.ts';
import { button, element } from '../dom.ts';
import { type Chosen, runTitle } from './choice.ts';

export interface BarActions {
  readonly setRun: (run: string) => void;
  readonly setEpoch: (epoch: number) => void;
  readonly stepEpoch: (by: number) => void;
  readonly play: () => void;
}

export class EpochBar {
  readonly root: HTMLElement;
  readonly #run = element('select', { id: 'explain-run' });
  readonly #epoch = element('input', { type: 'range', id: 'explain-epoch', min: 0, step: 1 });
  readonly #epochText = element('output', { for: 'explain-epoch' });
  readonly #back: HTMLButtonElement;
  readonly #on: HTMLButtonElement;
  readonly #play: HTMLButtonElement;
  readonly #epochs: HTMLElement;
  #offered = '';
  #chosen: Chosen | undefined;

  constructor(actions: BarActions, sections: readonly HTMLElement[]) {
    this.#run.addEventListener('change', () => actions.setRun(this.#run.value));
    this.#epoch.addEventListener('input', () => {
      const epoch = this.#chosen?.epochs[Number(this.#epoch.value)];
      if (epoch !== undefined) actions.setEpoch(epoch);
    });
    this.#back = button('‹', t('Recorded epoch before'), () => actions.stepEpoch(-1));
    this.#on = button('›', t('Next recorded epoch'), () => actions.stepEpoch(1));
    this.#play = button('▶', t('Play through the epochs'), actions.play);
    this.#epochs = element(
      'span',
      { class: 'epochs' },
      element('label', { for: 'explain-epoch' }, t('Epoch')),
      this.#back,
      this.#epoch,
      this.#on,
      this.#epochText,
      this.#play,
    );
    this.root = element(
      'div',
      { class: 'explain-bar' },
      element('label', {}, t('Run'), this.#run),
      this.#epochs,
      element('nav', { 'aria-label': t('Sections of this page') }, ...sections.map(linkTo)),
    );
  }

  show(chosen: Chosen, isPlaying: boolean, canPlay: boolean): void {
    this.#chosen = chosen;
    const { runs, run, epochs, epoch } = chosen;
    const titles = runs.map((one) => [one.handle.id, runTitle(one, runs)] as const);
    const offered = JSON.stringify(titles);
    if (offered !== this.#offered) {
      this.#offered = offered;
      this.#run.replaceChildren(...titles.map(([value, title]) => element('option', { value }, title)));
    }
    if (run) this.#run.value = run.handle.id;
    this.#epochs.hidden = epochs.length === 0;
    const index = epoch === undefined ? 0 : epochs.indexOf(epoch);
    this.#epoch.max = String(Math.max(0, epochs.length - 1));
    this.#epoch.value = String(index);
    this.#epoch.disabled = epochs.length < 2;
    const all = run?.run.start?.epochs;
    const text = epoch === undefined ? '' : all === undefined ? String(epoch) : t('{0} of {1}', epoch, all);
    if (this.#epochText.textContent !== text) this.#epochText.textContent = text;
    this.#epoch.setAttribute('aria-valuetext', t('epoch {0}', epoch ?? 0));
    this.#back.disabled = index <= 0;
    this.#on.disabled = index >= epochs.length - 1;
    this.#play.hidden = !canPlay || epochs.length < 2;
    const about = isPlaying ? t('Pause') : t('Play through the epochs');
    this.#play.textContent = isPlaying ? '❚❚' : '▶';
    this.#play.title = about;
    this.#play.setAttribute('aria-label', about);
  }
}

/** A button, since a link would be the editor's to follow. */
function linkTo(section: HTMLElement): HTMLElement {
  const heading = section.querySelector('h2');
  const link = element('button', { type: 'button', class: 'link' }, heading?.textContent ?? '');
  link.addEventListener('click', () => {
    heading?.focus({ preventScroll: true });
    section.scrollIntoView({ block: 'start' });
  });
  return link;
}
