/** What the validation of an epoch got wrong: confusion matrices of both runs side by side, confused pairs, and the worst examples. */
import { t } from '../../src/core/l10n.ts';
import { element } from '../dom.ts';
import { FEW_CLASSES, matrixView, mostConfused } from './confusion.ts';
import { confusionTable } from './confusionTable.ts';
import { partOf } from './controls.ts';
import { picture } from './picture.ts';
import { imageOf, type SampleRecord } from './record.ts';
import { className, lossText, share, wholeShare } from './sampleFacts.ts';
import type { Section, View } from './section.ts';
import { tokenChips } from './tokens.ts';

const SIDE = 84;
const MOST_TOKENS = 40;

export class ValidationView implements Section {
  readonly root: HTMLElement;
  readonly #about = element('p', { class: 'about' });
  readonly #matrices = element('div', { class: 'matrices' });
  readonly #worst = element('div', { class: 'worst' });
  #drawn: readonly unknown[] = [];
  #view: View | undefined;

  constructor() {
    this.root = partOf('validation', t('Errors in validation'), this.#about, this.#matrices, this.#worst);
  }

  show(view: View): void {
    this.#view = view;
    const drawn = [view.record, view.twin?.answer];
    if (drawn.some((part, i) => part !== this.#drawn[i])) this.redraw();
  }

  redraw(): void {
    const view = this.#view;
    if (!view) return;
    const { record, twin } = view;
    this.#drawn = [record, twin?.answer];
    const { validation } = record.samples;
    this.#about.textContent = validation
      ? t(
          '{0} validation samples; of each label (row) the classes ranked first.',
          validation.samples.toLocaleString('en'),
        )
      : t('This epoch was not validated: data.validateEvery says which are.');
    const other = twin?.answer.state === 'read' ? twin.answer.record : undefined;
    this.#matrices.replaceChildren(
      ...(validation ? [matrixOf(view.title, record)] : []),
      ...(other?.samples.validation && twin ? [matrixOf(twin.title, other)] : []),
      ...(twin?.answer.state === 'failed' ? [element('p', { class: 'problem' }, twin.answer.problem)] : []),
    );
    this.#worst.replaceChildren(...worstOf(view.title, record));
  }
}

function matrixOf(title: string, { samples }: SampleRecord): HTMLElement {
  const confusion = samples.validation?.confusion ?? [];
  const view = matrixView(confusion);
  const pairs = mostConfused(confusion, confusion.length > FEW_CLASSES ? 15 : 5);
  const name = (label: number) => className(samples, label);
  const list = pairs.map(({ label, predicted, count, share: part }) =>
    element('li', {}, t('{0} → {1}: {2} ({3})', name(label), name(predicted), count, share(part))),
  );
  return element(
    'div',
    {},
    confusionTable(title, view, samples),
    ...(view.isWhole
      ? []
      : [
          element(
            'p',
            { class: 'hint' },
            t('The {0} of {1} classes with most errors.', view.classes.length, confusion.length),
          ),
        ]),
    ...(list.length > 0 ? [element('h4', {}, t('Most confused')), element('ol', { class: 'pairs' }, ...list)] : []),
  );
}

function worstOf(title: string, record: SampleRecord): HTMLElement[] {
  const { samples } = record;
  const worst = samples.validation?.worst ?? [];
  if (worst.length === 0) return [];
  const cards = worst.map((sample, i) => {
    const { tokens, label, predicted, certainty, loss } = sample;
    const pixels = imageOf(record, 'worst', i);
    return element(
      'li',
      { class: 'card still' },
      tokens
        ? tokenChips(tokens, MOST_TOKENS)
        : pixels
          ? picture(pixels, SIDE, t('Image of validation sample {0}', sample.sample))
          : element('span', { class: 'not-kept' }, t('image not kept')),
      element('span', { class: 'label' }, className(samples, label)),
      element(
        'span',
        { class: 'said' },
        `→ ${className(samples, predicted)} `,
        element('span', { class: 'number' }, wholeShare(certainty)),
      ),
      element('span', { class: 'said' }, t('loss {0}', lossText(loss))),
    );
  });
  return [element('h3', {}, t('Highest loss, {0}', title)), element('ul', { class: 'cards', role: 'list' }, ...cards)];
}
