/** A dot for each sample: how sure the main branch is, and the loss of the sub-branch; walked by arrow keys, chosen by click or Enter. */
import { t } from '../../src/core/l10n.ts';
import { linearTicks, logTicks, yLabels } from '../charts/ticks.ts';
import { element } from '../dom.ts';
import { type LossScale, neighbour, type Point, placeOn } from './difficulty.ts';

export interface ScatterData {
  readonly points: readonly Point[];
  readonly scale: LossScale;
  readonly selected: number;
  readonly xTitle: string;
  /** A sample in a sentence. */
  readonly spoken: (point: Point) => string;
}

/** Around the field of the points, in CSS pixels: left, top, right, bottom. */
const MARGIN = { left: 52, top: 10, right: 24, bottom: 38 } as const;
const REACH = 16;

export class Scatter {
  readonly root: HTMLElement;
  readonly #canvas = element('canvas', { 'aria-hidden': 'true' });
  readonly #plot = element('div', {
    class: 'scatter',
    tabindex: 0,
    role: 'application',
    'aria-roledescription': t('scatter plot'),
  });
  readonly #hint = element('p', { class: 'hint' });
  readonly #spoken = element('p', { class: 'spoken', role: 'status' });
  readonly #select: (index: number) => void;
  #data: ScatterData | undefined;
  /** The point that the keyboard or the pointer is at. */
  #at: number | undefined;

  constructor(select: (index: number) => void) {
    this.#select = select;
    this.#plot.append(this.#canvas);
    this.root = element('div', {}, this.#plot, this.#hint, this.#spoken);
    this.#plot.addEventListener('pointermove', (event) => this.#point(this.#nearest(event)));
    this.#plot.addEventListener('pointerleave', () => this.#point(undefined));
    this.#plot.addEventListener('click', (event) => {
      const index = this.#nearest(event);
      if (index !== undefined) this.#select(index);
    });
    this.#plot.addEventListener('keydown', (event) => this.#key(event));
    this.#plot.addEventListener('blur', () => this.#point(undefined));
    new ResizeObserver(() => this.draw()).observe(this.#plot);
  }

  show(data: ScatterData): void {
    this.#data = data;
    if (!data.points.some(({ index }) => index === this.#at)) this.#at = undefined;
    this.#plot.setAttribute(
      'aria-label',
      t(
        'Loss of the sub-branch over {0}, {1} samples. Left and right arrow walk by confidence, up and down by loss, Enter shows the sample.',
        data.xTitle,
        data.points.length,
      ),
    );
    this.#plot.dataset.points = String(data.points.length);
    this.#tell();
    this.draw();
  }

  draw(): void {
    const context = this.#canvas.getContext('2d');
    const { width, height } = this.#size();
    if (!context || !this.#data || width <= 0) return;
    const density = globalThis.devicePixelRatio || 1;
    this.#canvas.width = Math.round(width * density);
    this.#canvas.height = Math.round(height * density);
    context.setTransform(density, 0, 0, density, 0, 0);
    const look = readLook(this.#plot);
    context.font = look.font;
    this.#axes(context, this.#data, look);
    for (const point of this.#data.points) this.#mark(context, point, look);
    for (const [index, color] of [
      [this.#data.selected, look.text],
      [this.#at, look.focus],
    ] as const) {
      const point = this.#data.points.find((candidate) => candidate.index === index);
      if (point) ring(context, this.#place(point), color);
    }
  }

  #axes(context: CanvasRenderingContext2D, { scale, xTitle }: ScatterData, look: Look): void {
    const { width, height } = this.#size();
    const [left, right, top, bottom] = [MARGIN.left, width - MARGIN.right, MARGIN.top, height - MARGIN.bottom];
    context.strokeStyle = look.grid;
    context.fillStyle = look.muted;
    context.lineWidth = 1;
    context.textAlign = 'right';
    context.textBaseline = 'middle';
    const most = Math.max(2, (bottom - top) / 44);
    const ticks = scale.isLog ? logTicks(scale.min, scale.max, most) : linearTicks(scale.min, scale.max, most);
    const labels = yLabels(ticks, scale.isLog);
    for (const [i, tick] of ticks.entries()) {
      const y = bottom - placeOn(scale, tick) * (bottom - top);
      stroke(context, left, y, right, y);
      context.fillText(labels[i] ?? '', left - 6, y);
    }
    context.textAlign = 'center';
    context.textBaseline = 'top';
    for (const tick of [0, 0.2, 0.4, 0.6, 0.8, 1]) {
      const x = left + tick * (right - left);
      stroke(context, x, bottom, x, bottom + 4);
      context.fillText(`${Math.round(100 * tick)} %`, x, bottom + 6);
    }
    context.fillText(xTitle, (left + right) / 2, bottom + 22, right - left);
    stroke(context, left, bottom, right, bottom);
    context.save();
    context.translate(11, (top + bottom) / 2);
    context.rotate(-Math.PI / 2);
    context.textBaseline = 'middle';
    context.fillText(t('Loss of the sub-branch'), 0, 0, bottom - top);
    context.restore();
  }

  /** A ring where the main branch is right, a filled triangle where it is wrong. */
  #mark(context: CanvasRenderingContext2D, point: Point, look: Look): void {
    const { x, y } = this.#place(point);
    context.beginPath();
    if (point.right) {
      context.arc(x, y, 3.5, 0, 2 * Math.PI);
      context.lineWidth = look.line;
      context.strokeStyle = look.right;
      context.stroke();
      return;
    }
    context.moveTo(x, y - 5);
    context.lineTo(x + 4.8, y + 3.6);
    context.lineTo(x - 4.8, y + 3.6);
    context.closePath();
    context.fillStyle = look.wrong;
    context.fill();
  }

  #place({ x, y }: Point): { x: number; y: number } {
    const { width, height } = this.#size();
    const scale = this.#data?.scale;
    return {
      x: MARGIN.left + Math.min(1, Math.max(0, x)) * (width - MARGIN.left - MARGIN.right),
      y: height - MARGIN.bottom - (scale ? placeOn(scale, y) : 0) * (height - MARGIN.top - MARGIN.bottom),
    };
  }

  #size(): { width: number; height: number } {
    return { width: this.#plot.clientWidth, height: this.#plot.clientHeight };
  }

  #nearest({ clientX, clientY }: MouseEvent): number | undefined {
    const { left, top } = this.#plot.getBoundingClientRect();
    let [best, distance]: [number | undefined, number] = [undefined, REACH];
    for (const point of this.#data?.points ?? []) {
      const { x, y } = this.#place(point);
      const away = Math.hypot(x - (clientX - left), y - (clientY - top));
      if (away < distance) [best, distance] = [point.index, away];
    }
    return best;
  }

  #key(event: KeyboardEvent): void {
    const data = this.#data;
    if (!data || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const from = this.#at ?? data.selected;
    if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault();
      this.#select(from);
      return;
    }
    const next = {
      ArrowRight: () => neighbour(data.points, from, 'x', 1),
      ArrowLeft: () => neighbour(data.points, from, 'x', -1),
      ArrowUp: () => neighbour(data.points, from, 'y', 1),
      ArrowDown: () => neighbour(data.points, from, 'y', -1),
      Home: () => data.points[0]?.index,
      End: () => data.points.at(-1)?.index,
    }[event.key];
    if (!next) return;
    event.preventDefault();
    this.#point(next());
    const point = data.points.find(({ index }) => index === this.#at);
    this.#spoken.textContent = point ? data.spoken(point) : '';
  }

  #point(index: number | undefined): void {
    if (index === this.#at) return;
    this.#at = index;
    this.#plot.classList.toggle('at-point', index !== undefined);
    this.#tell();
    this.draw();
  }

  #tell(): void {
    const point = this.#data?.points.find(({ index }) => index === this.#at);
    this.#hint.textContent = this.#data && point ? this.#data.spoken(point) : t('Click a dot to see its sample.');
  }
}

interface Look {
  readonly right: string;
  readonly wrong: string;
  readonly text: string;
  readonly muted: string;
  readonly grid: string;
  readonly focus: string;
  readonly font: string;
  readonly line: number;
}

function readLook(place: Element): Look {
  const style = getComputedStyle(document.body);
  const color = (name: string) => style.getPropertyValue(name).trim();
  return {
    right: color('--masksub-right'),
    wrong: color('--masksub-wrong'),
    text: color('--vscode-foreground'),
    muted: color('--masksub-muted'),
    grid: color('--masksub-grid'),
    focus: color('--vscode-focusBorder'),
    font: `11px ${getComputedStyle(place).fontFamily}`,
    line: document.body.className.includes('high-contrast') ? 2.2 : 1.5,
  };
}

function ring(context: CanvasRenderingContext2D, { x, y }: { x: number; y: number }, color: string): void {
  context.beginPath();
  context.arc(x, y, 8, 0, 2 * Math.PI);
  context.lineWidth = 2;
  context.strokeStyle = color;
  context.stroke();
}

function stroke(context: CanvasRenderingContext2D, x0: number, y0: number, x1: number, y1: number): void {
  context.beginPath();
  context.moveTo(x0, y0);
  context.lineTo(x1, y1);
  context.stroke();
}
