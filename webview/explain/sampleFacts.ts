/** What is said of one training sample: who is right, whether the branches agree, what was hidden, and which samples a filter lets through. */
import { percent } from '../../src/core/comparison.ts';
import { significant } from '../../src/core/format.ts';
import { t } from '../../src/core/l10n.ts';
import type { Samples, TrainingSample } from '../../src/core/samples.ts';

export const filters = ['all', 'disagree', 'mainWrong'] as const;
export type Filter = (typeof filters)[number];

/** Positions in the record of the samples that a filter lets through. */
export function filtered({ training }: Samples, filter: Filter): number[] {
  return training.flatMap((sample, i) => (passes(sample, filter) ? [i] : []));
}

function passes(sample: TrainingSample, filter: Filter): boolean {
  switch (filter) {
    case 'all':
      return true;
    case 'disagree':
      return agree(sample) === false;
    case 'mainWrong':
      return !isRight(sample);
  }
}

/** Whether the main branch ranks the label first. */
export const isRight = ({ label, main }: TrainingSample): boolean => main.predicted === label;

/** Whether both branches rank the same class first; nothing where there is one branch. */
export const agree = ({ main, sub }: TrainingSample): boolean | undefined => sub && sub.predicted === main.predicted;

/** For each patch or token whether the branch did not see it; nothing where no mask was drawn. */
export function hiddenOf({ kept, tokens }: TrainingSample, { grid }: Samples): boolean[] | undefined {
  const places = tokens ? tokens.length : grid && grid.rows * grid.columns;
  if (!kept || places === undefined) return undefined;
  const seen = new Set(kept);
  return Array.from({ length: places }, (_, place) => !seen.has(place));
}

export const className = ({ classNames }: Pick<Samples, 'classNames'>, label: number): string =>
  classNames[label] ?? String(label);

/** A probability; what is none is shown as it is. */
export const share = (value: number): string => (Number.isFinite(value) ? percent(value) : String(value));

/** Without decimals, where there is little room. */
export const wholeShare = (value: number): string =>
  Number.isFinite(value) ? `${Math.round(100 * value)}\u00a0%` : String(value);

export const lossText = (value: number): string => significant(value);

/** `8 of 16 patches kept`, or nothing where no mask was drawn. */
export function keptText(sample: TrainingSample, samples: Samples): string | undefined {
  const hidden = hiddenOf(sample, samples);
  if (!hidden) return undefined;
  const kept = hidden.filter((one) => !one).length;
  return sample.tokens
    ? t('{0} of {1} tokens kept', kept, hidden.length)
    : t('{0} of {1} patches kept', kept, hidden.length);
}

export const agreementText = (agrees: boolean): string => (agrees ? t('agree') : t('disagree'));
export const rightText = (right: boolean): string => (right ? t('right') : t('wrong'));

/** The sample in a sentence, as it is read out. */
export function spoken(sample: TrainingSample, samples: Samples): string {
  const { main, sub } = sample;
  const agrees = agree(sample);
  const parts = [
    t('Sample {0}, label {1}', sample.sample, labelText(sample, samples)),
    t(
      'main branch: {0}, {1}, {2}',
      className(samples, main.predicted),
      share(main.certainty),
      rightText(isRight(sample)),
    ),
    sub && t('sub-branch: {0}, {1}', className(samples, sub.predicted), share(sub.certainty)),
    agrees === undefined ? undefined : agreementText(agrees),
    keptText(sample, samples),
  ];
  return parts.filter((part) => part !== undefined).join('; ');
}

/** The label; of a mixed target the class with most weight. */
export function labelText({ label, mixed }: TrainingSample, samples: Samples): string {
  const name = className(samples, label);
  return mixed ? t('{0} (mixed)', name) : name;
}
