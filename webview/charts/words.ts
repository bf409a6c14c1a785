/** What a chart says in words: its badge, and what is spoken of its points. */
import { t } from '../../src/core/l10n.ts';

export interface BadgeFacts {
  /** Points drawn, and held in all. */
  readonly shown: number;
  readonly points: number;
  /** Half-life as a share of the axis; 0 where nothing is averaged. */
  readonly smoothing: number;
  readonly outside: number;
  readonly notPositive: number;
  /** False where the two numbers above are the least that there may be. */
  readonly exact: boolean;
  readonly notFinite: number;
  /** Lines that a person has hidden. */
  readonly hidden: number;
  /** Rows per bucket, at most. */
  readonly perBucket: number;
}

/** Short for under the title, where it may be cut off; whole and with sentences for a tooltip. */
export function badge(facts: BadgeFacts): { readonly text: string; readonly details: string } {
  const { shown, points, smoothing, outside, notPositive, exact, notFinite, hidden, perBucket } = facts;
  if (points === 0) return { text: '', details: '' };
  const least = exact ? '' : '≥ ';
  const parts: (string | false)[] = [
    shown >= points ? pointsText(points) : t('{0} of {1} points', count(shown), count(points)),
    outside > 0 && t('{0} outside', least + count(outside)),
    notPositive > 0 && t('{0} not above 0', least + count(notPositive)),
    notFinite > 0 && t('{0} not finite ×', count(notFinite)),
    hidden > 0 && t('{0} hidden', count(hidden)),
    // Last: where there is no room, it is in the bar above all charts too.
    smoothing > 0 && t('smoothed (half-life {0})', share(smoothing)),
  ];
  const sentences: (string | false)[] = [
    perBucket > 1 &&
      t(
        'Each pixel stands for up to {0} points: the lowest, the highest and the mean of them are drawn.',
        count(perBucket),
      ),
    smoothing > 0 &&
      t(
        'The line is an exponential moving average over the x axis; what is read out is the average. Raw values are faint.',
      ),
    outside > 0 && t('Outliers do not stretch the y axis; switch “clip” off to see them.'),
    notPositive > 0 && t('A logarithmic axis has no place for values that are not above 0.'),
    notFinite > 0 && t('NaN and infinities are crosses at the lower edge.'),
  ];
  const join = (texts: (string | false)[], by: string) => texts.filter((text) => text !== false).join(by);
  const text = join(parts, ' · ');
  return { text, details: join([text, ...sentences], '\n') };
}

const pointsText = (points: number) => (points === 1 ? t('1 point') : t('{0} points', count(points)));

export interface ReadOut {
  readonly label: string;
  readonly value: string;
}

/** A point as a screen reader says it. */
export function spokenPoint(place: string, readOuts: readonly ReadOut[]): string {
  return [place, ...readOuts.map(({ label, value }) => `${label} ${value}`)].join(', ');
}

/** What a chart is and shows, for its accessible name. */
export function summary(title: string, unit: string, readOuts: readonly ReadOut[], badgeText: string): string {
  const values = readOuts.map(({ label, value }) => `${label} ${value}`).join(', ');
  const last = values ? t('newest: {0}', values) : t('no points yet');
  return [`${title} (${unit})`, last, badgeText].filter(Boolean).join('. ');
}

const whole = new Intl.NumberFormat('en');
const count = (value: number) => whole.format(value);

/** 0.01 → "1 %"; its space does not break. */
export function share(value: number): string {
  return `${Number((100 * value).toPrecision(2))}\u00a0%`;
}
