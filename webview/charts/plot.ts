/** Axes, grid, cursor and selection of one chart, by uPlot; what is inside is drawn by whoever owns it. */
import uPlot from 'uplot';
import type { Axis } from '../../src/core/metricQuery.ts';
import type { Theme } from '../theme.ts';
import { type Mapping, mappingOf } from './draw.ts';
import { linearTicks, logTicks, timeTicks, xLabels, yLabels } from './ticks.ts';
import type { Range } from './zoom.ts';

/** Width of the labels left of every chart, in pixels, so that what lies below each other is at the same x. */
export const LABELS_PX = 54;
const RIGHT_PX = 18;
const TOP_PX = 8;
const BOTTOM_PX = 22;

export interface PlotFrame {
  readonly axis: Axis;
  readonly x: Range;
  readonly min: number;
  readonly max: number;
  readonly log: boolean;
}

export interface PlotOptions {
  readonly theme: Theme;
  /** Draws the content, clipped to the plot. */
  readonly draw: (ctx: CanvasRenderingContext2D, to: Mapping, frame: PlotFrame) => void;
  /** A range was drawn with the pointer. */
  readonly select: (range: Range) => void;
  readonly double: () => void;
  /** Where the pointer is on the x axis, and how far down in the plot, 0 to 1; nothing once it left. */
  readonly point: (x: number | undefined, down: number) => void;
  /** Ticks of the y axis where they are no numbers. */
  readonly rows?: (height: number) => { readonly at: number; readonly label: string }[];
  readonly tick?: ((value: number) => string) | undefined;
}

export class Plot {
  readonly #place: HTMLElement;
  readonly #options: PlotOptions;
  #theme: Theme;
  #chart: uPlot | undefined;
  #frame: PlotFrame = { axis: 'epoch', x: { from: 0, to: 1 }, min: 0, max: 1, log: false };
  #size = { width: 0, height: 0 };
  #drawn: Range | undefined;
  /** Set while the cursor is moved from outside: what uPlot then says is no news. */
  #isTold = false;
  /** What uPlot's numbers are in: it refuses ranges of 10²⁰ (of operations) and of 10⁻¹⁷. */
  #unit = { x: 1, y: 1 };

  constructor(place: HTMLElement, options: PlotOptions) {
    this.#place = place;
    this.#options = options;
    this.#theme = options.theme;
  }

  /** Width of the plot itself, in CSS pixels. */
  get pixels(): number {
    return Math.max(0, this.#size.width - LABELS_PX - RIGHT_PX);
  }

  get range(): Range {
    return this.#drawn ?? this.#frame.x;
  }

  setSize(width: number, height: number): void {
    this.#size = { width, height };
    this.#chart?.setSize({ width, height });
  }

  setTheme(theme: Theme): void {
    this.#theme = theme;
    this.#drop();
  }

  /** Draws with these ranges, at once. */
  paint(frame: PlotFrame): void {
    const { width, height } = this.#size;
    if (width <= LABELS_PX + RIGHT_PX + 20 || height <= 40) return;
    if (frame.log !== this.#frame.log || frame.axis !== this.#frame.axis) this.#drop();
    this.#frame = frame;
    this.#drawn = frame.x;
    const { x, min, max } = frame;
    this.#unit = { x: unitFor(x.from, x.to), y: unitFor(min, max) };
    if (!this.#chart) {
      this.#chart = new uPlot(this.#uPlotOptions(), dummy, this.#place);
      return;
    }
    const chart = this.#chart;
    this.#isTold = true;
    chart.batch(() => {
      chart.setScale('x', this.#scaleOf('x'));
      chart.setScale('y', this.#scaleOf('y'));
    });
    this.#isTold = false;
  }

  /** Puts the cursor to a place on the x axis, or away. */
  showCursor(x: number | undefined): void {
    const chart = this.#chart;
    if (!chart) return;
    const isIn = x !== undefined && x >= this.#frame.x.from && x <= this.#frame.x.to;
    this.#isTold = true;
    chart.setCursor(isIn ? { left: chart.valToPos(x / this.#unit.x, 'x'), top: 0 } : { left: -10, top: -10 }, false);
    this.#isTold = false;
  }

  destroy(): void {
    this.#drop();
  }

  #scaleOf(key: 'x' | 'y'): { min: number; max: number } {
    const { x, min, max } = this.#frame;
    const unit = this.#unit[key];
    return key === 'x' ? { min: x.from / unit, max: x.to / unit } : { min: min / unit, max: max / unit };
  }

  #rangeOf(key: 'x' | 'y'): [number, number] {
    const { min, max } = this.#scaleOf(key);
    return [min, max];
  }

  /** The value on the x axis at so many pixels from the left of the plot. */
  #valueAt(chart: uPlot, left: number): number {
    return chart.posToVal(left, 'x') * this.#unit.x;
  }

  #drop(): void {
    this.#chart?.destroy();
    this.#chart = undefined;
  }

  #draw(chart: uPlot): void {
    const { ctx, bbox } = chart;
    const to = mappingOf(bbox, uPlot.pxRatio, this.#frame.x, this.#frame);
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top - 2, bbox.width + 4, bbox.height + 4); // half a line beyond the edge
    ctx.clip();
    this.#options.draw(ctx, to, this.#frame);
    ctx.restore();
  }

  #uPlotOptions(): uPlot.Options {
    const { select, double, point } = this.#options;
    return {
      ...this.#size,
      padding: [TOP_PX, RIGHT_PX, 0, 0],
      legend: { show: false },
      series: [{}, { scale: 'y', paths: () => null, points: { show: false } }],
      scales: {
        x: { time: false, auto: false, range: () => this.#rangeOf('x') },
        y: { auto: false, distr: this.#frame.log ? 3 : 1, range: () => this.#rangeOf('y') },
      },
      axes: [this.#xAxis(), this.#yAxis()],
      cursor: {
        y: false,
        points: { show: false },
        drag: { x: true, y: false, setScale: false, dist: 4 },
        bind: {
          dblclick: () => () => {
            double();
            return null;
          },
        },
      },
      hooks: {
        // Labels take most of a frame; they are digits, for which kerning does nothing.
        drawClear: [
          ({ ctx }) => {
            ctx.textRendering = 'optimizeSpeed';
            ctx.fontKerning = 'none';
          },
        ],
        draw: [(chart) => this.#draw(chart)],
        setSelect: [
          (chart) => {
            const { left, width } = chart.select;
            if (width < 4) return;
            chart.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
            select({ from: this.#valueAt(chart, left), to: this.#valueAt(chart, left + width) });
          },
        ],
        setCursor: [
          (chart) => {
            if (this.#isTold) return;
            const { left = -10, top = -10 } = chart.cursor;
            const height = this.#size.height - TOP_PX - BOTTOM_PX;
            point(left < 0 ? undefined : this.#valueAt(chart, left), top / height);
          },
        ],
      },
    };
  }

  #xAxis(): uPlot.Axis {
    const axis = this.#frame.axis;
    return {
      ...this.#look(),
      size: BOTTOM_PX,
      gap: 4,
      splits: (chart) => {
        const { from, to } = this.#frame.x;
        const most = Math.max(2, Math.floor(chart.width / 90));
        const ticks = axis === 'time' ? timeTicks(from, to, most) : linearTicks(from, to, most);
        return ticks.map((tick) => tick / this.#unit.x);
      },
      values: (_chart, ticks) =>
        xLabels(
          axis,
          ticks.map((tick) => tick * this.#unit.x),
        ),
    };
  }

  #yAxis(): uPlot.Axis {
    const { rows, tick } = this.#options;
    const { log } = this.#frame;
    const named = () => rows?.(this.#size.height - TOP_PX - BOTTOM_PX) ?? [];
    return {
      ...this.#look(),
      size: LABELS_PX,
      gap: 6,
      grid: { ...this.#look().grid, show: !rows },
      splits: (chart) => {
        if (rows) return named().map(({ at }) => at);
        const { min, max } = this.#frame;
        const most = Math.max(2, Math.floor((chart.height - TOP_PX - BOTTOM_PX) / 30));
        const ticks = log ? logTicks(min, max, most) : linearTicks(min, max, most);
        return ticks.map((value) => value / this.#unit.y);
      },
      values: (_chart, ticks) => {
        if (rows) return named().map(({ label }) => label);
        const values = ticks.map((value) => value * this.#unit.y);
        return tick ? values.map(tick) : yLabels(values, log);
      },
    };
  }

  #look(): uPlot.Axis {
    const { text, grid, font } = this.#theme;
    return {
      stroke: text,
      font: `11px ${font}`,
      grid: { stroke: grid, width: 1 },
      ticks: { show: false },
      // The ticks are chosen in `splits`; uPlot only has to find that there is room for one.
      space: 1,
      incrs: (_chart, _i, min, max) => [Math.max(5, max - min)],
      filter: (_chart, ticks) => ticks,
    };
  }
}

/** uPlot wants numbers; those of the charts are drawn in the hook. */
const dummy: uPlot.AlignedData = [
  [0, 1],
  [null, null],
];

/** A power of ten, where the numbers of a range are too large or too small for uPlot. */
function unitFor(from: number, to: number): number {
  const size = Math.max(Math.abs(from), Math.abs(to));
  return size > 0 && (size >= 1e12 || size < 1e-6) ? 10 ** Math.floor(Math.log10(size)) : 1;
}
