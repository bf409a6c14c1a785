/** Whose line each charted run has: colour, dash and marker are the same in the charts, the run cards and the table. */
import { chartedRunsOf, isPair, type Who } from './charts/lines.ts';
import { chartedRuns, type DashboardState } from './state.ts';

export function looksOf(state: DashboardState): ReadonlyMap<string, Who> {
  const runs = chartedRunsOf(state, chartedRuns(state));
  const asPair = isPair(runs);
  return new Map(runs.map(({ id, role, slot }) => [id, asPair ? role : slot]));
}
