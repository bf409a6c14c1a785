/**
 * `npm run build`: `dist/` from the sources. The command line is split so that tfjs is loaded only by what trains; the extension
 * and the dashboard are a file each.
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { hashOfTree } from './build/tree.mjs';
import { fail, isMain, root, SetupError, step } from './setup/step.mjs';

const dist = path.join(root, 'dist');
const mark = path.join(dist, '.source');
const inputs = ['src', 'webview', 'scripts', 'test/editor/host', 'package.json', 'package-lock.json'];
const wasm = 'node_modules/@tensorflow/tfjs-backend-wasm/dist';
const needed = ['cli.js', 'loaderWorker.js', 'extension.cjs', 'webview.js', 'config.schema.json', 'test/index.cjs'];

/** Builds `dist/` unless it was built from these very sources. */
export async function build() {
  const hash = hashOfTree(root, inputs);
  await step(
    'build',
    () => (isBuiltFrom(hash) ? 'up to date' : undefined),
    async () => {
      fs.rmSync(dist, { recursive: true, force: true });
      const esbuild = await import('esbuild');
      await Promise.all(bundles.map((options) => bundle(esbuild, options)));
      fs.chmodSync(path.join(dist, 'cli.js'), 0o755);
      await writeSchema(esbuild);
      copyWasm();
      const missing = needed.filter((file) => !fs.existsSync(path.join(dist, file)));
      if (missing.length > 0) throw new SetupError(`The build did not make ${missing.join(', ')}.`);
      fs.writeFileSync(mark, hash);
    },
  );
}

function isBuiltFrom(hash) {
  return fs.existsSync(mark) && fs.readFileSync(mark, 'utf8') === hash;
}

/** @type {import('esbuild').BuildOptions} */
const common = {
  absWorkingDir: root,
  outdir: dist,
  bundle: true,
  sourcemap: true,
  sourcesContent: false,
  logLevel: 'silent',
  logOverride: { 'direct-eval': 'silent' },
};

/** @type {import('esbuild').BuildOptions[]} */
const bundles = [
  {
    ...common,
    entryPoints: { cli: 'src/runner/cli.ts', loaderWorker: 'src/data/loaderWorker.ts' },
    platform: 'node',
    target: 'node20',
    format: 'esm',
    splitting: true,
    external: ['sharp'], // native, beside the engine
    chunkNames: 'chunks/[name]-[hash]',
    // The union package would bring layers, data and converter along; the addon's JavaScript needs the core alone.
    // jsonc-parser's other entry asks for its own files by a `require` that no bundler sees through.
    // tar-stream's reader of headers is no entry of its package.
    alias: {
      '@tensorflow/tfjs': '@tensorflow/tfjs-core',
      'jsonc-parser': 'jsonc-parser/lib/esm/main.js',
      'tar-stream/headers.js': path.join(root, 'node_modules/tar-stream/headers.js'),
    },
    // Bundled CommonJS asks for Node's own modules by `require`, which a module doesn't have.
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; import { fileURLToPath as __fileURLToPath } from 'node:url'; const require = __createRequire(import.meta.url); const __filename = __fileURLToPath(import.meta.url); const __dirname = __fileURLToPath(new URL('.', import.meta.url));",
    },
  },
  {
    ...common,
    entryPoints: { extension: 'src/extension/extension.ts' },
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    outExtension: { '.js': '.cjs' },
    external: ['vscode'],
    minifySyntax: true,
    minifyWhitespace: true,
  },
  {
    ...common,
    entryPoints: { webview: 'webview/main.ts' },
    platform: 'browser',
    target: 'chrome122', // VS Code 1.96 is Electron 32; its oldest supported browser for the web is older than this
    format: 'iife',
    minify: true,
  },
  {
    ...common,
    entryPoints: { 'test/index': 'test/editor/host/index.ts' },
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    outExtension: { '.js': '.cjs' },
    external: ['vscode', 'mocha'],
  },
];

async function bundle(esbuild, options) {
  try {
    const { warnings } = await esbuild.build(options);
    for (const line of await esbuild.formatMessages(warnings, { kind: 'warning' })) console.error(line);
  } catch (error) {
    if (!Array.isArray(error.errors)) throw error;
    const lines = await esbuild.formatMessages(error.errors, { kind: 'error' });
    throw new SetupError(`${Object.values(options.entryPoints).join(', ')} does not build:\n${lines.join('')}`);
  }
}

/** The JSON Schema that the editor uses, from the one schema in core. */
async function writeSchema(esbuild) {
  const maker = path.join(dist, 'schema.mjs');
  await bundle(esbuild, {
    ...common,
    entryPoints: { schema: 'scripts/build/schema.ts' },
    platform: 'node',
    format: 'esm',
    outExtension: { '.js': '.mjs' },
    sourcemap: false,
  });
  fs.writeFileSync(path.join(dist, 'config.schema.json'), execFileSync(process.execPath, [maker]));
  fs.rmSync(maker);
}

function copyWasm() {
  const target = path.join(dist, 'wasm');
  fs.mkdirSync(target, { recursive: true });
  for (const name of fs.readdirSync(path.join(root, wasm)).filter((file) => file.endsWith('.wasm'))) {
    fs.copyFileSync(path.join(root, wasm, name), path.join(target, name));
  }
}

if (isMain(import.meta.url)) await build().catch(fail);
