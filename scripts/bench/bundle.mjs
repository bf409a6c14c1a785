/** Bundles what a benchmark runs in processes of its own, from the sources as they are. */
import fs from 'node:fs';
import path from 'node:path';
import * as esbuild from 'esbuild';
import { root, SetupError } from '../setup/step.mjs';

/**
 * Beside the sample workspace: git ignores it, and it lies within the checkout, as the engine's look-up wants. Each benchmark has
 * its own, since one that starts must not take away what another one measures.
 */
const folder = path.join(root, '.masksub', 'bench', String(process.pid));

/**
 * @param {Record<string, string>} entryPoints sources by name
 * @returns {Promise<(name: string) => string>} the bundle of a name
 */
export async function bundle(entryPoints) {
  process.once('exit', () => fs.rmSync(folder, { recursive: true, force: true }));
  await esbuild.build({
    absWorkingDir: root,
    entryPoints,
    outdir: folder,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    splitting: true,
    outExtension: { '.js': '.mjs' },
    logLevel: 'error',
    logOverride: { 'direct-eval': 'silent' },
    plugins: [withoutStatistics],
    // As in scripts/build.mjs.
    alias: { '@tensorflow/tfjs': '@tensorflow/tfjs-core' },
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; import { fileURLToPath as __fileURLToPath } from 'node:url'; const require = __createRequire(import.meta.url); const __filename = __fileURLToPath(import.meta.url); const __dirname = __fileURLToPath(new URL('.', import.meta.url));",
    },
  });
  return (name) => path.join(folder, `${name}.mjs`);
}

const statistics = 'const gram = gramMatrix(terms.map((term) => term.gradient));';
const noStatistics = 'const gram = tf.zeros([terms.length, terms.length]) as tf.Tensor2D;';

/**
 * The engine has no step without statistics, since nobody would want one; the benchmark that asks what they cost makes it from
 * the same sources. What `bareExecutor.ts` imports is loaded a second time, with the statistics taken out.
 *
 * @type {import('esbuild').Plugin}
 */
const withoutStatistics = {
  name: 'without-statistics',
  setup(build) {
    build.onResolve(
      { filter: /\/(executor|eager|recorded|step)\.ts$/ },
      ({ path: name, importer, resolveDir, pluginData }) =>
        path.basename(importer) === 'bareExecutor.ts' || pluginData?.bare
          ? { path: path.resolve(resolveDir, name), suffix: '?bare' }
          : undefined,
    );
    build.onLoad({ filter: /\/(executor|eager|recorded|step)\.ts$/ }, ({ path: file, suffix }) => {
      if (suffix !== '?bare') return undefined;
      let contents = fs.readFileSync(file, 'utf8');
      if (path.basename(file) === 'step.ts') {
        if (!contents.includes(statistics)) throw new SetupError(`${file} computes its statistics in other words now.`);
        contents = contents.replace(statistics, noStatistics);
      }
      return { contents, loader: 'ts', pluginData: { bare: true } };
    });
  },
};
