/** The chart of the layers: gradient norms of each layer and branch, or the cosine between the branches, as colours over time. */
import { layersChart } from '../../src/core/charts.ts';
import { significant } from '../../src/core/format.ts';
import { t } from '../../src/core/l10n.ts';
import { type LayerNumber, layerColors, layerNumbers, layerNumberTitle, shortLayers } from '../../src/core/layers.ts';
import { element } from '../dom.ts';
import type { Theme } from '../theme.ts';
import type { ChartFigure, ChartHost, Need, Shown, View } from './chartFigure.ts';
import type { Answered } from './fetcher.ts';
import { FigureFrame } from './figureFrame.ts';
import { domainOf, drawPixels, type HeatMap, heatMapOf, layerTable, pixelsOf, valueAt } from './heatMap.ts';
import type { ChartedRun } from './lines.ts';
import { Plot } from './plot.ts';
import { twinView } from './tableTwin.ts';
import { axisTitle, placeNumber, placeText, withMinus } from './ticks.ts';
import { summary } from './words.ts';

/** Height of a label with its distance to the next. */
const LABEL_PX = 13;
const { id: chartId, title, about } = layersChart();

export class LayersChart implements ChartFigure {
  readonly id = chartId;
  readonly figure: HTMLElement;
  readonly place: HTMLElement;
  readonly #host: ChartHost;
  readonly #frame: FigureFrame;
  readonly #plot: Plot;
  readonly #number = element('select', { 'aria-label': t('What is shown of each layer') });
  readonly #run = element('select', { 'aria-label': t('Run whose layers are shown') });
  readonly #low = element('span');
  readonly #high = element('span');
  readonly #bar = element('span', { class: 'color-bar', 'aria-hidden': 'true' });
  readonly #readOut = element('output', { class: 'read-out' });
  #shown: Shown | undefined;
  #view: View | undefined;
  #whole: HeatMap | undefined;
  #part: HeatMap | undefined;
  #row = 0;
  #table = '';
  /** Which columns the maps are of. */
  #mapped = '';

  constructor(host: ChartHost) {
    this.#host = host;
    this.#frame = new FigureFrame(
      { id: chartId, title, about, unit: '', log: false, switches: ['table'] },
      host,
      () => {},
    );
    this.figure = this.#frame.figure;
    this.place = this.#frame.plot;
    this.#frame.controls.append(this.#number, this.#run);
    this.figure.append(element('div', { class: 'color-legend' }, this.#low, this.#bar, this.#high, this.#readOut));
    for (const select of [this.#number, this.#run]) {
      select.addEventListener('change', () =>
        host.choose({ ...host.options(), number: this.#number.value, run: this.#run.value }),
      );
    }
    this.#plot = new Plot(this.place, {
      theme: host.theme(),
      draw: (ctx, to, { x }) => {
        const map = this.#drawn();
        if (!map) return;
        const width = Math.max(1, Math.round(to.width / to.ratio));
        const pixels = pixelsOf(this.#chosen(), map, this.#domain(), x, width);
        drawPixels(ctx, pixels, width, map.layers.length, to);
      },
      select: host.select,
      double: () => host.act({ type: 'whole' }),
      point: (x, down) => {
        const rows = this.#layers().length;
        if (x !== undefined) this.#row = Math.min(rows - 1, Math.max(0, Math.floor(down * rows)));
        host.point(x);
        if (this.#view) this.showCursor({ ...this.#view, cursor: x });
      },
      rows: (height) => {
        const labels = shortLayers(this.#layers());
        const every = Math.max(1, Math.ceil((labels.length * LABEL_PX) / height));
        return labels.flatMap((label, i) => (i % every === 0 ? [{ at: labels.length - i - 0.5, label }] : []));
      },
    });
  }

  show(shown: Shown): void {
    this.#shown = shown;
    const run = this.#chosenRun();
    const names = run ? this.#names(run) : [];
    this.#frame.setPoints(names.length * (run ? this.#rows(run) : 0));
    const isEmpty = names.length === 0;
    this.#frame.setPlaceholder(
      isEmpty ? t('Begins with the first record of the layers (run.layersEvery).') : undefined,
    );
    this.#showSelects();
    this.#showNames();
  }

  needs(): Need[] {
    const run = this.#chosenRun();
    const names = run ? this.#names(run) : [];
    if (!run || names.length === 0) return [];
    this.#mapFor(run);
    const whole = this.#whole ? (this.#whole.level === 0 ? 'exact' : 'coarse') : 'missing';
    return [{ chart: this.id, run: run.id, table: 'layers', names, buckets: Math.ceil(this.#plot.pixels), whole }];
  }

  take({ wanted: { run, query, whole, pixels }, window }: Answered): void {
    const chosen = this.#chosenRun();
    if (pixels !== Math.ceil(this.#plot.pixels) || query.table !== 'layers' || !chosen || run !== chosen.id) return;
    const names = this.#names(chosen);
    if (!names.every((name) => query.names.includes(name))) return;
    const map = heatMapOf(this.#chosen(), query, window, names);
    if (whole) this.#whole = map;
    else this.#part = map;
  }

  forget(): void {
    this.#whole = undefined;
    this.#part = undefined;
  }

  setSize(width: number, height: number): void {
    this.#plot.setSize(width, height);
  }

  setTheme(theme: Theme): void {
    this.#plot.setTheme(theme);
  }

  paint(view: View): void {
    this.#view = view;
    this.#frame.showSwitches();
    this.#showSelects();
    const run = this.#chosenRun();
    if (run) this.#mapFor(run);
    const rows = this.#layers().length;
    if (rows > 0) this.#plot.paint({ axis: view.axis, x: view.range, min: 0, max: rows, log: false });
    this.#showLegend();
    this.showCursor(view);
    this.#showTable(view);
  }

  showCursor(view: View): void {
    this.#view = view;
    this.#plot.showCursor(view.cursor);
    const text = view.cursor === undefined ? '' : this.#textAt(view.cursor);
    if (this.#readOut.textContent !== text) this.#readOut.textContent = text;
  }

  walk(step: number | 'first' | 'last'): void {
    const [view, map] = [this.#view, this.#drawn()];
    if (!view || !map || map.x1.length === 0) return;
    const { from, to } = view.range;
    const columns = Array.from(map.x1).filter((x) => x >= from && x <= to);
    const at = view.cursor === undefined ? columns.length : columns.findIndex((x) => x >= (view.cursor ?? 0));
    const index = step === 'first' ? 0 : step === 'last' ? columns.length - 1 : at + step;
    const x = columns[Math.min(columns.length - 1, Math.max(0, index))];
    if (x !== undefined) this.#host.walkTo(x, this.#textAt(x));
  }

  /** To a layer nearer to the output or the input. */
  row(by: number): void {
    this.#row = Math.min(this.#layers().length - 1, Math.max(0, this.#row + by));
    const x = this.#view?.cursor ?? this.#view?.range.to;
    if (x === undefined || !this.#view) return;
    this.showCursor({ ...this.#view, cursor: x });
    this.#host.walkTo(x, this.#textAt(x));
  }

  destroy(): void {
    this.#plot.destroy();
    this.figure.remove();
  }

  /** Drops maps of other columns or of another run. */
  #mapFor(run: ChartedRun): void {
    const mapped = `${run.id} ${this.#chosen()}`;
    if (mapped === this.#mapped) return;
    this.#mapped = mapped;
    this.forget();
  }

  #drawn(): HeatMap | undefined {
    const [part, whole] = [this.#part, this.#whole];
    const range = this.#view?.range;
    if (!range || whole?.level === 0 || !part) return whole ?? part;
    const slack = 1e-6 * (range.to - range.from);
    return part.from <= range.from + slack && part.to >= range.to - slack ? part : (whole ?? part);
  }

  #layers(): readonly string[] {
    return this.#drawn()?.layers ?? [];
  }

  /** Of the whole, so that a colour means the same while the view moves. */
  #domain(): readonly [number, number] {
    const map = this.#whole ?? this.#drawn();
    return map ? domainOf(this.#chosen(), map) : [0, 1];
  }

  /** Runs whose layers are recorded, methods first. */
  #runs(): readonly ChartedRun[] {
    return this.#shown?.runs.filter((run) => this.#rows(run) > 0) ?? [];
  }

  #rows({ id }: ChartedRun): number {
    return this.#shown?.facts.get(id)?.layers.rows ?? 0;
  }

  #chosenRun(): ChartedRun | undefined {
    const runs = this.#runs();
    return runs.find(({ id }) => id === this.#host.options().run) ?? runs[0];
  }

  #chosen(): LayerNumber {
    const wanted = this.#host.options().number;
    const there = this.#numbers();
    return there.find((number) => number === wanted) ?? there[0] ?? 'main';
  }

  #numbers(): LayerNumber[] {
    const run = this.#chosenRun();
    const names = (run && this.#shown?.facts.get(run.id)?.layers.names) ?? [];
    return layerNumbers.filter((number) => names.some((name) => name.startsWith(`${number}.`)));
  }

  #names({ id }: ChartedRun): string[] {
    const prefix = `${this.#chosen()}.`;
    return (this.#shown?.facts.get(id)?.layers.names ?? []).filter((name) => name.startsWith(prefix)).slice(0, 512);
  }

  #showSelects(): void {
    const runs = this.#runs();
    options(
      this.#number,
      this.#numbers().map((number) => [number, layerNumberTitle(number)]),
      this.#chosen(),
    );
    options(
      this.#run,
      runs.map(({ id, label }) => [id, label]),
      this.#chosenRun()?.id ?? '',
    );
    this.#number.hidden = runs.length === 0;
    this.#run.hidden = runs.length < 2;
    this.#frame.setUnit(
      this.#chosen() === 'cosine' ? t('between the branches') : t('L2 norm, colours by its logarithm'),
    );
  }

  #showTable({ axis, range }: View): void {
    const map = this.#host.options().table ? this.#drawn() : undefined;
    const x = { title: axisTitle(axis), format: (value: number) => placeNumber(axis, value) };
    const table = map && layerTable(map, range, x, (value) => withMinus(significant(value)));
    const made = table ? JSON.stringify(table) : '';
    if (made === this.#table) return;
    this.#table = made;
    this.#frame.showTable(table && twinView(title, table));
  }

  #showLegend(): void {
    const [low, high] = this.#domain();
    const text = (value: number) => withMinus(significant(value, 2));
    this.#low.textContent = text(low);
    this.#high.textContent = text(high);
    const { gradient } = layerColors(this.#chosen());
    if (this.#bar.dataset.gradient === gradient) return;
    this.#bar.dataset.gradient = gradient;
    this.#bar.style.background = gradient;
  }

  #showNames(): void {
    const layers = this.#layers();
    const readOuts = layers.length > 0 ? [{ label: t('layers'), value: String(layers.length) }] : [];
    const what = `${title}: ${layerNumberTitle(this.#chosen())}`;
    this.#frame.setNames(what, summary(what, t('arrow keys read out, up and down change the layer'), readOuts, ''));
  }

  #textAt(x: number): string {
    const map = this.#drawn();
    const axis = this.#view?.axis;
    const found = map && valueAt(map, this.#row, x);
    if (!map || !axis || !found) return '';
    const number = Number.isFinite(found.value) ? withMinus(significant(found.value)) : '–';
    return `${map.layers[this.#row]} · ${placeText(axis, found.x)} · ${number}`;
  }
}

/** Fills a select only where its options changed: an open one would close. */
function options(
  select: HTMLSelectElement,
  entries: readonly (readonly [value: string, label: string])[],
  chosen: string,
): void {
  const made = JSON.stringify(entries);
  if (select.dataset.made !== made) {
    select.dataset.made = made;
    select.replaceChildren(...entries.map(([value, label]) => element('option', { value }, label)));
  }
  if (select.value !== chosen) select.value = chosen;
}
