/** One training sample, large: whole and as the branch saw it, attention, and what both branches said and lost. */
import { t } from '../../src/core/l10n.ts';
import type { Prediction, Samples, TrainingSample } from '../../src/core/samples.ts';
import { element } from '../dom.ts';
import { agreement, verdict } from './controls.ts';
import type { SampleRecord } from './record.ts';
import { agree, className, hiddenOf, keptText, labelText, lossText, rightText, share } from './sampleFacts.ts';
import { attentionPicture, samplePicture } from './samplePicture.ts';

const SIDE = 140;
const MOST_TOKENS = 512;

export function sampleDetails(record: SampleRecord, index: number): HTMLElement {
  const { samples } = record;
  const sample = samples.training[index];
  if (!sample) return element('p', { class: 'nothing' }, t('No sample is selected.'));
  const hidden = hiddenOf(sample, samples);
  const attention = attentionPicture(record, index, SIDE, MOST_TOKENS);
  const pictures = [
    captioned(t('whole'), samplePicture(record, index, 'whole', SIDE, MOST_TOKENS)),
    hidden && captioned(seenTitle(sample), samplePicture(record, index, 'masked', SIDE, MOST_TOKENS)),
    attention && captioned(t('attention'), attention),
  ];
  return element(
    'div',
    { class: 'details' },
    element('h3', {}, t('Sample {0}', sample.sample)),
    element('div', { class: sample.tokens ? 'views texts' : 'views' }, ...pictures.filter((one) => one !== undefined)),
    facts(sample, samples),
  );
}

/** How the masked picture is called: by the branch that saw it so. */
export const seenTitle = ({ sub }: Pick<TrainingSample, 'sub'>): string =>
  sub ? t('as the sub-branch saw it') : t('as the branch saw it');

function captioned(title: string, content: HTMLElement): HTMLElement {
  return element('figure', {}, content, element('figcaption', {}, title));
}

function facts(sample: TrainingSample, samples: Samples): HTMLElement {
  const { main, sub, label } = sample;
  const agrees = agree(sample);
  const kept = keptText(sample, samples);
  return element(
    'div',
    {},
    element(
      'table',
      { class: 'branches' },
      element(
        'thead',
        {},
        element(
          'tr',
          {},
          element('td', {}),
          ...[t('ranks first'), t('gives the label'), t('loss')].map((title) => element('th', { scope: 'col' }, title)),
        ),
      ),
      element(
        'tbody',
        {},
        branchRow(sub ? t('main') : t('branch'), main, label, samples),
        ...(sub ? [branchRow(t('sub'), sub, label, samples)] : []),
      ),
    ),
    element(
      'ul',
      { class: 'facts' },
      element('li', {}, t('label: {0}', labelText(sample, samples))),
      ...(agrees === undefined ? [] : [element('li', {}, t('the branches'), ' ', agreement(agrees))]),
      ...(kept ? [element('li', {}, kept)] : []),
    ),
  );
}

function branchRow(title: string, said: Prediction, label: number, samples: Samples): HTMLElement {
  const isRight = said.predicted === label;
  return element(
    'tr',
    {},
    element('th', { scope: 'row' }, title),
    element(
      'td',
      {},
      element('span', { class: 'class' }, className(samples, said.predicted)),
      ` ${share(said.certainty)} `,
      verdict(isRight, rightText(isRight)),
    ),
    element('td', {}, share(said.confidence)),
    element('td', {}, lossText(said.loss)),
  );
}
