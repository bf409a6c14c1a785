/** The charts that can be exported: those of the dashboard by their ids, and any scalar by its own name. */
import { allCharts, type Chart, type LayersChart, layersChart, scalarChart } from '../../core/charts.ts';
import { nearestName, UserError } from '../../core/errors.ts';
import { layerNumbers } from '../../core/layers.ts';
import type { MetricTable } from '../../core/metricQuery.ts';
import { differencesOf } from './difference.ts';
import type { ExportedRun } from './runs.ts';

/**
 * The charts of these names, or all that have values where there are none. Throws a `UserError` for a name that is neither a chart
 * nor a scalar of the runs.
 */
export function chooseCharts(names: readonly string[], runs: readonly ExportedRun[]): Chart[] {
  const charts = allCharts();
  if (names.length === 0) {
    const some = charts.filter((chart) => hasValues(chart, runs));
    if (some.length > 0) return some;
    throw new UserError('There are no values to show yet.', { hint: 'Export again once the run has trained.' });
  }
  const named = [...charts, ...chartsOfOneNumber()];
  return [...new Set(names)].map((name) => {
    const chart = named.find(({ id }) => id === name) ?? chartOfScalar(name, named, runs);
    if (hasValues(chart, runs)) return chart;
    const these = runs.length > 1 ? 'these runs' : 'this run';
    if (chart.kind === 'difference') {
      throw new UserError(`There is no pair of a method and its baseline in ${these} that were both validated.`, {
        hint: 'Name both runs of a pair, or the experiment.',
      });
    }
    throw new UserError(`There are no values for the chart "${name}" in ${these}.`, {
      hint: chart.kind === 'layers' ? 'run.layersEvery says how often layers are recorded.' : 'Leave it out.',
    });
  });
}

/** The columns of a chart that one of the runs has; those of layers in the order of the branches. */
export function columnsOf(chart: LayersChart, runs: readonly ExportedRun[]): string[] {
  const names = allNames('layers', runs);
  return chart.numbers.flatMap((number) => names.filter((name) => name.startsWith(`${number}.`)));
}

/** Every scalar of a table that one of the runs has. */
export function allNames(table: MetricTable, runs: readonly ExportedRun[]): string[] {
  return [...new Set(runs.flatMap(({ metrics }) => metrics.names(table)))];
}

/** `layers-main` and so on. */
function chartsOfOneNumber(): LayersChart[] {
  const layers = layersChart();
  return layerNumbers.map((number) => ({ ...layers, id: `${layers.id}-${number}`, numbers: [number] }));
}

function hasValues(chart: Chart, runs: readonly ExportedRun[]): boolean {
  switch (chart.kind) {
    case 'lines': {
      const names = allNames(chart.table, runs);
      return chart.columns.some(({ name }) => names.includes(name));
    }
    case 'layers':
      return columnsOf(chart, runs).length > 0;
    case 'difference':
      return differencesOf(runs, 'epoch').length > 0;
  }
}

const tables: readonly MetricTable[] = ['steps', 'epochs', 'layers'];

function chartOfScalar(name: string, charts: readonly Chart[], runs: readonly ExportedRun[]): Chart {
  const table = tables.find((one) => allNames(one, runs).includes(name));
  if (table) return scalarChart(table, name);
  const ids = charts.map(({ id }) => id);
  const near = nearestName(name, [...ids, ...tables.flatMap((one) => allNames(one, runs))]);
  throw new UserError(`There is no chart and no scalar "${name}".`, {
    hint: near ? `Did you mean "${near}"?` : `Charts: ${ids.join(', ')}.`,
  });
}
