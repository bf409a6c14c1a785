/** One chart: a figure with title, legend that also reads out values, and a canvas drawn by Chart.js. */
import {
  Chart,
  type ChartDataset,
  LinearScale,
  LineController,
  LineElement,
  LogarithmicScale,
  type Plugin,
  PointElement,
} from 'chart.js';
import { element, fill } from '../dom.ts';
import type { ShownPair } from '../state.ts';
import type { Theme } from '../theme.ts';
import type { Cursor } from './cursor.ts';
import { legend, type ReadOut } from './legend.ts';
import { emptyText, type Metric, type Series, seriesOf } from './metrics.ts';
import { gaps, nearest, type Point, smooth, thin } from './points.ts';

Chart.register(LineController, LineElement, PointElement, LinearScale, LogarithmicScale);

/** Half-life of the average over step events, in points. */
const HALF_LIFE = 5;
/** Fewer points than this are drawn as dots too, or a first one could not be seen. */
const DOTS_UNTIL = 40;
/** Width of the labels left of every chart, in pixels, so that the charts' epochs lie below each other. */
const LABELS_PX = 46;

interface Line extends Series {
  /** As it is drawn and read out. */
  readonly shown: Series['points'];
}

export class MetricChart {
  readonly figure: HTMLElement;
  readonly #metric: Metric;
  readonly #cursor: Cursor;
  readonly #canvas: HTMLCanvasElement;
  readonly #legend = element('ul', { class: 'legend' });
  readonly #placeholder = element('p', { class: 'placeholder' });
  readonly #note = element('span', { class: 'note' });
  readonly #chart: Chart<'line', Point[]>;
  #theme: Theme;
  #lines: readonly Line[] = [];
  #epochs = 1;

  constructor(metric: Metric, cursor: Cursor, theme: Theme) {
    this.#metric = metric;
    this.#cursor = cursor;
    this.#theme = theme;
    this.#canvas = element('canvas', { role: 'img', tabindex: 0 });
    const unit = metric.smoothed ? `${metric.unit} · smoothed, raw values faint` : metric.unit;
    const title = smoothingNote(metric);
    this.figure = element(
      'figure',
      { id: `chart-${metric.id}`, 'data-points': 0 },
      element(
        'figcaption',
        {},
        element('span', { class: 'first' }, element('span', { class: 'chart-title' }, metric.title), this.#note),
        element('span', { class: 'unit', ...(title ? { title } : {}) }, unit),
      ),
      element('div', { class: 'plot' }, this.#canvas, this.#placeholder),
      this.#legend,
    );
    this.#chart = new Chart(this.#canvas, {
      type: 'line',
      data: { datasets: [] },
      options: this.#options(),
      plugins: [this.#marks()],
    });
    this.#listen();
    cursor.onMove(() => this.#showCursor());
  }

  /** Shows a pair, from epoch 0 to `epochs`. */
  update(pair: ShownPair | undefined, epochs: number): void {
    this.#epochs = epochs;
    const series = pair ? seriesOf(this.#metric, pair) : [];
    this.#lines = series.map((one) => ({
      ...one,
      shown: this.#metric.smoothed ? smooth(one.points, HALF_LIFE) : one.points,
    }));
    const points = series.reduce((sum, { points }) => sum + points.x.length, 0);
    this.figure.setAttribute('data-points', String(points));
    this.figure.classList.toggle('without-points', points === 0);
    this.#placeholder.textContent = pair ? emptyText(this.#metric, pair) : this.#metric.empty;
    this.#redraw();
  }

  setTheme(theme: Theme): void {
    this.#theme = theme;
    this.#redraw();
  }

  #redraw(): void {
    const pixels = Math.max(50, this.#chart.chartArea?.width ?? this.#canvas.clientWidth);
    const datasets = this.#lines.flatMap((line) => this.#datasets(line, pixels));
    this.#chart.data.datasets = datasets;
    this.#chart.options = this.#options();
    this.#chart.update('none');
    this.#readOut();
  }

  #datasets(line: Line, pixels: number): ChartDataset<'line', Point[]>[] {
    const color = this.#theme[line.who];
    const data = (points: Series['points']) => thin(points, 0, this.#epochs, pixels);
    const few = line.points.x.length <= DOTS_UNTIL;
    const main: ChartDataset<'line', Point[]> = {
      data: data(line.shown),
      borderColor: color,
      backgroundColor: color,
      borderWidth: this.#theme.line,
      borderDash: line.dashed ? [5, 3] : [],
      pointRadius: few ? 2 : 0,
      pointBorderWidth: 0,
      clip: 4,
      order: line.who === 'method' ? 1 : 2,
    };
    if (!this.#metric.smoothed) return [main];
    const faint = `color-mix(in srgb, ${color} ${100 * this.#theme.faint}%, transparent)`;
    const raw = { ...main, data: data(line.points), borderColor: faint, borderWidth: 1, pointRadius: 0, order: 3 };
    return [main, { ...raw, borderDash: [] }];
  }

  #options(): NonNullable<ConstructorParameters<typeof Chart<'line', Point[]>>[1]['options']> {
    const { text, grid, font } = this.#theme;
    const { scale, reference } = this.#metric;
    const ticks = { color: text, font: { family: font, size: 11 }, maxRotation: 0, autoSkipPadding: 12 };
    return {
      responsive: true,
      maintainAspectRatio: false,
      animation: false,
      parsing: false,
      normalized: true,
      events: [],
      onResize: () => requestAnimationFrame(() => this.#redraw()), // there is room for other points
      layout: { padding: { top: 4, right: 8 } },
      scales: {
        x: {
          type: 'linear',
          min: 0,
          max: this.#epochs,
          ticks: { ...ticks, callback: (value) => (value === 0 ? 'epoch 0' : String(value)), includeBounds: false },
          grid: { color: grid, drawTicks: false },
          border: { display: false },
        },
        y: {
          type: scale,
          ...(reference === 0 ? { suggestedMin: 0, suggestedMax: 1 } : {}),
          ticks: {
            ...ticks,
            maxTicksLimit: 6,
            callback: (value) => (scale === 'logarithmic' ? decade(Number(value)) : plain(Number(value))),
          },
          grid: {
            color: ({ tick }) => (tick?.value === reference ? text : grid),
            drawTicks: false,
          },
          border: { display: false },
          afterFit: (axis) => {
            axis.width = LABELS_PX;
          },
        },
      },
    };
  }

  /** Draws the cursor, and a cross at the lower edge where a value is not finite. */
  #marks(): Plugin<'line'> {
    return {
      id: 'masksub-marks',
      afterDatasetsDraw: ({ ctx, chartArea, scales }) => {
        const x = scales.x;
        if (!x) return;
        ctx.save();
        for (const { points, who } of this.#lines) {
          ctx.strokeStyle = this.#theme[who];
          ctx.lineWidth = this.#theme.line;
          for (const at of gaps(points)) cross(ctx, x.getPixelForValue(at), chartArea.bottom - 5);
        }
        const { epoch } = this.#cursor;
        if (epoch !== undefined && epoch <= this.#epochs) {
          ctx.strokeStyle = this.#theme.cursor;
          ctx.lineWidth = 1;
          const at = Math.round(x.getPixelForValue(epoch)) + 0.5;
          ctx.beginPath();
          ctx.moveTo(at, chartArea.top);
          ctx.lineTo(at, chartArea.bottom);
          ctx.stroke();
        }
        ctx.restore();
      },
    };
  }

  #showCursor(): void {
    this.#chart.draw();
    this.#readOut();
  }

  /** Values at the cursor, else the newest, into the legend and for those who hear it. */
  #readOut(): void {
    const { epoch } = this.#cursor;
    const readOuts = this.#lines.map((line): ReadOut => {
      const { x, y } = line.shown;
      const value = y[epoch === undefined ? x.length - 1 : nearest(x, epoch)];
      return { ...line, color: this.#theme[line.who], value: value === undefined ? '–' : this.#metric.format(value) };
    });
    const broken = this.#lines.reduce((sum, { points }) => sum + gaps(points).length, 0);
    fill(this.#legend, ...legend(readOuts));
    const at = epoch === undefined ? '' : `at epoch ${epoch.toFixed(1)}`;
    const notFinite = broken > 0 ? `${broken} not finite (×)` : '';
    this.#note.textContent = [at, notFinite].filter(Boolean).join(' · ');
    const values = readOuts.map(({ label, value }) => `${label} ${value}`).join(', ');
    const { title, unit } = this.#metric;
    const text = values ? `${values}${at ? ` ${at}` : ''}` : 'no points yet';
    this.#canvas.setAttribute('aria-label', `${title} (${unit}): ${text}. ${notFinite}`.trim());
    this.figure.setAttribute('aria-label', `${title}: ${values || 'no points yet'}`);
  }

  #listen(): void {
    const canvas = this.#canvas;
    canvas.addEventListener('pointermove', (event) => {
      const epoch = this.#chart.scales.x?.getValueForPixel(event.offsetX);
      if (epoch !== undefined) this.#cursor.move(Math.min(this.#epochs, Math.max(0, epoch)));
    });
    canvas.addEventListener('pointerleave', () => this.#cursor.move(undefined));
    canvas.addEventListener('blur', () => this.#cursor.move(undefined));
    canvas.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') this.#cursor.move(undefined);
      const by = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 }[event.key];
      const x = this.#lines[0]?.points.x;
      if (by === undefined || !x?.length) return;
      event.preventDefault();
      const { epoch } = this.#cursor;
      const index = epoch === undefined ? x.length - 1 : nearest(x, epoch) + by;
      this.#cursor.move(x[Math.min(x.length - 1, Math.max(0, index))]);
    });
  }
}

function smoothingNote({ smoothed }: Metric): string | undefined {
  return smoothed
    ? `Exponential moving average with a half-life of ${HALF_LIFE} points; values read out are averages too.`
    : undefined;
}

/** A tick's value without the rounding errors of its making. */
const plain = (value: number) => String(Number(value.toPrecision(4))).replace('-', '−');

/** Labels of a log axis: at 1, 2 and 5 of each power of ten only. */
function decade(value: number): string {
  const leading = Math.round(value / 10 ** Math.floor(Math.log10(value) + 1e-9));
  return [1, 2, 5].includes(leading) ? String(Number(value.toPrecision(1))) : '';
}

function cross(ctx: CanvasRenderingContext2D, x: number, y: number): void {
  ctx.beginPath();
  ctx.moveTo(x - 3, y - 3);
  ctx.lineTo(x + 3, y + 3);
  ctx.moveTo(x - 3, y + 3);
  ctx.lineTo(x + 3, y - 3);
  ctx.stroke();
}
