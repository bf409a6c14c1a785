/** What the compilers do not hold: which layer imports what, tables that agree, how files begin, what must not stand in them. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import * as catalog from '../src/core/catalog.ts';
import { datasetReaders } from '../src/data/index.ts';
import { methods } from '../src/engine/methods/index.ts';
import { models } from '../src/engine/models/index.ts';
import { optimizers } from '../src/engine/optim/index.ts';
import { recipes } from '../src/engine/recipes/index.ts';

const root = path.resolve(import.meta.dirname, '..');
/** What git knows or would add. */
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
  .trim()
  .split('\n')
  .filter((file) => fs.statSync(path.join(root, file), { throwIfNoEntry: false })?.isFile());
const read = (file: string) => fs.readFileSync(path.join(root, file), 'utf8');
const sources = files.filter((file) => /^(src|webview)\/.*\.ts$/.test(file) && !file.endsWith('.d.ts'));

describe('a layer imports only what it may', () => {
  // The table of CONTRIBUTING.md: layers, and packages.
  const allowed: Record<string, { layers: readonly string[]; packages: RegExp }> = {
    'src/core': { layers: [], packages: /^zod$/ },
    'src/augment': { layers: ['src/core'], packages: /^$/ },
    'src/figure': { layers: ['src/core'], packages: /^(d3-scale|d3-shape)$/ },
    'src/engine': {
      layers: ['src/core', 'src/augment'],
      packages: /^(@tensorflow\/tfjs-core|protobufjs\/minimal\.js)$/,
    },
    'src/data': {
      layers: ['src/core', 'src/augment'],
      packages:
        /^(node:.*|sharp|csv-parse\/sync|hyparquet|hyparquet-compressors|tar-stream(\/headers\.js)?|yauzl|@huggingface\/tokenizers)$/,
    },
    'src/store': { layers: ['src/core'], packages: /^(node:.*|jsonc-parser)$/ },
    'src/runner': {
      layers: ['src/core', 'src/augment', 'src/figure', 'src/engine', 'src/data', 'src/store'],
      packages: /^(node:.*|zod|commander|picomatch|protobufjs\/minimal\.js|webgpu|@tensorflow\/.*)$/,
    },
    'src/extension': { layers: ['src/core', 'src/store'], packages: /^(node:.*|vscode|zod|jsonc-parser)$/ },
    webview: { layers: ['src/core'], packages: /^(uplot|@vscode-elements\/elements)(\/|$)/ },
  };
  const layerOf = (file: string) => Object.keys(allowed).find((layer) => file.startsWith(`${layer}/`));

  for (const [layer, { layers, packages }] of Object.entries(allowed)) {
    test(layer, () => {
      const own = sources.filter((file) => layerOf(file) === layer);
      expect(own.length).toBeGreaterThan(2);
      const wrong = own.flatMap((file) =>
        importsOf(read(file))
          .filter((specifier) => {
            if (!specifier.startsWith('.')) return !packages.test(specifier);
            const target = layerOf(path.join(path.dirname(file), specifier));
            return target !== layer && !layers.includes(target ?? '');
          })
          .map((specifier) => `${file} imports ${specifier}`),
      );
      expect(wrong).toEqual([]);
    });
  }

  test('every source is in a layer', () => {
    expect(sources.filter((file) => layerOf(file) === undefined)).toEqual([]);
  });

  test('activating the extension loads neither zod nor tfjs', () => {
    const loaded = new Set<string>();
    const packages = new Set<string>();
    const load = (file: string) => {
      if (loaded.has(file)) return;
      loaded.add(file);
      for (const specifier of importsOf(withoutTypes(read(file)), 'static')) {
        if (specifier.startsWith('.')) load(path.join(path.dirname(file), specifier));
        else packages.add(specifier);
      }
    };
    load('src/extension/extension.ts');
    expect(loaded.size).toBeGreaterThan(3);
    expect([...packages].filter((name) => !/^(node:|vscode$)/.test(name))).toEqual([]);
  });
});

describe('table and catalog name the same', () => {
  const tables: Record<string, [implemented: object, named: object]> = {
    models: [models, catalog.models],
    methods: [methods, catalog.methods],
    recipes: [recipes, catalog.recipes],
    optimizers: [optimizers, catalog.optimizers],
    datasets: [datasetReaders, catalog.datasets],
  };
  for (const [name, [implemented, named]] of Object.entries(tables)) {
    test(name, () => expect(Object.keys(implemented)).toEqual(Object.keys(named)));
  }
  test('and each entry has a title and a sentence', () => {
    const { models, methods, recipes, datasets, optimizers, backends, executors, precisions } = catalog;
    for (const table of [models, methods, recipes, datasets, optimizers, backends, executors, precisions]) {
      for (const [name, { title, about }] of Object.entries<catalog.Entry>(table)) {
        expect(title, name).not.toBe('');
        expect(about, name).toMatch(/^\S.*\.$/);
      }
    }
  });
});

describe('a file', () => {
  const code = files.filter((file) => /^(src|webview|test|scripts)\/.*\.(ts|mjs)$/.test(file));
  test('opens with a sentence that says what it is', () => {
    expect(code.length).toBeGreaterThan(80);
    expect(code.filter((file) => !/^(#!.*\n)?\/\*\*\s[\s\S]*?\.\s*\*\//.test(read(file)))).toEqual([]);
  });
  const native = files.filter((file) => /^native\/.*\.(cc|h)$/.test(file));
  test('of the native engine does, too', () => {
    expect(native.length).toBeGreaterThan(10);
    expect(native.filter((file) => !/^\/\/ \S[^.]*\.\s/.test(read(file).replace(/\n\/\/ /g, ' ')))).toEqual([]);
  });
  test('of the sources is no longer than 350 lines', () => {
    const long = [...sources, ...native].filter((file) => read(file).split('\n').length > 351);
    expect(long).toEqual([]);
  });
  test('has no default export, but where a tool wants one', () => {
    const tools = /^(vitest\.config\.ts|scripts\/reporter\.mjs)$/;
    const found = [...code, 'vitest.config.ts'].filter((file) => /^export default/m.test(read(file)));
    expect(found.filter((file) => !tools.test(file))).toEqual([]);
  });
  test('imports relative files with their extension', () => {
    const wrong = code.flatMap((file) =>
      importsOf(read(file))
        .filter((specifier) => specifier.startsWith('.') && !/\.(ts|mjs|cjs|css|json)$/.test(specifier))
        .map((specifier) => `${file} imports ${specifier}`),
    );
    expect(wrong).toEqual([]);
  });
});

test("the changelog's newest version is that of package.json", () => {
  const { version } = JSON.parse(read('package.json'));
  expect(/^## \[?(\d+\.\d+\.\d+)/m.exec(read('CHANGELOG.md'))?.[1]).toBe(version);
});

test('the tests that ARCHITECTURE.md names are there', () => {
  const named = [...read('ARCHITECTURE.md').matchAll(/`(test\/[\w./]+)`/g)].map(([, name]) => name ?? '');
  expect(named.length).toBeGreaterThan(5);
  expect(named.filter((name) => !fs.existsSync(path.join(root, name)))).toEqual([]);
});

test('no file names a place on the machine where it was written, or a package registry', () => {
  // Put together here, so that this file does not hold what it looks for.
  const forbidden = new RegExp(
    [
      `["'\`\\s(=]/${'work'}/`,
      `/${'root'}/`,
      `/${'home'}/\\w+/`,
      `registry\\.${'npmjs'}`,
      `${'artifact'}ory`,
      `${'pypi'}\\.org`,
    ].join('|'),
  );
  const text = files.filter((file) => !/\.(png|gz|safetensors|node|wasm|vsix|ico|woff2?)$/.test(file));
  const found = text.flatMap((file) =>
    read(file)
      .split('\n')
      .flatMap((line, i) => (forbidden.test(line) ? [`${file}:${i + 1}: ${line.trim().slice(0, 120)}`] : [])),
  );
  expect(found).toEqual([]);
});

/** The modules that a text imports: statically, by `import()`, or both. */
function importsOf(text: string, kind: 'static' | 'all' = 'all'): string[] {
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
  const fixed = [...code.matchAll(/^(?:import|export)\b(?:[^;'"]*?\bfrom)?\s*['"]([^'"]+)['"]/gm)];
  const lazy = kind === 'all' ? [...code.matchAll(/\bimport\(\s*['"]([^'"]+)['"]/g)] : [];
  return [...fixed, ...lazy].map(([, specifier]) => specifier ?? '');
}

/** Without the imports that the compiler drops. */
function withoutTypes(text: string): string {
  return text
    .replace(/^(import|export) type\b[^;]*;/gm, '')
    .replace(/^import \{(\s*type [^,}]+,?)+\s*\} from [^;]*;/gm, '');
}
