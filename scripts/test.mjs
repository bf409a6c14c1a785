/**
 * `npm test`: set-up, then every suite in turn; the last line is `N passed, N failed`.
 * `npm test -- lint types` runs only the suites named.
 */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { build } from './build.mjs';
import { testDesktop } from './editor/testDesktop.mjs';
import { packageExtension } from './package.mjs';
import { findBrowser, setUpBrowser } from './setup/browser.mjs';
import { setUpEditor } from './setup/editor.mjs';
import { setUpEngine } from './setup/engine.mjs';
import { setUpImages } from './setup/images.mjs';
import { setUpPackages } from './setup/packages.mjs';
import { setUpReference } from './setup/reference.mjs';
import { fail, root, SetupError } from './setup/step.mjs';

/**
 * What came of a suite.
 * @typedef {{passed: number, failed: number, skipped: {name: string, reason: string}[]}} Counts
 */

/** The suites by name; a check that holds or doesn't counts as one test. */
const suites = {
  lint: () => check('biome', ['check', '--error-on-warnings']),
  types: () => check('tsc', ['-b']),
  'dead-code': () => check('knip', []),
  unit: () => vitest('unit'),
  package: packaging,
  editor: () => vitest('editor'),
  desktop: testDesktop,
};
/** Desktop VS Code comes from outside the package registries, so it is asked for by name or by `--full`. */
const usual = Object.keys(suites).filter((name) => name !== 'desktop');

await main().catch((error) => {
  fail(error);
  console.log('0 passed, 1 failed');
});

async function main() {
  const args = process.argv.slice(2);
  const full = args.includes('--full');
  if (full) process.env.MASKSUB_TEST_FULL = '1';
  const named = args.filter((arg) => arg !== '--full');
  const unknown = named.filter((name) => !Object.hasOwn(suites, name));
  if (unknown.length > 0) {
    throw new SetupError(`Unknown suite ${unknown.join(', ')}. Known: ${Object.keys(suites).join(', ')}.`);
  }
  const chosen = named.length > 0 ? named : full ? Object.keys(suites) : usual;
  await setUp(chosen);
  const rows = [];
  /** @type {Counts} */
  const total = { passed: 0, failed: 0, skipped: [] };
  for (const name of chosen) {
    console.log(`\n── ${name}`);
    const began = performance.now();
    /** @type {Counts} */
    const counts = await suites[name]();
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    rows.push(`${name.padEnd(10)} ${counts.passed} passed, ${counts.failed} failed, ${seconds} s`);
    total.passed += counts.passed;
    total.failed += counts.failed;
    total.skipped.push(...counts.skipped);
  }
  console.log(`\n${rows.join('\n')}\n`);
  for (const { name, reason } of total.skipped) {
    console.log(`skipped: ${name.includes(reason) ? name : `${name}: ${reason}`}`);
  }
  process.exitCode = total.failed > 0 ? 1 : 0;
  console.log(`${total.passed} passed, ${total.failed} failed`);
}

/** Only what the chosen suites need: static checks need nothing but the packages. */
async function setUp(chosen) {
  const needs = (...names) => chosen.some((name) => names.includes(name));
  await setUpPackages();
  if (needs('unit', 'editor', 'desktop')) {
    await setUpEngine();
    await setUpImages();
  }
  if (needs('unit')) await setUpReference();
  if (needs('editor')) {
    await setUpEditor();
    await setUpBrowser();
  }
  if (needs('unit', 'package', 'editor', 'desktop')) await build();
  if (needs('editor', 'desktop')) await packageExtension();
}

/** A program of the project's packages that says by its exit code whether all is well. */
async function check(program, args) {
  const failed = (await show(program, args)) === 0 ? 0 : 1;
  return { passed: 1 - failed, failed, skipped: [] };
}

async function vitest(project) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'masksub-test-'));
  const file = path.join(folder, 'counts.json');
  try {
    const args = [
      'run',
      '--project',
      project,
      '--reporter=default',
      `--reporter=${path.join(root, 'scripts/reporter.mjs')}`,
    ];
    const code = await show('vitest', args, {
      TEST_COUNTS: file,
      TF_CPP_MIN_LOG_LEVEL: '2', // no greetings of libtensorflow
      MASKSUB_ENGINE: process.env.MASKSUB_ENGINE ?? path.join(root, '.engine'),
      CHROME_PATH: findBrowser(),
    });
    const counts = fs.existsSync(file)
      ? JSON.parse(fs.readFileSync(file, 'utf8'))
      : { passed: 0, failed: 0, skipped: [] };
    // No failed test, and yet vitest is not content: it could not even begin.
    return code !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

async function packaging() {
  try {
    await packageExtension();
    return { passed: 1, failed: 0, skipped: [] };
  } catch (error) {
    fail(error);
    return { passed: 0, failed: 1, skipped: [] };
  }
}

/** Runs a program of the project's packages, its output shown as it comes; returns its exit code. */
function show(program, args, env = {}) {
  return new Promise((resolve, reject) => {
    const file = path.join(root, 'node_modules', '.bin', program);
    const child = spawn(file, args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } });
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 1));
  });
}
