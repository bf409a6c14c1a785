/** Draws a recorded image: whole, with what the branch did not see covered, or with the attention over it. */
import { element } from '../dom.ts';
import type { Attention, Pixels } from './record.ts';

export const lookings = ['masked', 'overlay', 'whole'] as const;
export type Looking = (typeof lookings)[number];

/** What lies over an image. */
export type Layer =
  | {
      readonly kind: 'cover';
      readonly hidden: readonly boolean[];
      readonly rows: number;
      readonly columns: number;
      /** Lets the image through. */
      readonly isSheer: boolean;
    }
  | { readonly kind: 'heat'; readonly attention: Attention };

/** A canvas of at most `side` pixels each way, a whole multiple of the image where that is smaller. */
export function picture(pixels: Pixels, side: number, name: string, layer?: Layer): HTMLCanvasElement {
  const { width, height } = shownSize(pixels, side);
  const canvas = element('canvas', { role: 'img', 'aria-label': name, class: 'picture' });
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const density = globalThis.devicePixelRatio || 1;
  canvas.width = Math.round(width * density);
  canvas.height = Math.round(height * density);
  const context = canvas.getContext('2d');
  if (!context) return canvas;
  context.imageSmoothingEnabled = canvas.width < pixels.width;
  context.imageSmoothingQuality = 'high';
  context.drawImage(bitmapOf(pixels), 0, 0, canvas.width, canvas.height);
  if (layer?.kind === 'cover') drawCover(context, layer, density);
  if (layer?.kind === 'heat') drawHeat(context, layer.attention);
  return canvas;
}

/** Size in CSS pixels. */
export function shownSize({ width, height }: Pick<Pixels, 'width' | 'height'>, side: number) {
  const scale = side / Math.max(width, height);
  const whole = scale >= 1 ? Math.floor(scale) : scale;
  return { width: Math.max(1, Math.round(width * whole)), height: Math.max(1, Math.round(height * whole)) };
}

/** RGBA of an image of 1 or 3 channels. */
export function rgbaOf({ values, width, height, channels }: Pixels): Uint8ClampedArray<ArrayBuffer> {
  const rgba = new Uint8ClampedArray(width * height * 4);
  for (let i = 0; i < width * height; i++) {
    for (let c = 0; c < 3; c++) rgba[4 * i + c] = values[i * channels + (channels === 3 ? c : 0)] ?? 0;
    rgba[4 * i + 3] = 255;
  }
  return rgba;
}

function bitmapOf(pixels: Pixels): HTMLCanvasElement {
  const canvas = element('canvas', { width: pixels.width, height: pixels.height });
  canvas.getContext('2d')?.putImageData(new ImageData(rgbaOf(pixels), pixels.width, pixels.height), 0, 0);
  return canvas;
}

/**
 * Hatched, since a plain colour could be the image's own; in a dark and a light line each, so that it shows on both. A line runs
 * along the borders of the covered patches.
 */
function drawCover(context: CanvasRenderingContext2D, layer: Extract<Layer, { kind: 'cover' }>, density: number): void {
  const { hidden, rows, columns, isSheer } = layer;
  const { width, height } = context.canvas;
  const style = getComputedStyle(document.body);
  const ground = style.getPropertyValue('--vscode-editor-background').trim() || '#808080';
  const line = style.getPropertyValue('--vscode-foreground').trim() || '#000000';
  const covered = new Path2D();
  const isHidden = (row: number, column: number) =>
    column >= 0 && column < columns && (hidden[row * columns + column] ?? false);
  const x = (column: number) => Math.round((column * width) / columns);
  const y = (row: number) => Math.round((row * height) / rows);
  const borders = new Path2D();
  for (let row = 0; row <= rows; row++) {
    for (let column = 0; column <= columns; column++) {
      if (isHidden(row, column)) covered.rect(x(column), y(row), x(column + 1) - x(column), y(row + 1) - y(row));
      if (isHidden(row, column) || isHidden(row, column - 1))
        segment(borders, x(column), y(row), x(column), y(row + 1));
      if (isHidden(row, column) || isHidden(row - 1, column))
        segment(borders, x(column), y(row), x(column + 1), y(row));
    }
  }
  context.save();
  context.clip(covered);
  context.fillStyle = ground;
  context.globalAlpha = isSheer ? 0.3 : 1;
  context.fillRect(0, 0, width, height);
  const gap = Math.round((isSheer ? 9 : 7) * density);
  for (const [color, shift, alpha] of [
    [ground, density, isSheer ? 0.8 : 0],
    [line, 0, isSheer ? 0.75 : 0.4],
  ] as const) {
    const hatch = new Path2D();
    for (let at = -height; at < width; at += gap) segment(hatch, at + shift, height, at + shift + height, 0);
    context.globalAlpha = alpha;
    context.strokeStyle = color;
    context.lineWidth = density;
    context.stroke(hatch);
  }
  context.restore();
  context.strokeStyle = ground;
  context.lineWidth = 3 * density;
  context.stroke(borders);
  context.strokeStyle = line;
  context.lineWidth = density;
  context.stroke(borders);
}

/** The more attention, the less of the image's own colour: of the highest value, four fifths are the colour of the heat. */
function drawHeat(context: CanvasRenderingContext2D, { values, rows, columns }: Attention): void {
  const { width, height } = context.canvas;
  const most = Math.max(...values);
  context.save();
  context.fillStyle = heatColor();
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const value = values[row * columns + column] ?? 0;
      if (!(value > 0 && most > 0)) continue;
      const [left, top] = [Math.round((column * width) / columns), Math.round((row * height) / rows)];
      context.globalAlpha = (0.8 * value) / most;
      context.fillRect(
        left,
        top,
        Math.round(((column + 1) * width) / columns) - left,
        Math.round(((row + 1) * height) / rows) - top,
      );
    }
  }
  context.restore();
}

function heatColor(): string {
  const style = getComputedStyle(document.body);
  return style.getPropertyValue('--masksub-heat').trim() || '#d18616';
}

function segment(path: Path2D, x0: number, y0: number, x1: number, y1: number): void {
  path.moveTo(x0, y0);
  path.lineTo(x1, y1);
}
