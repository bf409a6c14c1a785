/** A training sample as a picture: its image or its tokens, with what the branch did not see. */
import { t } from '../../src/core/l10n.ts';
import type { Samples, TrainingSample } from '../../src/core/samples.ts';
import { element } from '../dom.ts';
import { type Layer, type Looking, picture } from './picture.ts';
import { attentionOf, imageOf, type SampleRecord } from './record.ts';
import { hiddenOf, keptText } from './sampleFacts.ts';
import { tokenChips } from './tokens.ts';

/** What was recorded of the sample at this position; says so where its image was not kept. */
export function samplePicture(
  record: SampleRecord,
  index: number,
  looking: Looking,
  side: number,
  mostTokens: number,
): HTMLElement {
  const { samples } = record;
  const sample = samples.training[index];
  if (!sample) return notKept(side);
  const hidden = looking === 'whole' ? undefined : hiddenOf(sample, samples);
  if (sample.tokens) return tokenChips(sample.tokens, mostTokens, { hidden, isCovered: looking === 'masked' });
  const pixels = imageOf(record, 'training', index);
  if (!pixels) return notKept(side);
  return picture(pixels, side, pictureName(sample, samples, hidden !== undefined), coverOf(hidden, samples, looking));
}

/** The attention of a sample over its image or its tokens; nothing where it was not kept. */
export function attentionPicture(
  record: SampleRecord,
  index: number,
  side: number,
  mostTokens: number,
): HTMLElement | undefined {
  const attention = attentionOf(record, index);
  const sample = record.samples.training[index];
  if (!attention || !sample) return undefined;
  if (sample.tokens) return tokenChips(sample.tokens, mostTokens, { attention: attention.values });
  const pixels = imageOf(record, 'training', index);
  if (!pixels) return undefined;
  const { values, columns } = attention;
  const top = values.indexOf(Math.max(...values));
  const name = t(
    'Sample {0}: attention, highest in row {1}, column {2}',
    sample.sample,
    Math.floor(top / columns) + 1,
    (top % columns) + 1,
  );
  return picture(pixels, side, name, { kind: 'heat', attention });
}

function coverOf(hidden: readonly boolean[] | undefined, { grid }: Samples, looking: Looking): Layer | undefined {
  if (!hidden || !grid) return undefined;
  return { kind: 'cover', hidden, rows: grid.rows, columns: grid.columns, isSheer: looking === 'overlay' };
}

function pictureName(sample: TrainingSample, samples: Samples, isCovered: boolean): string {
  const kept = isCovered ? keptText(sample, samples) : undefined;
  return kept ? t('Image of sample {0}, {1}', sample.sample, kept) : t('Image of sample {0}', sample.sample);
}

function notKept(side: number): HTMLElement {
  const place = element('span', { class: 'not-kept' }, t('image not kept'));
  place.style.width = `${side}px`;
  place.style.height = `${side}px`;
  return place;
}
