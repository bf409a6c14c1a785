/** Any chart of some runs as a picture. */
import type { Chart } from '../../core/charts.ts';
import type { Figure, HeatFigure } from '../../figure/figure.ts';
import { differenceFigure } from './difference.ts';
import { type FigureOptions, figureOf } from './figureOf.ts';
import { layersFigure } from './layersFigure.ts';
import type { RunGroup } from './runs.ts';

export interface PictureOptions extends FigureOptions {
  readonly eachSeed: boolean;
}

export function pictureOf(chart: Chart, groups: readonly RunGroup[], options: PictureOptions): Figure | HeatFigure {
  switch (chart.kind) {
    case 'lines':
      return figureOf(chart, groups, options);
    case 'layers':
      return layersFigure(chart, groups, options);
    case 'difference': {
      const runs = groups.flatMap((group) => group.runs);
      return differenceFigure(chart, runs, options);
    }
  }
}
