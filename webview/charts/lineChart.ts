/** One chart of lines: a figure with title, badge, legend that also reads out values, and a drawing. */
import { t } from '../../src/core/l10n.ts';
import type { Theme } from '../theme.ts';
import { boundsOf } from './bounds.ts';
import type { ChartSpec } from './catalog.ts';
import type { ChartFigure, ChartHost, Need, Shown, View } from './chartFigure.ts';
import { draw, type Line, lineId, pointsHeld, windowCurve } from './chartLine.ts';
import { between, nearest } from './curve.ts';
import { crosses, dots, fillSpread, type Mapping, markers, strokeLine } from './draw.ts';
import type { Answered } from './fetcher.ts';
import { FigureFrame } from './figureFrame.ts';
import type { IdentityLamp } from './identity.ts';
import { Legend } from './legend.ts';
import { emptyText, linesOf } from './lines.ts';
import { Plot, type PlotFrame } from './plot.ts';
import { styleOf } from './styles.ts';
import { twinTable, twinView } from './tableTwin.ts';
import { axisTitle, placeNumber, placeText } from './ticks.ts';
import { badge, spokenPoint, summary } from './words.ts';
import { around } from './zoom.ts';

/** Fewer points than this are drawn as dots too, or a first one could not be seen. */
const DOTS_UNTIL = 40;
/** Where there are more lines than this, the spread of each is fainter. */
const FAINT_LINES = 4;

export class LineChart implements ChartFigure {
  readonly id: string;
  readonly figure: HTMLElement;
  readonly place: HTMLElement;
  readonly #spec: ChartSpec;
  readonly #host: ChartHost;
  readonly #frame: FigureFrame;
  readonly #plot: Plot;
  readonly #legend: Legend;
  readonly #lamp: IdentityLamp | undefined;
  /** The line whose points the arrow keys walk, among those that are drawn. */
  #walked = 0;
  #lines: Line[] = [];
  #shown: Shown | undefined;
  #view: View | undefined;
  #twin = '';

  constructor(spec: ChartSpec, host: ChartHost, lamp?: IdentityLamp) {
    this.id = spec.id;
    this.#spec = spec;
    this.#host = host;
    this.#lamp = lamp;
    const { id, title, about, unit, log } = spec;
    this.#frame = new FigureFrame({ id, title, about, unit, log, switches: ['log', 'clip', 'table'] }, host, () =>
      this.#jump(),
    );
    this.figure = this.#frame.figure;
    this.place = this.#frame.plot;
    this.#legend = new Legend((key) => this.#toggle(key));
    this.figure.append(this.#legend.root, ...(lamp ? [lamp.root] : []));
    this.#plot = new Plot(this.place, {
      theme: host.theme(),
      draw: (ctx, to, frame) => this.#draw(ctx, to, frame),
      select: host.select,
      double: () => host.act({ type: 'whole' }),
      point: host.point,
      tick: spec.tick,
    });
  }

  show(shown: Shown): void {
    this.#shown = shown;
    const { runs, facts, withSecond, reading } = shown;
    const before = new Map(this.#lines.map((line) => [lineId(line.spec), line]));
    this.#lines = linesOf(this.#spec, runs, facts, withSecond).map((spec) => {
      const kept = before.get(lineId(spec));
      return { spec, whole: kept?.whole, part: kept?.part, drawn: kept?.drawn };
    });
    const points = this.#lines.reduce((sum, line) => sum + this.#pointsOf(line), 0);
    this.#frame.setPoints(points);
    const empty = reading === undefined ? emptyText(this.#spec, runs, facts) : readingText(reading);
    this.#frame.setPlaceholder(points === 0 ? empty : undefined);
    this.#showLegend();
    if (points === 0)
      this.#frame.setNames(
        `${this.#spec.title}: ${t('no points yet')}`,
        summary(this.#spec.title, this.#spec.unit, [], empty),
      );
  }

  needs(): Need[] {
    const needs = new Map<string, Need>();
    for (const { spec, whole } of this.#lines) {
      const { table, name } = spec.part.source;
      const key = `${spec.run}|${table}`;
      const before = needs.get(key);
      const names = [...new Set([...(before?.names ?? []), name])];
      const own = whole ? (whole.curve.level === 0 ? 'exact' : 'coarse') : 'missing';
      const worst = own === 'missing' || before?.whole === 'missing' ? 'missing' : (before?.whole ?? own);
      needs.set(key, {
        chart: this.id,
        run: spec.run,
        table,
        names,
        buckets: Math.ceil(this.#plot.pixels),
        whole: worst,
      });
    }
    const lamp = this.#lamp;
    if (!lamp) return [...needs.values()];
    const hasAll = ({ run, table }: Need) => {
      const there = this.#shown?.facts.get(run)?.[table].names ?? [];
      return lamp.names.every((name) => there.includes(name));
    };
    return [...needs.values()].map((need) =>
      hasAll(need) ? { ...need, names: [...new Set([...need.names, ...lamp.names])] } : need,
    );
  }

  take({ wanted: { run, query, whole, pixels }, window }: Answered): void {
    if (pixels !== Math.ceil(this.#plot.pixels)) return;
    for (const line of this.#lines) {
      const curve = line.spec.run === run ? windowCurve(line.spec.part.source, query, window) : undefined;
      if (curve) line[whole ? 'whole' : 'part'] = { curve, average: undefined };
    }
    this.#lamp?.take(run, query, window, this.#shown?.subWeights.get(run));
    this.#frame.setPoints(this.#lines.reduce((sum, line) => sum + this.#pointsOf(line), 0));
  }

  forget(): void {
    for (const line of this.#lines) [line.whole, line.part, line.drawn] = [undefined, undefined, undefined];
  }

  setSize(width: number, height: number): void {
    this.#plot.setSize(width, height);
  }

  setTheme(theme: Theme): void {
    this.#plot.setTheme(theme);
    this.#showLegend();
  }

  paint(view: View): void {
    this.#view = view;
    this.#frame.showSwitches();
    for (const line of this.#lines) {
      draw(line, view, this.#spec.smoothed);
    }
    const lines = this.#visible();
    const { log = this.#spec.log, clip = false } = this.#host.options();
    const curves = lines.flatMap(({ drawn }) => (drawn ? [drawn] : []));
    const bounds = boundsOf(curves, view.range, { log, clip, reference: this.#spec.reference });
    if (this.#lines.length > 0) {
      this.#plot.paint({ axis: view.axis, x: view.range, min: bounds.min, max: bounds.max, log });
    }
    const { text, details } = this.#badge(view, bounds);
    this.#frame.setBadge(
      text,
      details,
      curves.some(({ curve }) => curve.notFiniteCount > 0),
    );
    this.showCursor(view);
    this.#lamp?.show(this.#shown?.runs ?? []);
    this.#showTwin(view);
  }

  showCursor(view: View): void {
    this.#view = view;
    this.#plot.showCursor(view.cursor);
    this.#legend.setValues(this.#lines.map((line) => this.#valueAt(line, view.cursor)));
    if (view.cursor !== undefined || this.#lines.length === 0) return;
    const { title, unit } = this.#spec;
    const readOuts = this.#readOuts(undefined);
    const values = readOuts.map(({ label, value }) => `${label} ${value}`).join(', ');
    this.#frame.setNames(`${title}: ${values}`, summary(title, unit, readOuts, ''));
  }

  walk(step: number | 'first' | 'last'): void {
    const view = this.#view;
    const curves = this.#visible().flatMap(({ drawn }) => (drawn && drawn.curve.mean.length > 0 ? [drawn.curve] : []));
    const curve = curves[this.#walked] ?? curves[0];
    if (!view || !curve) return;
    const [begin, end] = between(curve, view.range.from, view.range.to);
    let index = step === 'first' ? begin : end - 1;
    if (typeof step === 'number' && view.cursor !== undefined) index = nearest(curve, view.cursor) + step;
    index = Math.min(end - 1, Math.max(begin, index));
    const back = step === 'last' || (typeof step === 'number' && step < 0);
    while (index > begin && index < end - 1 && Number.isNaN(curve.mean[index])) index += back ? -1 : 1;
    const x = curve.x1[index];
    if (x === undefined) return;
    this.#host.walkTo(x, spokenPoint(placeText(view.axis, x), this.#readOuts(x)));
  }

  /** Another line is the one whose points are walked. */
  row(by: number): void {
    const lines = this.#visible();
    if (lines.length === 0) return;
    this.#walked = (Math.min(this.#walked, lines.length - 1) + by + lines.length) % lines.length;
    this.walk(0);
  }

  destroy(): void {
    this.#plot.destroy();
    this.figure.remove();
  }

  #draw(ctx: CanvasRenderingContext2D, to: Mapping, { x: range }: PlotFrame): void {
    const theme = this.#host.theme();
    const { reference } = this.#spec;
    if (reference !== undefined) {
      const y = Math.round(to.y(reference)) + 0.5;
      ctx.strokeStyle = theme.text;
      ctx.lineWidth = to.ratio;
      ctx.beginPath();
      ctx.moveTo(to.left, y);
      ctx.lineTo(to.left + to.width, y);
      ctx.stroke();
    }
    // The method lies on top: it comes first, and is drawn last.
    const lines = this.#visible().toReversed();
    const crowd = Math.min(1, FAINT_LINES / lines.length);
    for (const { spec, drawn } of lines) {
      if (!drawn) continue;
      const { curve, average } = drawn;
      const style = styleOf(spec, theme);
      ctx.globalAlpha = Math.min(1, (average ? 1 : 2) * theme.faint * crowd);
      if (curve.level > 0) fillSpread(ctx, curve, range, to, style.color);
      else if (average) strokeLine(ctx, curve, curve.mean, 'middle', range, to, { ...style, width: 1, dash: [] });
      ctx.globalAlpha = 1;
    }
    lines.forEach(({ spec, drawn }, i) => {
      if (!drawn) return;
      const { curve, average } = drawn;
      const style = styleOf(spec, theme);
      const y = average?.y ?? curve.mean;
      strokeLine(ctx, curve, y, average ? 'end' : 'middle', range, to, style);
      if (curve.mean.length <= DOTS_UNTIL && !style.marker) dots(ctx, curve, y, range, to, style.color);
      const { marker } = style;
      if (marker) markers(ctx, curve, y, range, to, { ...style, marker }, i);
      crosses(ctx, curve.notFinite, range, to, style);
    });
  }

  #visible(): Line[] {
    const { hidden = [] } = this.#host.options();
    return this.#lines.filter(({ spec }) => !hidden.includes(spec.key));
  }

  #toggle(key: string): void {
    const options = this.#host.options();
    const { hidden = [] } = options;
    const next = hidden.includes(key) ? hidden.filter((other) => other !== key) : [...hidden, key];
    this.#host.choose({ ...options, hidden: next });
    this.#showLegend();
  }

  #showLegend(): void {
    const { hidden = [] } = this.#host.options();
    const theme = this.#host.theme();
    this.#legend.show(
      this.#lines.map(({ spec }) => ({
        key: spec.key,
        label: spec.label,
        style: styleOf(spec, theme),
        shown: !hidden.includes(spec.key),
      })),
    );
    if (this.#view) this.#legend.setValues(this.#lines.map((line) => this.#valueAt(line, this.#view?.cursor)));
  }

  #readOuts(cursor: number | undefined): { label: string; value: string }[] {
    return this.#visible().map((line) => ({ label: line.spec.label, value: this.#valueAt(line, cursor) }));
  }

  /** At the cursor, else the newest; of an average, the average. */
  #valueAt({ drawn, whole }: Line, cursor: number | undefined): string {
    const numbers = cursor === undefined ? (whole ?? drawn) : drawn;
    if (!numbers) return '–';
    const { curve, average } = numbers;
    const i = nearest(curve, cursor ?? Number.POSITIVE_INFINITY);
    const newest = cursor === undefined && !average ? curve.last[i] : undefined;
    const value = newest ?? average?.y[i] ?? curve.mean[i];
    return value === undefined ? '–' : this.#spec.format(value);
  }

  #pointsOf({ spec, whole, part }: Line): number {
    const { table, name } = spec.part.source;
    const facts = this.#shown?.facts.get(spec.run)?.[table];
    return pointsHeld([whole?.curve, part?.curve], facts?.names.includes(name) ? facts.rows : 0);
  }

  #badge({ range, smoothing }: View, bounds: ReturnType<typeof boundsOf>): { text: string; details: string } {
    let [shown, points, notFinite, level] = [0, 0, 0, 0];
    const lines = this.#visible();
    for (const line of lines) {
      points += this.#pointsOf(line);
      const curve = line.drawn?.curve;
      if (!curve) continue;
      const [begin, end] = between(curve, range.from, range.to);
      shown += (end - begin) * (curve.level > 0 ? 2 : 1);
      notFinite += (line.whole?.curve ?? curve).notFiniteCount;
      level = Math.max(level, curve.level);
    }
    return badge({
      ...bounds,
      shown: Math.min(points, shown + (level === 0 ? notFinite : 0)),
      points,
      smoothing: this.#spec.smoothed && lines.some(({ drawn }) => drawn?.average) ? smoothing : 0,
      notFinite,
      hidden: this.#lines.length - lines.length,
      perBucket: 2 ** level,
    });
  }

  /** To the first value that is not finite. */
  #jump(): void {
    const at = this.#visible().flatMap(({ whole, drawn }) => (whole ?? drawn)?.curve.notFinite[0] ?? []);
    if (at.length > 0 && this.#view) this.#host.select(around(Math.min(...at), this.#view.whole));
  }

  #showTwin({ axis, range }: View): void {
    const isOpen = this.#host.options().table ?? false;
    if (!isOpen && this.#twin === '') return;
    const lines = this.#visible().flatMap(({ spec, drawn }) =>
      drawn ? [{ label: spec.label, curve: drawn.curve }] : [],
    );
    const x = { title: axisTitle(axis), format: (value: number) => placeNumber(axis, value) };
    const table = isOpen ? twinTable(lines, range, x, this.#spec.format) : undefined;
    const made = table ? JSON.stringify(table) : '';
    if (made === this.#twin) return;
    this.#twin = made;
    this.#frame.showTable(table && twinView(this.#spec.title, table));
  }
}

const readingText = (done: number) => t('Reading the log: {0} %', Math.floor(100 * done));
