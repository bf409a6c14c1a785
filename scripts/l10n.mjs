/**
 * `node scripts/l10n.mjs`: which texts of the sources a bundle in `l10n/` lacks, and which of its texts nobody says any more; the same
 * for the texts of package.json. Ends with 1 where something is missing or left over.
 */
import fs from 'node:fs';
import path from 'node:path';
import { isMain, root } from './setup/step.mjs';

/** Where texts go through `t`. */
const folders = ['src/core', 'src/extension', 'src/store', 'src/figure', 'webview'];

/** The English texts of every call `t('…')`, each with the file that says it first. */
export function saidTexts() {
  /** @type {Map<string, string>} */
  const texts = new Map();
  for (const file of folders.flatMap((folder) => sourcesIn(folder))) {
    for (const text of textsIn(fs.readFileSync(path.join(root, file), 'utf8'))) {
      if (!texts.has(text)) texts.set(text, file);
    }
  }
  return texts;
}

/**
 * The literals that stand first in calls of `t`.
 *
 * @param {string} source
 */
export function textsIn(source) {
  const code = source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
  const literal = /'((?:[^'\\\n]|\\.)*)'|"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\$]|\\.)*)`/y;
  const texts = [];
  for (const { index, 0: call } of code.matchAll(/(?<![\w.$])t\(\s*/g)) {
    literal.lastIndex = index + call.length;
    const [, single, double, template] = literal.exec(code) ?? [];
    const text = single ?? double ?? template;
    if (text !== undefined) texts.push(unescaped(text));
  }
  return texts;
}

/** Calls of `t` whose text is no literal, so that nobody can find its translation. */
export function openCalls() {
  return folders
    .flatMap((folder) => sourcesIn(folder))
    .filter((file) => file !== 'src/core/l10n.ts')
    .flatMap((file) => {
      const source = fs.readFileSync(path.join(root, file), 'utf8');
      const code = source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
      const calls = [...code.matchAll(/(?<![\w.$])t\(\s*(?!['"`\s])([^\n]{0,40})/g)];
      return calls.map(([call]) => `${file}: ${call}`);
    });
}

/** The languages that have a bundle. */
export function languages() {
  return fs
    .readdirSync(path.join(root, 'l10n'))
    .map((name) => /^bundle\.l10n\.(.+)\.json$/.exec(name)?.[1])
    .filter((language) => language !== undefined);
}

/** @param {string} file relative to the project */
export function readTexts(file) {
  /** @type {Record<string, string>} */
  const texts = JSON.parse(fs.readFileSync(path.join(root, file), 'utf8'));
  return texts;
}

const unescaped = (text) =>
  text.replace(/\\(u\{([0-9a-f]+)\}|u([0-9a-f]{4})|n|.)/gi, (_, sign, long, short) => {
    if (long ?? short) return String.fromCodePoint(Number.parseInt(long ?? short, 16));
    return sign === 'n' ? '\n' : sign;
  });

function sourcesIn(folder) {
  const full = path.join(root, folder);
  if (!fs.existsSync(full)) return [];
  return fs
    .readdirSync(full, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => path.join(folder, name))
    .sort();
}

function report() {
  const said = saidTexts();
  const english = Object.keys(readTexts('package.nls.json'));
  let wrong = openCalls().length;
  for (const call of openCalls()) console.log(`not a literal: ${call}`);
  for (const language of languages()) {
    const bundle = readTexts(`l10n/bundle.l10n.${language}.json`);
    const missing = [...said].filter(([text]) => !Object.hasOwn(bundle, text));
    const unused = Object.keys(bundle).filter((text) => !said.has(text));
    const nls = readTexts(`package.nls.${language}.json`);
    const keys = english.filter((key) => !Object.hasOwn(nls, key));
    for (const [text, file] of missing) console.log(`${language} lacks ${JSON.stringify(text)} (${file})`);
    for (const text of unused) console.log(`${language} has left over ${JSON.stringify(text)}`);
    for (const key of keys) console.log(`package.nls.${language}.json lacks ${key}`);
    wrong += missing.length + unused.length + keys.length;
  }
  console.log(`${said.size} texts, ${wrong} to do`);
  process.exitCode = wrong > 0 ? 1 : 0;
}

if (isMain(import.meta.url)) report();
