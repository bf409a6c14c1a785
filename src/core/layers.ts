/** What is recorded of each layer, and how it becomes a colour. */
import { type ColorScale, diverging, sequential } from './colorScale.ts';
import { t } from './l10n.ts';

/** Gradient norm of each branch, and the cosine between the two: the prefixes of the columns of the table `layers`. */
export const layerNumbers = ['main', 'sub', 'cosine'] as const;
export type LayerNumber = (typeof layerNumbers)[number];

export function layerNumberTitle(number: LayerNumber): string {
  switch (number) {
    case 'main':
      return t('norm, main');
    case 'sub':
      return t('norm, sub');
    case 'cosine':
      return t('cosine');
  }
}

export const layerColors = (number: LayerNumber): ColorScale => (number === 'cosine' ? diverging : sequential);

/** The numbers between which the colours run: −1 to 1 for a cosine, else the lowest and highest above 0 of some rows. */
export function layerDomain(number: LayerNumber, rows: Iterable<ArrayLike<number>>): readonly [number, number] {
  if (number === 'cosine') return [-1, 1];
  let [low, high] = [Number.POSITIVE_INFINITY, 0];
  for (const row of rows) {
    for (let i = 0; i < row.length; i++) {
      const value = row[i] ?? Number.NaN;
      if (!(value > 0) || !Number.isFinite(value)) continue;
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  return high > 0 ? [low, high > low ? high : 2 * low] : [0.1, 1];
}

/** Where a value lies between the two, by its logarithm for a norm. */
export function layerShare(number: LayerNumber, value: number, [low, high]: readonly [number, number]): number {
  if (number === 'cosine') return (value - low) / (high - low);
  return Math.log(value / low) / Math.log(high / low);
}

/** Names short enough for the labels: where one is long, `blocks.11` becomes `b.11` in all. */
export function shortLayers(layers: readonly string[], most = 8): string[] {
  if (layers.every((name) => name.length <= most)) return [...layers];
  return layers.map((name) => {
    const parts = name.split('.');
    const short = parts
      .map((part, i) =>
        parts.length > 1 && (i < parts.length - 1 || /\d$/.test(part)) && !/^\d/.test(part) ? part.slice(0, 1) : part,
      )
      .join('.');
    return short.length <= most ? short : `${short.slice(0, most - 1)}…`;
  });
}
