/** The mask viewer: samples of real steps with what the sub-branch did not see of them, and what both branches said. */
import { t } from '../../src/core/l10n.ts';
import type { Samples, TrainingSample } from '../../src/core/samples.ts';
import { button, element } from '../dom.ts';
import { agreement, ChoiceGroup, partOf, spokenOnly } from './controls.ts';
import type { Looking, lookings } from './picture.ts';
import { isOfTexts } from './record.ts';
import { sampleDetails } from './sampleDetails.ts';
import {
  agree,
  className,
  type Filter,
  filtered,
  filters,
  hiddenOf,
  isRight,
  labelText,
  rightText,
  wholeShare,
} from './sampleFacts.ts';
import { samplePicture } from './samplePicture.ts';
import type { Section, SectionActions, View } from './section.ts';

const PER_PAGE = 24;
const SIDE = 100;
const MOST_TOKENS = 40;

export class MaskViewer implements Section {
  readonly root: HTMLElement;
  readonly #actions: SectionActions;
  readonly #looking: ChoiceGroup<Looking>;
  readonly #filter: ChoiceGroup<Filter>;
  readonly #about = element('p', { class: 'about' });
  readonly #grid = element('ul', { class: 'cards', role: 'list', 'aria-label': t('Samples of this epoch') });
  readonly #details = element('div', { class: 'aside' });
  readonly #count = element('output', { class: 'count' });
  readonly #back: HTMLButtonElement;
  readonly #on: HTMLButtonElement;
  #page = 0;
  #view: View | undefined;
  /** What is drawn, so that news of a living run draw nothing again. */
  #drawn: readonly unknown[] = [];
  #detailed: Pick<View, 'record' | 'selected'> | undefined;

  constructor(actions: SectionActions) {
    this.#actions = actions;
    this.#looking = new ChoiceGroup<Looking>(
      t('Show'),
      [
        { value: 'masked', label: t('as the sub-branch saw it') },
        { value: 'overlay', label: t('overlay'), about: t('The mask over the image, which shows through') },
        { value: 'whole', label: t('whole image') },
      ] satisfies { value: (typeof lookings)[number]; label: string; about?: string }[],
      'masked',
      () => this.#draw(),
    );
    this.#filter = new ChoiceGroup<Filter>(
      t('Filter'),
      filters.map((value) => ({ value, label: filterTitle(value) })),
      'all',
      () => this.#filterChanged(),
    );
    this.#back = button('‹', t('Previous samples'), () => this.#turn(-1));
    this.#on = button('›', t('Next samples'), () => this.#turn(1));
    this.#grid.addEventListener('keydown', (event) => this.#key(event));
    this.root = partOf(
      'masks',
      t('Masks'),
      this.#about,
      element(
        'div',
        { class: 'tools' },
        this.#looking.root,
        this.#filter.root,
        element('span', { class: 'pager' }, this.#back, this.#count, this.#on),
      ),
      element('div', { class: 'beside' }, this.#grid, this.#details),
    );
  }

  show(view: View): void {
    const before = this.#view;
    this.#view = view;
    const shown = this.#shown();
    const at = shown.indexOf(view.selected);
    if (at >= 0 && (before?.selected !== view.selected || before.record !== view.record)) {
      this.#page = Math.floor(at / PER_PAGE);
    }
    this.#draw();
  }

  /** With all of the theme's colours anew. */
  redraw(): void {
    this.#drawn = [];
    this.#detailed = undefined;
    if (this.#view) this.#draw();
  }

  #shown(): number[] {
    return this.#view ? filtered(this.#view.record.samples, this.#filterOf(this.#view)) : [];
  }

  /** With one branch there is nobody to disagree. */
  #filterOf({ record }: View): Filter {
    const { value } = this.#filter;
    return value === 'disagree' && !hasSub(record.samples) ? 'all' : value;
  }

  #draw(): void {
    const view = this.#view;
    if (!view) return;
    const { record, selected } = view;
    const shown = this.#shown();
    const pages = Math.max(1, Math.ceil(shown.length / PER_PAGE));
    this.#page = Math.min(this.#page, pages - 1);
    const page = shown.slice(this.#page * PER_PAGE, (this.#page + 1) * PER_PAGE);
    const drawn = [record, this.#looking.value, this.#filter.value, this.#page];
    if (drawn.some((part, i) => part !== this.#drawn[i])) {
      this.#drawn = drawn;
      const hadFocus = this.#grid.contains(document.activeElement);
      this.#tell(view, shown.length);
      const looking = this.#looking.value;
      this.#grid.replaceChildren(...page.map((index) => this.#card(view, index, looking)));
      if (page.length === 0) {
        this.#grid.append(element('li', { class: 'nothing' }, t('No sample of this epoch is like that.')));
      }
      this.#mark(page, selected);
      if (hadFocus) this.#focus(page.includes(selected) ? selected : page[0]);
    } else this.#mark(page, selected);
    const first = this.#page * PER_PAGE + 1;
    const text = t('{0} to {1} of {2}', Math.min(first, shown.length), first - 1 + page.length, shown.length);
    if (this.#count.textContent !== text) this.#count.textContent = text;
    this.#back.disabled = this.#page === 0;
    this.#on.disabled = this.#page >= pages - 1;
    if (record !== this.#detailed?.record || selected !== this.#detailed.selected) {
      this.#detailed = { record, selected };
      this.#details.replaceChildren(sampleDetails(record, selected));
    }
  }

  #tell({ record }: View, count: number): void {
    const { samples } = record;
    const [first] = samples.training;
    const masked = samples.training.some((sample) => hiddenOf(sample, samples));
    const twoBranches = hasSub(samples);
    this.#filter.hide('disagree', !twoBranches);
    this.#looking.root.hidden = !masked;
    this.#looking.label('masked', twoBranches ? t('as the sub-branch saw it') : t('as the branch saw it'));
    this.#looking.label('whole', isOfTexts(record) ? t('whole text') : t('whole image'));
    this.#filter.root.hidden = count === 0 && this.#filter.value === 'all';
    this.#about.textContent = [
      t(
        '{0} samples as they entered training from step {1} on, after augmentation.',
        samples.training.length,
        samples.step,
      ),
      !first || masked
        ? ''
        : twoBranches
          ? t('This method hides nothing of the input.')
          : t('A baseline has one branch and no mask.'),
    ]
      .filter((text) => text !== '')
      .join(' ');
  }

  #card(view: View, index: number, looking: Looking): HTMLElement {
    const { record } = view;
    const { samples } = record;
    const sample = samples.training[index] as TrainingSample;
    const card = element(
      'button',
      { type: 'button', class: 'card', 'data-index': index },
      samplePicture(record, index, looking, SIDE, MOST_TOKENS),
      element('span', { class: 'label' }, labelText(sample, samples)),
      ...lines(sample, samples),
    );
    card.addEventListener('click', () => this.#actions.select(index));
    return element('li', {}, card);
  }

  #mark(page: readonly number[], selected: number): void {
    const reachable = page.includes(selected) ? selected : page[0];
    for (const card of this.#grid.querySelectorAll<HTMLElement>('.card')) {
      const index = Number(card.dataset.index);
      card.setAttribute('aria-pressed', String(index === selected));
      card.tabIndex = index === reachable ? 0 : -1;
    }
  }

  #turn(by: number): void {
    this.#page += by;
    this.#draw();
  }

  #filterChanged(): void {
    this.#page = 0;
    const [first] = this.#shown();
    if (first !== undefined && this.#view && !this.#shown().includes(this.#view.selected)) this.#actions.select(first);
    this.#draw();
  }

  /** Arrows walk the samples, with Shift the epochs. */
  #key(event: KeyboardEvent): void {
    const across = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (event.shiftKey && across !== undefined) {
      event.preventDefault();
      this.#actions.stepEpoch(across);
      return;
    }
    const by = across ?? { ArrowUp: -this.#perRow(), ArrowDown: this.#perRow() }[event.key];
    const shown = this.#shown();
    const from = shown.indexOf(Number((event.target as HTMLElement).dataset.index));
    const to = by === undefined ? { Home: 0, End: shown.length - 1 }[event.key] : from + by;
    const next = to === undefined ? undefined : shown[to];
    if (next === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    this.#actions.select(next);
    this.#focus(next);
  }

  #perRow(): number {
    const cards = [...this.#grid.children] as HTMLElement[];
    const top = cards[0]?.offsetTop;
    return Math.max(1, cards.filter((card) => card.offsetTop === top).length);
  }

  #focus(index: number | undefined): void {
    this.#grid.querySelector<HTMLElement>(`[data-index="${index}"]`)?.focus();
  }
}

const hasSub = ({ training }: Samples): boolean => training.some(({ sub }) => sub);

function lines(sample: TrainingSample, samples: Samples): HTMLElement[] {
  const { main, sub } = sample;
  const agrees = agree(sample);
  const right = isRight(sample);
  const line = (who: string, good: boolean, said: typeof main) =>
    element(
      'span',
      { class: 'said' },
      element('span', { class: 'who' }, who),
      element(
        'span',
        { class: good ? 'sign verdict-good' : 'sign verdict-bad', 'aria-hidden': 'true' },
        good ? '✓' : '✗',
      ),
      element('span', { class: 'class' }, className(samples, said.predicted)),
      element('span', { class: 'number' }, wholeShare(said.certainty)),
      spokenOnly(rightText(good)),
    );
  return [
    line(sub ? t('main') : '', right, main),
    ...(sub ? [line(t('sub'), sub.predicted === sample.label, sub)] : []),
    ...(agrees === undefined ? [] : [agreement(agrees)]),
  ];
}

function filterTitle(filter: Filter): string {
  switch (filter) {
    case 'all':
      return t('all');
    case 'disagree':
      return t('branches disagree');
    case 'mainWrong':
      return t('main wrong');
  }
}
