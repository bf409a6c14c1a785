/** The attention of the last block over the parts of some samples. */
import { t } from '../../src/core/l10n.ts';
import { button, element } from '../dom.ts';
import { partOf } from './controls.ts';
import { attentionCount, isOfTexts } from './record.ts';
import { className } from './sampleFacts.ts';
import { attentionPicture } from './samplePicture.ts';
import type { Section, SectionActions, View } from './section.ts';

const PER_PAGE = 16;
const SIDE = 100;
const MOST_TOKENS = 60;

export class AttentionView implements Section {
  readonly root: HTMLElement;
  readonly #about = element('p', { class: 'about' });
  readonly #grid = element('ul', { class: 'cards', role: 'list', 'aria-label': t('Attention of samples') });
  readonly #count = element('output', { class: 'count' });
  readonly #back: HTMLButtonElement;
  readonly #on: HTMLButtonElement;
  readonly #tools: HTMLElement;
  readonly #actions: SectionActions;
  #page = 0;
  #view: View | undefined;

  constructor(actions: SectionActions) {
    this.#actions = actions;
    this.#back = button('‹', t('Previous samples'), () => this.#turn(-1));
    this.#on = button('›', t('Next samples'), () => this.#turn(1));
    this.#tools = element(
      'div',
      { class: 'tools' },
      element(
        'span',
        { class: 'heat-key' },
        t('none'),
        element('span', { class: 'ramp' }),
        t('most within the sample'),
      ),
      element('span', { class: 'pager' }, this.#back, this.#count, this.#on),
    );
    this.root = partOf('attention', t('Attention'), this.#about, this.#tools, this.#grid);
  }

  show(view: View): void {
    const isNew = view.record !== this.#view?.record;
    this.#view = view;
    if (isNew) this.redraw();
  }

  redraw(): void {
    const view = this.#view;
    if (!view) return;
    const { record } = view;
    const count = attentionCount(record);
    this.#tools.hidden = count === 0;
    this.#about.textContent =
      count === 0 ? t('No attention is recorded: this model has none over its whole input.') : about(isOfTexts(record));
    const pages = Math.max(1, Math.ceil(count / PER_PAGE));
    this.#page = Math.min(this.#page, pages - 1);
    const first = this.#page * PER_PAGE;
    const page = Array.from({ length: Math.min(PER_PAGE, count - first) }, (_, i) => first + i);
    this.#grid.replaceChildren(...page.map((index) => this.#card(view, index)));
    this.#count.textContent = t('{0} to {1} of {2}', first + 1, first + page.length, count);
    this.#back.disabled = this.#page === 0;
    this.#on.disabled = this.#page >= pages - 1;
  }

  #card({ record }: View, index: number): HTMLElement {
    const { samples } = record;
    const sample = samples.training[index];
    const picture = attentionPicture(record, index, SIDE, MOST_TOKENS);
    if (!sample || !picture) return element('li', { class: 'nothing' }, t('image not kept'));
    const card = element(
      'button',
      { type: 'button', class: 'card', title: t('Show among the masks') },
      picture,
      element('span', { class: 'label' }, className(samples, sample.label)),
    );
    card.addEventListener('click', () => this.#actions.select(index));
    return element('li', {}, card);
  }

  #turn(by: number): void {
    this.#page += by;
    this.redraw();
  }
}

function about(isText: boolean): string {
  return isText
    ? t(
        'What each token gets of the attention of the class token, which the head reads: last block, mean over its heads, of the whole text, with the weights after the recorded step.',
      )
    : t(
        'What each patch gets of the attention in the last block, mean over its heads, of the whole image, with the weights after the recorded step: the attention of the class token where the head reads that, else the mean that the patches give each other.',
      );
}
