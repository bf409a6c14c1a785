/** The difficulty view: the scatter of an epoch's samples, what it means, its figures, and the sample of the chosen dot. */
import { t } from '../../src/core/l10n.ts';
import { withMinus } from '../charts/ticks.ts';
import { element } from '../dom.ts';
import { ChoiceGroup, partOf } from './controls.ts';
import { type Confidence, confidences, lossScale, type Point, pointsOf, summaryOf } from './difficulty.ts';
import { sampleDetails } from './sampleDetails.ts';
import { className, isRight, lossText, rightText, share, spoken } from './sampleFacts.ts';
import { Scatter } from './scatter.ts';
import type { Section, SectionActions, View } from './section.ts';

export class DifficultyView implements Section {
  readonly root: HTMLElement;
  readonly #about = element('p', { class: 'about' });
  readonly #tools: HTMLElement;
  readonly #confidence: ChoiceGroup<Confidence>;
  readonly #scale: ChoiceGroup<'linear' | 'log'>;
  readonly #table = element('button', { type: 'button', 'aria-pressed': 'false' }, t('table'));
  readonly #scatter: Scatter;
  readonly #body: HTMLElement;
  readonly #figures = element('ul', { class: 'figures' });
  readonly #details = element('div', { class: 'aside' });
  readonly #twin = element('div', {
    class: 'twin',
    role: 'region',
    tabindex: 0,
    'aria-label': t('Difficulty as a table'),
    hidden: true,
  });
  #view: View | undefined;

  constructor({ select }: SectionActions) {
    const redraw = () => this.redraw();
    this.#confidence = new ChoiceGroup<Confidence>(
      t('Confidence'),
      confidences.map((value) =>
        value === 'certainty'
          ? {
              value,
              label: t('of its first class'),
              about: t('Probability of the class that the main branch ranks first'),
            }
          : { value, label: t('of the label'), about: t('Probability that the main branch gives to the label') },
      ),
      'certainty',
      redraw,
    );
    this.#scale = new ChoiceGroup<'linear' | 'log'>(
      t('Scale of the loss'),
      [
        { value: 'linear', label: t('linear') },
        { value: 'log', label: t('log') },
      ],
      'linear',
      redraw,
    );
    this.#table.addEventListener('click', () => {
      this.#twin.hidden = !this.#twin.hidden;
      this.#table.setAttribute('aria-pressed', String(!this.#twin.hidden));
      this.redraw();
    });
    this.#scatter = new Scatter(select);
    const labelled = (text: string, group: HTMLElement) => element('span', { class: 'labelled' }, text, group);
    this.#tools = element(
      'div',
      { class: 'tools' },
      labelled(t('Confidence'), this.#confidence.root),
      labelled(t('Loss'), this.#scale.root),
      this.#table,
    );
    const key = element(
      'ul',
      { class: 'key' },
      element('li', {}, element('span', { class: 'mark-right', 'aria-hidden': 'true' }), t('main branch right')),
      element('li', {}, element('span', { class: 'mark-wrong', 'aria-hidden': 'true' }), t('main branch wrong')),
    );
    const plot = element('div', {}, key, this.#scatter.root, this.#figures);
    this.#body = element('div', { class: 'beside' }, plot, this.#details);
    this.root = partOf('difficulty', t('Difficulty'), this.#about, this.#tools, this.#body, this.#twin);
  }

  show(view: View): void {
    const isNew = view.record !== this.#view?.record || view.others.length !== this.#view.others.length;
    const isOther = view.selected !== this.#view?.selected;
    this.#view = view;
    if (isNew || isOther) this.redraw();
  }

  redraw(): void {
    const view = this.#view;
    if (!view) return;
    const { samples } = view.record;
    const hasSub = samples.training.some(({ sub }) => sub);
    this.#tools.hidden = !hasSub;
    this.#body.hidden = !hasSub;
    this.#twin.hidden = !hasSub || this.#table.getAttribute('aria-pressed') !== 'true';
    this.#about.textContent = hasSub
      ? reading(view.run.handle.method)
      : t('A run with one branch has no sub-branch to set tasks for.');
    if (!hasSub) return;
    const confidence = this.#confidence.value;
    const points = pointsOf(samples, confidence);
    const all = [view.record, ...view.others].flatMap((record) => pointsOf(record.samples, confidence));
    this.#scatter.show({
      points,
      scale: lossScale(all, this.#scale.value === 'log'),
      selected: view.selected,
      xTitle:
        confidence === 'certainty'
          ? t('Confidence of the main branch in the class that it ranks first')
          : t('Confidence of the main branch in the label'),
      spoken: ({ index, y }) => {
        const sample = samples.training[index];
        return sample ? `${spoken(sample, samples)}; ${t('loss of the sub-branch {0}', lossText(y))}` : '';
      },
    });
    this.#figures.replaceChildren(...figures(points, samples.training.length).map((text) => element('li', {}, text)));
    this.#details.replaceChildren(sampleDetails(view.record, view.selected));
    if (!this.#twin.hidden) this.#twin.replaceChildren(twinOf(view, points));
  }
}

/** What the picture means: not every second branch learns from the first alone. */
function reading(method: string): string {
  if (method === 'cosub') {
    return t(
      'Both branches of CoSub learn from the labels and from each other: the loss of the second is made of both.',
    );
  }
  if (method === 'direct-mask') {
    return t(
      'Direct masking gives the masked input the label itself: its task is as hard from the first step on as it will ever be, which MaskSub avoids.',
    );
  }
  return t(
    'The sub-branch learns what the main branch says of the whole input. While the main branch is unsure (left), that target is close to uniform, and so is what the same weights say of the masked input: the gradient stays small, though the loss cannot fall below the entropy of such a target. As the main branch gets sure (right), the target becomes a label that must be recognized from what is left of the input. So each sample gets harder as the model gets better at it, without a schedule: the automatic difficulty control of MaskSub (arXiv 2306.11339).',
  );
}

function figures(points: readonly Point[], samples: number): string[] {
  const { right, wrong, correlation } = summaryOf(points);
  const left = samples - points.length;
  const texts = [
    t('main branch right: {0} samples, mean sub loss {1}', right.count, lossOrNone(right.meanLoss)),
    t('main branch wrong: {0} samples, mean sub loss {1}', wrong.count, lossOrNone(wrong.meanLoss)),
    correlation !== undefined &&
      t('rank correlation of confidence and sub loss: {0}', withMinus(correlation.toFixed(2))),
    left > 0 && t('{0} samples without a finite loss are not drawn', left),
  ];
  return texts.filter((text) => text !== false);
}

const lossOrNone = (value: number) => (Number.isNaN(value) ? '–' : lossText(value));

function twinOf({ record }: View, points: readonly Point[]): HTMLElement {
  const { samples } = record;
  const titles = [t('Sample'), t('Label'), t('Main branch'), t('Confidence'), t('Is'), t('Loss of the sub-branch')];
  const rows = points.flatMap(({ index, x, y }) => {
    const sample = samples.training[index];
    if (!sample) return [];
    const cells = [
      className(samples, sample.label),
      className(samples, sample.main.predicted),
      share(x),
      rightText(isRight(sample)),
      lossText(y),
    ];
    return [
      element(
        'tr',
        {},
        element('th', { scope: 'row' }, String(sample.sample)),
        ...cells.map((cell) => element('td', {}, cell)),
      ),
    ];
  });
  return element(
    'table',
    {},
    element('caption', {}, t('Each recorded sample, by confidence of the main branch')),
    element('thead', {}, element('tr', {}, ...titles.map((title) => element('th', { scope: 'col' }, title)))),
    element('tbody', {}, ...rows),
  );
}
