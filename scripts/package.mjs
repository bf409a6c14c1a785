/** `npm run package`: the extension as `masksub-<version>.vsix`, checked for what it must hold and for its size. */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { hashOfTree } from './build/tree.mjs';
import { build } from './build.mjs';
import { execute, fail, isMain, root, SetupError, step } from './setup/step.mjs';

const inputs = [
  'dist',
  'media',
  'l10n',
  'package.json',
  'package.nls.json',
  'package.nls.de.json',
  'README.md',
  'CHANGELOG.md',
  'LICENSE',
  '.vscodeignore',
];
const mark = path.join(root, 'dist', '.packaged');
const mostBytes = 15e6;
const needed = [
  /^package\.json$/,
  /^readme\.md$/i,
  /^license/i,
  /^dist\/cli\.js$/,
  /^dist\/loaderWorker\.js$/,
  /^dist\/chunks\/.+\.js$/,
  /^dist\/extension\.cjs$/,
  /^dist\/webview\.js$/,
  /^dist\/config\.schema\.json$/,
  /^dist\/wasm\/.+\.wasm$/,
  /^media\/.+\.gz$/,
];
const unwanted = [/\.map$/, /\.ts$/, /^dist\/test\//, /^node_modules\//, /^test\//, /^\./];

/** Where the packaged extension lies. */
export function packageFile() {
  const { name, version } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));
  return path.join(root, `${name}-${version}.vsix`);
}

/** Packages what the build made, unless it was packaged already; returns the file. */
export async function packageExtension() {
  const file = packageFile();
  const hash = hashOfTree(root, inputs.filter((input) => input !== 'dist').concat(distFiles()));
  await step(
    'package',
    () => (fs.existsSync(file) && isMarked(file, hash) ? path.basename(file) : undefined),
    async () => {
      fs.rmSync(file, { force: true });
      const vsce = path.join(root, 'node_modules', '@vscode', 'vsce', 'vsce');
      // The README's pictures ship in media/, so its links stay relative.
      const links = ['--allow-missing-repository', '--no-rewrite-relative-links'];
      const options = ['--no-dependencies', '--no-update-package-json', ...links, '--out', file];
      await execute(process.execPath, [vsce, 'package', ...options]);
      const names = await check(file);
      fs.writeFileSync(mark, `${hash} ${hashOfFile(file)}`);
      return `${path.basename(file)}, ${names.length} files, ${(fs.statSync(file).size / 1e6).toFixed(1)} MB`;
    },
  );
  return file;
}

function distFiles() {
  const names = fs.readdirSync(path.join(root, 'dist')).filter((name) => !name.startsWith('.') && name !== 'test');
  return names.sort().map((name) => path.join('dist', name));
}

function isMarked(file, hash) {
  return fs.existsSync(mark) && fs.readFileSync(mark, 'utf8') === `${hash} ${hashOfFile(file)}`;
}

/** The names inside; throws where something is missing, too much or too big. */
async function check(file) {
  const names = await namesInside(file);
  const missing = needed.filter((pattern) => !names.some((name) => pattern.test(name)));
  const extra = names.filter((name) => unwanted.some((pattern) => pattern.test(name)));
  const bytes = fs.statSync(file).size;
  const problems = [
    missing.length > 0 ? `lacks ${missing.join(', ')}` : '',
    extra.length > 0 ? `holds what it should not: ${extra.slice(0, 5).join(', ')}` : '',
    bytes > mostBytes ? `is ${(bytes / 1e6).toFixed(1)} MB, more than ${mostBytes / 1e6}` : '',
  ].filter(Boolean);
  if (problems.length > 0) throw new SetupError(`${path.basename(file)} ${problems.join('; ')}.`);
  return names;
}

/** Names of the extension's own files in a .vsix, a zip file that keeps them under `extension/`. */
async function namesInside(file) {
  const yauzl = await import('yauzl');
  return new Promise((resolve, reject) => {
    yauzl.default.open(file, { lazyEntries: false }, (error, zip) => {
      if (error) return reject(error);
      const names = [];
      zip.on('entry', ({ fileName }) => {
        if (fileName.startsWith('extension/')) names.push(fileName.slice('extension/'.length));
      });
      zip.on('end', () => resolve(names)).on('error', reject);
    });
  });
}

function hashOfFile(file) {
  return createHash('sha256').update(fs.readFileSync(file)).digest('hex');
}

if (isMain(import.meta.url)) {
  await build().then(packageExtension).catch(fail);
}
