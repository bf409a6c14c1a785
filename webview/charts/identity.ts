/** Checks, on every number that comes, that the loss which is differentiated is the weighted sum of the branches' losses. */
import { significant } from '../../src/core/format.ts';
import { t } from '../../src/core/l10n.ts';
import type { MetricWindow, SeriesWindow, WindowQuery } from '../../src/core/metricQuery.ts';
import { element } from '../dom.ts';
import type { ChartedRun } from './lines.ts';

export interface Identity {
  /** Weight of the sub-branch. */
  readonly weight: number;
  /** The run says it; else it is the weight that fits best. */
  readonly isKnown: boolean;
  /** Largest |total − ((1 − w)·main + w·sub)|, and the same in parts of what rounding of 32-bit numbers may cause. */
  readonly deviation: number;
  readonly holds: boolean;
}

/** What sums of a few losses in 32 bits may be off by, in parts of the total, with room. */
const TOLERANCE = 1e-5;

type Three = Readonly<Record<'total' | 'main' | 'sub', SeriesWindow>>;

/**
 * Nothing where there is no row with all three. Means are checked as well as rows: the identity is linear. Buckets in which a value is
 * not finite are left out: the means there are of different rows.
 */
export function identityOf(
  { x0, x1 }: Pick<MetricWindow, 'x0' | 'x1'>,
  series: Three,
  known: number | undefined,
): Identity | undefined {
  const three = [series.total, series.main, series.sub];
  const broken = three.flatMap(({ notFinite }) => [...notFinite]).sort((a, b) => a - b);
  const isListed = three.every(({ notFinite, notFiniteCount }) => notFinite.length >= notFiniteCount);
  const end = isListed ? Number.POSITIVE_INFINITY : (broken.at(-1) ?? 0);
  const rows: { total: number; main: number; sub: number }[] = [];
  let next = 0;
  for (let i = 0; i < x0.length; i++) {
    const [from, to] = [x0[i] ?? 0, x1[i] ?? 0];
    while (next < broken.length && (broken[next] ?? 0) < from) next++;
    if (to > end || (broken[next] ?? Number.POSITIVE_INFINITY) <= to) continue;
    for (const kind of ['last', 'mean'] as const) {
      const [total = Number.NaN, main = Number.NaN, sub = Number.NaN] = three.map((one) => one[kind][i]);
      if (Number.isFinite(total + main + sub)) rows.push({ total, main, sub });
    }
  }
  if (rows.length === 0) return undefined;
  const weight = known ?? fitted(rows);
  let [deviation, worst] = [0, 0];
  for (const { total, main, sub } of rows) {
    const off = Math.abs(total - ((1 - weight) * main + weight * sub));
    deviation = Math.max(deviation, off);
    worst = Math.max(worst, off / Math.max(1, Math.abs(total), Math.abs(main), Math.abs(sub)));
  }
  return { weight, isKnown: known !== undefined, deviation, holds: worst <= TOLERANCE };
}

/** `total = ½ main + ½ sub`. */
export function formula(weight: number): string {
  const part = (value: number) => (value === 0.5 ? '½' : String(Number(value.toPrecision(3))));
  return t('total = {0} main + {1} sub', part(1 - weight), part(weight));
}

/** What the lamp says, and how it looks: a weight that was not told proves nothing when it doesn't fit. */
export function identityText(identity: Identity): { text: string; look: 'holds' | 'broken' | 'unknown' } {
  const { weight, isKnown, deviation, holds } = identity;
  if (!holds && !isKnown) return { text: t('total is no sum of main and sub with one weight'), look: 'unknown' };
  const size = t('largest deviation {0}', deviation === 0 ? '0' : significant(deviation, 1));
  return { text: `${formula(weight)} ${holds ? '✓' : '✗'} (${size})`, look: holds ? 'holds' : 'broken' };
}

/** Least squares, to three digits: the weight that somebody could have written. */
function fitted(rows: readonly { total: number; main: number; sub: number }[]): number {
  let [product, square] = [0, 0];
  for (const { total, main, sub } of rows) {
    product += (total - main) * (sub - main);
    square += (sub - main) ** 2;
  }
  return square > 0 ? Math.round((1000 * product) / square) / 1000 : 0.5;
}

const columns = { total: 'loss.total', main: 'loss.main', sub: 'loss.sub' } as const;

/** The line under the chart of the loss, for each run with two branches. */
export class IdentityLamp {
  readonly root = element('ul', { id: 'chart-identity', class: 'identity' });
  readonly names = Object.values(columns);
  readonly #found = new Map<string, Identity>();

  take(run: string, query: WindowQuery, window: MetricWindow, weight: number | undefined): void {
    const column = (name: string) => window.series[query.names.indexOf(name)];
    const [total, main, sub] = [column(columns.total), column(columns.main), column(columns.sub)];
    if (!total || !main || !sub) return;
    const found = identityOf(window, { total, main, sub }, weight);
    const before = this.#found.get(run);
    if (found) this.#found.set(run, withEarlier(found, before));
  }

  show(runs: readonly ChartedRun[]): void {
    const found = runs.flatMap(({ id, label }) => {
      const identity = this.#found.get(id);
      return identity ? [{ label, identity }] : [];
    });
    const items = identityItems(found);
    const made = JSON.stringify(items);
    if (this.root.dataset.made === made) return;
    this.root.dataset.made = made;
    const about = t(
      'The loss that is differentiated, checked against the branches’ losses in every window that is drawn.',
    );
    this.root.replaceChildren(...items.map(({ look, text }) => element('li', { class: look, title: about }, text)));
  }
}

/** A deviation that was seen once stays said, and a sum that did not hold stays broken, also when they are out of view. */
export function withEarlier(found: Identity, before: Identity | undefined): Identity {
  if (before?.weight !== found.weight) return found;
  const deviation = Math.max(found.deviation, before.deviation);
  return { ...found, deviation, holds: found.holds && before.holds };
}

/** One line for all runs where it holds alike; else one for each, with its name. */
export function identityItems(
  found: readonly { readonly label: string; readonly identity: Identity }[],
): { readonly text: string; readonly look: string }[] {
  const [first] = found;
  const isAlike = found.every(({ identity }) => identity.holds && identity.weight === first?.identity.weight);
  if (first && isAlike) {
    const deviation = Math.max(...found.map(({ identity }) => identity.deviation));
    return [identityText({ ...first.identity, deviation })];
  }
  return found.map(({ label, identity }) => {
    const { text, look } = identityText(identity);
    return { look, text: found.length > 1 ? `${label}: ${text}` : text };
  });
}
