/** What axe finds wrong with a page of the dashboard, in the theme that the window has. */

import fs from 'node:fs';
import { createRequire } from 'node:module';
import type { FrameLocator } from 'playwright-core';
import * as z from 'zod';

const source = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const findingsSchema = z.array(
  z.object({ id: z.string(), impact: z.string().nullish(), nodes: z.array(z.object({ html: z.string() })) }),
);

/** Serious and critical findings, as `rule: element`. */
export async function findingsIn(frame: FrameLocator): Promise<string[]> {
  const handle = await frame.locator('#dashboard').elementHandle();
  const inner = await handle?.ownerFrame();
  if (!inner) throw new Error('the dashboard has no frame');
  // As an expression of the debugger: the page's own policy lets no script in.
  const found = await inner.evaluate(
    `${source}; axe.run(document, { resultTypes: ['violations'] }).then((r) => r.violations)`,
  );
  return findingsSchema
    .parse(found)
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 160)}`));
}
