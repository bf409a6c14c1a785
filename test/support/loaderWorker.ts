/** The loader's thread, bundled from the sources as they are. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import * as esbuild from 'esbuild';
import { afterAll } from 'vitest';

/** Its file, gone after the tests of the file that asks for it. */
export const bundledLoaderWorker = () => bundled('src/data/loaderWorker.ts');

/** The bundle of any source. */
export function bundled(source: string): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'masksub-bundle-'));
  afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));
  const outfile = path.join(folder, `${path.basename(source, '.ts')}.mjs`);
  const banner =
    "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);";
  esbuild.buildSync({
    entryPoints: [source],
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    outfile,
    banner: { js: banner },
    logLevel: 'error',
  });
  return outfile;
}

/** A folder whose packages hold the decoder: the bundle lies where Node finds none. */
export const decoderFolder = path.resolve('.');
