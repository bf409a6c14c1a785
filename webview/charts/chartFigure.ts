/** What the charts page asks of each of its charts, and what they ask of it. */
import type { Axis, MetricTable } from '../../src/core/metricQuery.ts';
import type { Theme } from '../theme.ts';
import type { Answered } from './fetcher.ts';
import type { KeyAction } from './keys.ts';
import type { ChartedRun, Facts } from './lines.ts';
import type { ChartOptions } from './saved.ts';
import type { Range } from './zoom.ts';

/** What all charts show of the x axis. */
export interface View {
  readonly axis: Axis;
  readonly range: Range;
  readonly whole: Range;
  /** Half-life as a share of the whole; 0: no average. */
  readonly smoothing: number;
  readonly cursor: number | undefined;
}

/** What there is to show. */
export interface Shown {
  readonly runs: readonly ChartedRun[];
  readonly facts: Facts;
  /** Lines of sub-branches and masked inputs too. */
  readonly withSecond: boolean;
  /** How far the logs are read, where they still are. */
  readonly reading: number | undefined;
  /** Weight of the sub-branch's loss by run, where the config says it and it is constant. */
  readonly subWeights: ReadonlyMap<string, number>;
}

/** Columns of a run that a chart wants, at so many buckets over what is in view. */
export interface Need {
  readonly chart: string;
  readonly run: string;
  readonly table: MetricTable;
  readonly names: readonly string[];
  readonly buckets: number;
  /** It has the whole axis already, as a backdrop; `exact`: with every point, so that no part need be asked for. */
  readonly whole: 'missing' | 'coarse' | 'exact';
}

export interface ChartFigure {
  readonly id: string;
  readonly figure: HTMLElement;
  /** What gives the drawing its size. */
  readonly place: HTMLElement;
  show(shown: Shown): void;
  needs(): Need[];
  /** Takes what is of its runs and made for its width. */
  take(answered: Answered): void;
  /** Drops all numbers: the axis is another. */
  forget(): void;
  setSize(width: number, height: number): void;
  setTheme(theme: Theme): void;
  paint(view: View): void;
  /** After the cursor moved, without drawing anew. */
  showCursor(view: View): void;
  /** Moves the cursor to another point, or to the first or last one in view. */
  walk(step: number | 'first' | 'last'): void;
  /** To another row, or another line. */
  row(by: number): void;
  destroy(): void;
}

export interface ChartHost {
  readonly theme: () => Theme;
  readonly options: () => ChartOptions;
  /** Keeps a person's choice; the chart is drawn anew. */
  readonly choose: (options: ChartOptions) => void;
  readonly act: (action: KeyAction) => void;
  readonly select: (range: Range) => void;
  readonly point: (x: number | undefined) => void;
  /** Moves the cursor and says so to those who hear it. */
  readonly walkTo: (x: number, spoken: string) => void;
  readonly exportChart: () => void;
  /** Set for a chart that a person added. */
  readonly remove?: () => void;
}
