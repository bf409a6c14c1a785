/** The page Charts: the curves of the shown runs, on one x axis, with one cursor and one zoom. */
import { t } from '../../src/core/l10n.ts';
import type { ArraysToDashboard, FromDashboard } from '../../src/core/messages.ts';
import type { Axis } from '../../src/core/metricQuery.ts';
import { element } from '../dom.ts';
import type { Page } from '../page.ts';
import { chartedRuns, type DashboardState } from '../state.ts';
import { readTheme, type Theme, watchTheme } from '../theme.ts';
import { type ChartSpec, charts, type ExtraScalar, extraChart } from './catalog.ts';
import type { ChartFigure, ChartHost, Shown, View } from './chartFigure.ts';
import { Fetcher } from './fetcher.ts';
import { IdentityLamp } from './identity.ts';
import type { KeyAction } from './keys.ts';
import { LayersChart } from './layersChart.ts';
import { LineChart } from './lineChart.ts';
import { chartedRunsOf, hasManyPairs, scalarsOf, subWeightsOf } from './lines.ts';
import { wantedOf, wholeOf } from './queries.ts';
import { noSaved, parseSaved, type SavedCharts } from './saved.ts';
import { Toolbar } from './toolbar.ts';
import { follow, panned, type Range, scaled, translated, wholeZoom, type Zoom, zoomAfter, zoomTo } from './zoom.ts';

export interface ChartsPageOptions {
  readonly send: (message: FromDashboard) => void;
  /** What is saved has changed. */
  readonly changed: () => void;
}

/** Two turns of the wheel that follow within so many milliseconds are one step to undo. */
const GESTURE_MS = 600;
/** A screen reader is told of a point once the cursor rests. */
const SPEAK_MS = 250;

export class ChartsPage implements Page {
  readonly id = 'charts';
  readonly title = t('Charts');
  readonly root = element('div', { class: 'charts-page' });
  readonly #options: ChartsPageOptions;
  readonly #fetcher: Fetcher;
  readonly #toolbar: Toolbar;
  readonly #grid = element('div', { class: 'charts' });
  readonly #spoken = element('div', { class: 'spoken', 'aria-live': 'polite' });
  readonly #charts: ChartFigure[] = [];
  readonly #inView = new Set<ChartFigure>();
  readonly #dirty = new Set<ChartFigure>();
  readonly #seen: IntersectionObserver;
  readonly #sized: ResizeObserver;
  #saved: SavedCharts = noSaved;
  #theme: Theme = readTheme();
  #shown: Shown | undefined;
  #runs = '';
  #isMany = false;
  #zoom: Zoom = wholeZoom;
  #whole: Range = { from: 0, to: 1 };
  #cursor: number | undefined;
  #frame = 0;
  #cursorMoved = false;
  #lastWheel = Number.NEGATIVE_INFINITY;
  #speaking: ReturnType<typeof setTimeout> | undefined;

  constructor(options: ChartsPageOptions) {
    this.#options = options;
    this.#fetcher = new Fetcher(options.send, {
      now: () => performance.now(),
      later: (call, ms) => setTimeout(call, ms),
    });
    this.#toolbar = new Toolbar({
      setAxis: (axis) => this.#setAxis(axis),
      setSmoothing: (smoothing) => this.#save({ smoothing }),
      setSecond: (second) => this.#save({ second }),
      whole: () => this.#act({ type: 'whole' }),
      undo: () => this.#act({ type: 'undo' }),
      redo: () => this.#act({ type: 'redo' }),
      add: (scalar) => this.#add(scalar),
    });
    this.#seen = new IntersectionObserver((entries) => this.#see(entries), { rootMargin: '150px' });
    this.#sized = new ResizeObserver((entries) => this.#resize(entries));
    this.root.append(this.#toolbar.root, this.#grid, this.#spoken);
    for (const spec of charts) this.#insert(spec);
    this.#place(new LayersChart(this.#hostOf('layers', undefined)));
    this.#grid.addEventListener('wheel', (event) => this.#wheel(event), { passive: false });
    watchTheme(() => {
      this.#theme = readTheme();
      for (const chart of this.#charts) chart.setTheme(this.#theme);
      this.#drawAll();
    });
  }

  get saved(): unknown {
    return this.#saved;
  }

  /** Takes up what was saved; before the first update. */
  restore(saved: unknown): void {
    this.#saved = parseSaved(saved);
    const { range } = this.#saved;
    this.#zoom = { ...wholeZoom, range, follows: range === undefined };
    for (const scalar of this.#saved.extras) this.#insert(extraChart(scalar), scalar);
  }

  update(state: DashboardState): void {
    const shown = chartedRuns(state);
    const runs = chartedRunsOf(state, shown);
    const identity = JSON.stringify(runs);
    if (identity !== this.#runs) {
      // Before the extension has said what to show there are none; what was restored is for the first that come.
      const isFirst = this.#runs === '' || this.#runs === '[]';
      this.#runs = identity;
      this.#fetcher.restart();
      if (!isFirst) this.#zoom = wholeZoom;
    }
    const readings = runs.flatMap(({ id }) => state.reading.get(id) ?? []);
    this.#isMany = hasManyPairs(shown);
    this.#shown = {
      runs,
      facts: state.tables,
      withSecond: !this.#isMany || this.#saved.second,
      reading: readings.length > 0 ? Math.min(...readings) : undefined,
      subWeights: subWeightsOf(state, runs),
    };
    this.#grow();
    for (const chart of this.#charts) chart.show(this.#shown);
    this.#showToolbar();
    this.#ask();
    this.#drawAll();
  }

  /** Takes the answer to a request for windows. */
  windows(answer: Extract<ArraysToDashboard, { type: 'windows' }>): void {
    for (const answered of this.#fetcher.answer(answer)) {
      for (const chart of this.#charts) chart.take(answered);
    }
    this.#drawAll();
    this.#ask();
  }

  #insert(spec: ChartSpec, scalar?: ExtraScalar): void {
    if (this.#charts.some(({ id }) => id === spec.id)) return;
    const host = this.#hostOf(spec.id, scalar && (() => this.#remove(scalar)));
    this.#place(new LineChart(spec, host, spec.id === 'loss' ? new IdentityLamp() : undefined));
  }

  #place(chart: ChartFigure): void {
    this.#charts.push(chart);
    this.#grid.append(chart.figure);
    this.#seen.observe(chart.figure);
    this.#sized.observe(chart.place);
    if (this.#shown) chart.show(this.#shown);
  }

  #hostOf(id: string, remove: (() => void) | undefined): ChartHost {
    return {
      theme: () => this.#theme,
      options: () => this.#saved.charts[id] ?? {},
      choose: (options) => this.#save({ charts: { ...this.#saved.charts, [id]: options } }),
      act: (action) => this.#act(action, id),
      select: (range) => this.#zoomTo(zoomTo(this.#zoom, range, this.#whole)),
      point: (x) => this.#point(x),
      walkTo: (x, spoken) => {
        this.#point(x);
        this.#say(spoken);
      },
      exportChart: () => {
        const runs = this.#shown?.runs.map((run) => run.id) ?? [];
        const scalar = this.#saved.extras.find((extra) => extraChart(extra).id === id);
        this.#options.send({ type: 'export', runs, charts: [scalar?.name ?? id], axis: this.#saved.axis });
      },
      ...(remove ? { remove } : {}),
    };
  }

  #add(scalar: ExtraScalar): void {
    const isThere = this.#saved.extras.some(({ table, name }) => table === scalar.table && name === scalar.name);
    if (isThere) return;
    this.#insert(extraChart(scalar), scalar);
    this.#save({ extras: [...this.#saved.extras, scalar] });
    this.#charts.at(-1)?.figure.scrollIntoView({ block: 'nearest' });
  }

  #remove(scalar: ExtraScalar): void {
    const index = this.#charts.findIndex(({ id }) => id === extraChart(scalar).id);
    const [chart] = index >= 0 ? this.#charts.splice(index, 1) : [];
    if (!chart) return;
    this.#seen.unobserve(chart.figure);
    this.#sized.unobserve(chart.place);
    this.#inView.delete(chart);
    this.#dirty.delete(chart);
    chart.destroy();
    this.#save({
      extras: this.#saved.extras.filter(({ table, name }) => table !== scalar.table || name !== scalar.name),
    });
  }

  #save(changes: Partial<SavedCharts>): void {
    const { second } = this.#saved;
    this.#saved = { ...this.#saved, ...changes };
    if (this.#shown && this.#saved.second !== second) {
      this.#shown = { ...this.#shown, withSecond: this.#saved.second };
      for (const chart of this.#charts) chart.show(this.#shown);
    }
    this.#options.changed();
    this.#showToolbar();
    this.#ask();
    this.#drawAll();
  }

  #setAxis(axis: Axis): void {
    const before = this.#whole;
    this.#saved = { ...this.#saved, axis };
    this.#whole = wholeOf(this.#shown, axis) ?? before;
    this.#zoom = translated(this.#zoom, before, this.#whole);
    this.#cursor = undefined;
    this.#fetcher.restart();
    for (const chart of this.#charts) chart.forget();
    this.#save({ axis, range: this.#zoom.range });
  }

  #chart(id: string | undefined): ChartFigure | undefined {
    return this.#charts.find((chart) => chart.id === id);
  }

  #act(action: KeyAction, id?: string): void {
    const chart = this.#chart(id);
    if (action.type === 'walk') chart?.walk(action.by);
    else if (action.type === 'end') chart?.walk(action.side);
    else if (action.type === 'row') chart?.row(action.by);
    else if (action.type === 'leave') this.#point(undefined);
    else this.#zoomTo(zoomAfter(action, this.#zoom, this.#whole, this.#cursor));
  }

  #wheel(event: WheelEvent): void {
    const plot = (event.target as Element).closest('.u-over');
    if (!plot || !(event.ctrlKey || (event.shiftKey && this.#zoom.range))) return;
    event.preventDefault();
    const range = this.#zoom.range ?? this.#whole;
    const goesOn = event.timeStamp - this.#lastWheel < GESTURE_MS;
    this.#lastWheel = event.timeStamp;
    const turned = event.deltaY || event.deltaX;
    const { left, width } = plot.getBoundingClientRect();
    const at = range.from + ((event.clientX - left) / width) * (range.to - range.from);
    const next = event.ctrlKey
      ? scaled(range, 1.0015 ** Math.max(-400, Math.min(400, turned)), at)
      : panned(range, turned / 1000, this.#whole);
    this.#zoomTo(zoomTo(this.#zoom, next, this.#whole, goesOn));
  }

  #zoomTo(zoom: Zoom): void {
    if (zoom === this.#zoom) return;
    this.#zoom = zoom;
    this.#saved = { ...this.#saved, range: zoom.range };
    this.#options.changed();
    this.#showToolbar();
    this.#ask();
    this.#drawAll();
  }

  /** After the runs grew. While their tables are read anew, the axis stays as it was. */
  #grow(): void {
    const whole = wholeOf(this.#shown, this.#saved.axis);
    if (!whole) return;
    this.#zoom = follow(this.#zoom, this.#whole, whole);
    this.#saved = { ...this.#saved, range: this.#zoom.range };
    this.#whole = whole;
  }

  #view(): View {
    const { axis, smoothing } = this.#saved;
    return { axis, smoothing, range: this.#zoom.range ?? this.#whole, whole: this.#whole, cursor: this.#cursor };
  }

  #ask(): void {
    if (!this.#shown) return;
    const needs = [...this.#inView].flatMap((chart) => chart.needs());
    this.#fetcher.want(wantedOf(needs, this.#saved.axis, this.#zoom.range, this.#whole, this.#shown.facts));
  }

  #point(x: number | undefined): void {
    if (x === this.#cursor) return;
    this.#cursor = x;
    this.#cursorMoved = true;
    this.#schedule();
  }

  /** Once it has been still for a moment. */
  #say(text: string): void {
    clearTimeout(this.#speaking);
    this.#speaking = setTimeout(() => {
      this.#spoken.textContent = text;
    }, SPEAK_MS);
  }

  #drawAll(): void {
    for (const chart of this.#inView) this.#dirty.add(chart);
    this.#schedule();
  }

  /** One frame for all charts. */
  #schedule(): void {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      const view = this.#view();
      for (const chart of this.#inView) {
        if (this.#dirty.has(chart)) chart.paint(view);
        else if (this.#cursorMoved) chart.showCursor(view);
      }
      this.#dirty.clear();
      this.#cursorMoved = false;
    });
  }

  #see(entries: readonly IntersectionObserverEntry[]): void {
    for (const { target, isIntersecting } of entries) {
      const chart = this.#charts.find(({ figure }) => figure === target);
      if (!chart) continue;
      if (isIntersecting) this.#inView.add(chart);
      else this.#inView.delete(chart);
    }
    this.#ask();
    this.#drawAll();
  }

  #resize(entries: readonly ResizeObserverEntry[]): void {
    for (const { target, contentRect } of entries) {
      const chart = this.#charts.find(({ place }) => place === target);
      if (contentRect.width > 0) chart?.setSize(Math.floor(contentRect.width), Math.floor(contentRect.height));
    }
    this.#ask();
    this.#drawAll();
  }

  #showToolbar(): void {
    const { axis, smoothing, second, extras } = this.#saved;
    const taken = new Set(extras.map(({ table, name }) => `${table} ${name}`));
    const scalars = this.#shown ? scalarsOf(this.#shown.runs, this.#shown.facts) : [];
    this.#toolbar.show({
      axis,
      smoothing,
      second: this.#isMany ? second : undefined,
      isZoomed: this.#zoom.range !== undefined,
      canUndo: this.#zoom.past.length > 0,
      canRedo: this.#zoom.future.length > 0,
      scalars: scalars.filter(({ table, name }) => !taken.has(`${table} ${name}`)),
    });
  }
}
