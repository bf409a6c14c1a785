/** The dashboard of an editor window, as a person sees it. */
import type { FrameLocator, Locator } from 'playwright-core';
import type { Editor } from './editor.ts';
import { until } from './runs.ts';
import { webviewWith } from './webview.ts';

export class Dashboard {
  readonly frame: FrameLocator;

  private constructor(frame: FrameLocator) {
    this.frame = frame;
  }

  /** The panel with the header of a pair, once it is there; other webviews may be open beside it. */
  static async of(editor: Editor): Promise<Dashboard> {
    const frame = await webviewWith(editor, '#pair-status', 'the dashboard');
    return new Dashboard(frame);
  }

  /** The header: both runs' state, epoch and time left. */
  get status(): Locator {
    return this.frame.locator('#pair-status');
  }

  get stop(): Locator {
    return this.frame.locator('#stop');
  }

  /** Points that a chart holds, over all its lines. */
  async points(metric: string): Promise<number> {
    return Number((await this.frame.locator(`#chart-${metric}`).getAttribute('data-points')) ?? 0);
  }

  /** Waits until a chart holds at least so many points. */
  async hasPoints(metric: string, atLeast: number, seconds = 90): Promise<void> {
    await until(`${atLeast} points in chart-${metric}`, async () => (await this.points(metric)) >= atLeast, seconds);
  }

  /** Coloured pixels on a chart's canvas, which is drawn once it is in view: lines have a hue, grid and labels are grey. */
  async colouredPixels(metric: string): Promise<number> {
    await this.frame.locator(`#chart-${metric}`).scrollIntoViewIfNeeded();
    return this.frame.locator(`#chart-${metric} canvas`).evaluate((element) => {
      const canvas = element as HTMLCanvasElement;
      const data =
        canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data ?? new Uint8ClampedArray();
      let coloured = 0;
      for (let i = 0; i < data.length; i += 4) {
        const [red = 0, green = 0, blue = 0, alpha = 0] = data.subarray(i, i + 4);
        if (alpha > 64 && Math.max(red, green, blue) - Math.min(red, green, blue) > 40) coloured++;
      }
      return coloured;
    });
  }
}
