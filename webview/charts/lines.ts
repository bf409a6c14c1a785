/** The lines of a chart: which of the shown runs have one, what it is called and how it looks. */
import { titleOf } from '../../src/core/comparison.ts';
import { t } from '../../src/core/l10n.ts';
import type { MetricFacts } from '../../src/core/messages.ts';
import type { DashboardState, ShownRun } from '../state.ts';
import type { ChartSpec, Part } from './catalog.ts';

/** A run among those that are charted. */
export interface ChartedRun {
  readonly id: string;
  /** Told apart from the others by method, name or seed, whichever differ. */
  readonly label: string;
  readonly role: 'baseline' | 'method';
  readonly method: string;
  /** Its style where there are more runs than a pair. */
  readonly slot: number;
}

/** Whose looks a line has: those of a half of the pair, of both, or of a slot. */
export type Who = 'baseline' | 'method' | 'both' | number;

export interface LineSpec {
  /** The same for the same line of another pair, so that one that is hidden stays hidden. */
  readonly key: string;
  readonly run: string;
  readonly label: string;
  readonly who: Who;
  readonly second: boolean;
  readonly part: Part;
}

/** Most runs that are drawn as a pair. */
export const isPair = (runs: readonly ChartedRun[]) =>
  runs.length <= 2 && new Set(runs.map(({ role }) => role)).size === runs.length;

/** More pairs than this, and the sub-branches are left out by default. */
const PAIRS_WITH_SUB = 2;

export function hasManyPairs(runs: readonly ShownRun[]): boolean {
  return new Set(runs.map(({ handle }) => handle.pair ?? handle.id)).size > PAIRS_WITH_SUB;
}

export function chartedRunsOf(state: DashboardState, shown: readonly ShownRun[]): ChartedRun[] {
  const handles = shown.map(({ handle }) => handle);
  const differ = <T>(values: readonly T[]) => new Set(values).size > 1;
  const names = differ(handles.map(({ name }) => name));
  const seeds = differ(handles.map(({ seed }) => seed));
  const labels = handles.map(({ name, method, seed }) =>
    [...(names ? [shortened(name)] : []), titleOf(method), ...(seeds ? [t('seed {0}', seed)] : [])].join(' '),
  );
  return handles.map(({ id, role, method }, i) => {
    const label = labels[i] ?? id;
    const twins = labels.slice(0, i).filter((other) => other === label).length;
    return { id, role, method, label: twins > 0 ? `${label} (${twins + 1})` : label, slot: state.slots.get(id) ?? i };
  });
}

/** The middle of a long name gives way: forks and variants differ at its end. */
const shortened = (name: string) =>
  name.length > NAME_MOST ? `${name.slice(0, NAME_MOST / 2)}…${name.slice(1 - NAME_MOST / 2)}` : name;
const NAME_MOST = 32;

export type Facts = ReadonlyMap<string, Readonly<Record<'steps' | 'epochs' | 'layers', MetricFacts>>>;

/** The lines that have numbers. `withSecond`: those of sub-branches and masked inputs too. */
export function linesOf(chart: ChartSpec, runs: readonly ChartedRun[], facts: Facts, withSecond: boolean): LineSpec[] {
  const asPair = isPair(runs);
  const lines = runs.flatMap((run) => {
    const there = chart.parts.filter(({ source }) => holds(facts, run.id, source));
    return there
      .filter(({ second }) => withSecond || !second)
      .map((part): LineSpec => {
        const isAlone = part.plainAlone && !there.some(({ second }) => second && withSecond);
        const needless = isAlone || (!asPair && chart.parts.length === 1);
        return {
          key: `${asPair ? run.role : run.id}:${part.source.name}`,
          run: run.id,
          label: [run.label, needless ? '' : part.part].filter(Boolean).join(' '),
          who: asPair ? run.role : run.slot,
          second: part.second ?? false,
          part,
        };
      });
  });
  const [first, ...others] = lines;
  if (!chart.shared || !asPair || !first || others.length === 0) return lines;
  return [{ ...first, label: t('both runs'), who: 'both' }];
}

const holds = (facts: Facts, run: string, { table, name }: Part['source']) =>
  facts.get(run)?.[table].names.includes(name) ?? false;

/** Weight of the sub-branch's loss, of the runs that say it: it is constant there. */
export function subWeightsOf(state: DashboardState, runs: readonly ChartedRun[]): Map<string, number> {
  return new Map(
    runs.flatMap(({ id }) => {
      const weight = state.runs.get(id)?.start?.subWeight;
      return weight !== undefined ? [[id, weight] as const] : [];
    }),
  );
}

/** What stands in the place of a chart without points. */
export function emptyText(chart: ChartSpec, runs: readonly ChartedRun[], facts: Facts): string {
  if (!chart.ofBranches) return chart.empty;
  const methods = runs.filter(({ role }) => role === 'method');
  if (methods.length === 0) return t('The baseline has one branch: there is nothing to compare.');
  const [first] = methods;
  const begun = first && (facts.get(first.id)?.steps.rows ?? 0) > 0;
  return begun ? t('{0} has one branch here: there is nothing to compare.', titleOf(first.method)) : chart.empty;
}

/** Names of scalars that can have a chart of their own, by table. */
export function scalarsOf(runs: readonly ChartedRun[], facts: Facts): { table: 'steps' | 'epochs'; name: string }[] {
  return (['steps', 'epochs'] as const).flatMap((table) => {
    const names = new Set(runs.flatMap(({ id }) => facts.get(id)?.[table].names ?? []));
    return [...names].sort().map((name) => ({ table, name }));
  });
}
