/** `npm run recipes`: docs/recipes.md from the recipes. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import * as esbuild from 'esbuild';
import { root } from './setup/step.mjs';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'masksub-recipes-'));
try {
  const outfile = path.join(folder, 'page.mjs');
  await esbuild.build({
    absWorkingDir: root,
    entryPoints: ['scripts/recipesPage.ts'],
    bundle: true,
    platform: 'node',
    format: 'esm',
    outfile,
    logLevel: 'error',
  });
  const { recipesPage } = await import(pathToFileURL(outfile).href);
  fs.writeFileSync(path.join(root, 'docs/recipes.md'), recipesPage());
} finally {
  fs.rmSync(folder, { recursive: true, force: true });
}
