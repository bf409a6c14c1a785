/** The chart of the difference to the baseline: each seed, their mean and ± 1 standard deviation, drawn by uPlot. */
import uPlot from 'uplot';
import type { ComparedAxis } from '../../src/core/comparing.ts';
import { t } from '../../src/core/l10n.ts';
import { linearTicks, placeText, timeTicks, xLabels, yLabels } from '../charts/ticks.ts';
import { element } from '../dom.ts';
import { readTheme } from '../theme.ts';
import { type DifferenceView, rangeOf } from './model.ts';
import { amount, signed } from './tables.ts';

const HEIGHT_PX = 260;
const LABELS_PX = 54;

export class DifferenceChart {
  /** Takes the focus; the arrow keys then walk from point to point. */
  readonly plot = element('div', { class: 'plot', tabindex: 0, role: 'img' });
  readonly readout = element('p', { class: 'readout', 'aria-live': 'polite' });
  #chart: uPlot | undefined;
  #view: DifferenceView | undefined;
  #axis: ComparedAxis = 'epoch';
  /** uPlot refuses numbers as large as operations are. */
  #unit = 1;
  #at: number | undefined;
  #isTold = false;

  constructor() {
    this.plot.addEventListener('keydown', (event) => this.#walk(event));
    this.plot.addEventListener('blur', () => this.#point(undefined));
    new ResizeObserver(() => this.#resize()).observe(this.plot);
  }

  show(view: DifferenceView, axis: ComparedAxis, label: string): void {
    this.#view = view;
    this.#axis = axis;
    this.plot.setAttribute('aria-label', label);
    this.#point(this.#at !== undefined && this.#at < view.band.length ? this.#at : undefined);
    this.redraw();
  }

  /** Anew, in the colours of the theme as it is now. */
  redraw(): void {
    const view = this.#view;
    this.#chart?.destroy();
    this.#chart = undefined;
    const width = this.plot.clientWidth;
    if (!view || view.band.length === 0 || width < 100) return;
    const last = view.band.at(-1)?.x ?? 1;
    this.#unit = last >= 1e9 ? 10 ** Math.floor(Math.log10(last)) : 1;
    this.#chart = new uPlot(this.#options(view, width), this.#data(view), this.plot);
    this.#point(this.#at);
  }

  #resize(): void {
    const width = this.plot.clientWidth;
    if (!this.#chart) this.redraw();
    else if (width >= 100 && width !== this.#chart.width) this.#chart.setSize({ width, height: HEIGHT_PX });
  }

  /**
   * x, upper and lower edge of the band, mean of all seeds, mean where some have ended or have not got so far (a line through both
   * would jump where the seeds change), then each seed at its own points.
   */
  #data({ band, seeds }: DifferenceView): uPlot.AlignedData {
    const edge = (sign: number) =>
      band.map(({ mean, deviation }) => (Number.isNaN(deviation) ? null : mean + sign * deviation));
    const ofSeeds = seeds.map(({ points }) => {
      const values = new Map(points.map(({ x, y }) => [x, y]));
      return band.map(({ x }) => values.get(x) ?? null);
    });
    const mean = (isAll: boolean) =>
      band.map((point) => ((point.count === seeds.length) === isAll ? point.mean : null));
    return [band.map(({ x }) => x / this.#unit), edge(1), edge(-1), mean(true), mean(false), ...ofSeeds];
  }

  #options(view: DifferenceView, width: number): uPlot.Options {
    const theme = readTheme();
    const { method, text, grid, font } = theme;
    const isAlone = view.seeds.length === 1;
    const few = view.band.length <= 40;
    const look: uPlot.Axis = {
      stroke: text,
      font: `11px ${font}`,
      grid: { stroke: grid, width: 1 },
      ticks: { show: false },
      space: 1,
      incrs: (_chart, _axis, min, max) => [Math.max(5, max - min)],
      filter: (_chart, ticks) => ticks,
    };
    const edge: uPlot.Series = {
      scale: 'y',
      stroke: theme.highContrast ? method : 'transparent',
      width: 1,
      dash: [2, 2],
      points: { show: false },
    };
    const [low, high] = rangeOf(view);
    const [first, last] = [view.band[0]?.x ?? 0, view.band.at(-1)?.x ?? 1];
    const range: [number, number] = first === last ? [first - 1, last + 1] : [first, last];
    const xRange: [number, number] = [range[0] / this.#unit, range[1] / this.#unit];
    return {
      width,
      height: HEIGHT_PX,
      padding: [8, 18, 0, 0],
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { size: 7 } },
      scales: { x: { time: false, range: () => xRange }, y: { range: () => [low, high] } },
      bands: [{ series: [1, 2], fill: `color-mix(in srgb, ${method} 22%, transparent)` }],
      series: [
        {},
        edge,
        edge,
        {
          scale: 'y',
          stroke: method,
          width: theme.line + 0.5,
          points: { show: isAlone || few, size: 5, fill: method },
        },
        { scale: 'y', stroke: method, width: theme.line, dash: [6, 4], points: { show: false } },
        ...view.seeds.map(
          ({ isFinished }): uPlot.Series => ({
            scale: 'y',
            show: !isAlone,
            stroke: `color-mix(in srgb, ${text} ${theme.highContrast ? 75 : 60}%, transparent)`,
            width: 1,
            dash: isFinished ? [] : [4, 3],
            spanGaps: true,
            points: { show: false },
          }),
        ),
      ],
      axes: [
        {
          ...look,
          size: 22,
          gap: 4,
          splits: (chart) => {
            const most = Math.max(2, Math.floor(chart.width / 90));
            const ticks = this.#axis === 'time' ? timeTicks(...range, most) : linearTicks(...range, most);
            return ticks.map((tick) => tick / this.#unit);
          },
          values: (_chart, ticks) =>
            xLabels(
              this.#axis,
              ticks.map((tick) => tick * this.#unit),
            ),
        },
        {
          ...look,
          size: LABELS_PX,
          gap: 6,
          splits: () => linearTicks(low, high, 6),
          values: (_chart, ticks) => withSigns(ticks),
        },
      ],
      hooks: {
        drawAxes: [(chart) => drawZero(chart, theme.cursor)],
        setCursor: [
          (chart) => {
            if (!this.#isTold) this.#say(chart.cursor.idx ?? undefined);
          },
        ],
      },
    };
  }

  #walk(event: KeyboardEvent): void {
    const most = (this.#view?.band.length ?? 0) - 1;
    if (most < 0) return;
    const from = this.#at ?? (event.key === 'ArrowLeft' ? most + 1 : -1);
    const to = { ArrowLeft: from - 1, ArrowRight: from + 1, Home: 0, End: most }[event.key];
    if (event.key === 'Escape') this.#point(undefined);
    if (to === undefined) return;
    event.preventDefault();
    this.#point(Math.min(most, Math.max(0, to)));
  }

  /** Puts the cursor to a point, or away. */
  #point(at: number | undefined): void {
    this.#say(at);
    const x = at === undefined ? undefined : this.#view?.band[at]?.x;
    if (!this.#chart) return;
    this.#isTold = true;
    const left = x === undefined ? -10 : this.#chart.valToPos(x / this.#unit, 'x');
    this.#chart.setCursor({ left, top: x === undefined ? -10 : 0 }, false);
    this.#isTold = false;
  }

  #say(at: number | undefined): void {
    this.#at = at;
    const view = this.#view;
    const point = at === undefined ? view?.band.at(-1) : view?.band[at];
    if (!view || !point) {
      this.readout.textContent = '';
      return;
    }
    const isWhole = this.#axis === 'epoch' && Number.isInteger(point.x);
    const place = isWhole ? t('epoch {0}', point.x) : placeText(this.#axis, point.x);
    const mean = signed(view, point.mean);
    const text =
      point.count > 1
        ? t('At {0}: {1} ± {2}, {3} seeds', place, mean, amount(view, point.deviation), point.count)
        : t('At {0}: {1}, 1 seed', place, mean);
    if (this.readout.textContent !== text) this.readout.textContent = text;
  }
}

/** Where method and baseline are equal. */
function drawZero(chart: uPlot, color: string): void {
  const { ctx, bbox } = chart;
  const y = Math.round(chart.valToPos(0, 'y', true));
  if (y < bbox.top || y > bbox.top + bbox.height) return;
  ctx.save();
  ctx.strokeStyle = color;
  ctx.lineWidth = uPlot.pxRatio;
  ctx.beginPath();
  ctx.moveTo(bbox.left, y + 0.5);
  ctx.lineTo(bbox.left + bbox.width, y + 0.5);
  ctx.stroke();
  ctx.restore();
}

const withSigns = (ticks: readonly number[]) =>
  yLabels(ticks, false).map((label, i) => ((ticks[i] ?? 0) > 0 ? `+${label}` : label));
