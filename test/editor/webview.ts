/** The inside of a webview panel, found by what it shows. */
import type { FrameLocator } from 'playwright-core';
import type { Editor } from './editor.ts';
import { until } from './runs.ts';

/** The webview with this element, once it is there; other webviews may be open beside it. */
export function webviewWith(editor: Editor, selector: string, what: string): Promise<FrameLocator> {
  return until(
    what,
    async () => {
      const webviews = editor.page.locator('iframe.webview.ready');
      for (let i = 0; i < (await webviews.count()); i++) {
        const inner = webviews.nth(i).contentFrame().frameLocator('iframe#active-frame');
        if ((await inner.locator(selector).count()) > 0) return inner;
      }
      return undefined;
    },
    60,
  );
}
