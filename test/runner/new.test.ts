/** `masksub new`: the paper's rows as configs that are those rows, fitted ones that say what they changed, and the list. */
import fs from 'node:fs';
import path from 'node:path';
import * as jsonc from 'jsonc-parser';
import { describe, expect, test } from 'vitest';
import { resolveConfig } from '../../src/core/config.ts';
import { scaleConfig } from '../../src/core/scaling.ts';
import { type RecipeName, recipeRows, recipes } from '../../src/engine/recipes/index.ts';
import type { Row } from '../../src/engine/recipes/row.ts';
import { templateList, templates, templateText } from '../../src/runner/templates.ts';
import { temporaryFolder } from '../store/temporaryFolder.ts';
import { cli, expectRefusal } from '../support/cli.ts';

const rows: Readonly<Record<RecipeName, Row>> = recipeRows;
const rowNames = (Object.keys(rows) as RecipeName[]).filter((name) => name !== 'demo');

function configOf(input: unknown) {
  const result = resolveConfig(input, recipes);
  if ('problems' in result) throw new Error(result.problems.map(({ message }) => message).join('\n'));
  return result.config;
}

/** The text as the editor reads it; comments are fine, anything else that is no JSON is not. */
function parsed(text: string) {
  const errors: jsonc.ParseError[] = [];
  const value = jsonc.parse(text, errors);
  expect(errors).toEqual([]);
  return value;
}

describe('the template of a row', () => {
  test.each(rowNames)('%s is its recipe, written out', (name) => {
    const { recipe, ...written } = parsed(templateText(name));
    expect(recipe).toBeUndefined();
    expect(written).toMatchObject({ name, method: { name: 'masksub', maskRatio: 0.5 }, compare: { baseline: true } });
    const { data, model } = written;
    const { recipe: _recipe, ...named } = configOf({
      name,
      data: { dataset: data.dataset, path: data.path, tokenizer: data.tokenizer },
      model: { name: model.name, weights: model.weights },
      recipe: name,
    });
    expect(configOf(written)).toEqual(named);
  });

  test.each(rowNames)('%s has no line that a default has', (name) => {
    const written = parsed(templateText(name));
    for (const group of ['train', 'augment'] as const) {
      for (const key of Object.keys(written[group] ?? {})) {
        const without = { ...written, [group]: { ...written[group], [key]: undefined } };
        expect(resolveConfig(without, recipes), `${group}.${key}`).not.toEqual({ config: configOf(written) });
      }
    }
  });

  test('begins with what is published of it', () => {
    for (const name of rowNames) {
      const { published } = rows[name];
      const [, , second] = templateText(name).split('\n');
      if ('none' in published) expect(second, name).toMatch(/^ {2}\/\/ Published result: /);
      else {
        const [without, with_] = [published.baseline, published.masksub].map(({ value }) => value.toFixed(1));
        expect(second, name).toContain(`Published (ImageNet-1k, top-1): ${without} %, with MaskSub ${with_} %`);
      }
    }
  });

  test('says at the line what is our own choice', () => {
    expect(templateText('deit3-vit-h-400')).toMatch(/"imageSize": 154, \/\/ own choice: the command says 160/);
  });
});

describe('a fitted row', () => {
  const fit = { samples: 5_000, side: 32 };
  test.each(rowNames)('%s is a config, with a word at every line that changed', (name) => {
    const text = templateText(name, fit);
    const written = parsed(text);
    const { data, model } = written;
    const changes = scaleConfig(
      configOf({
        data: { dataset: data.dataset, path: data.path, tokenizer: data.tokenizer },
        model: { name: model.name, weights: model.weights },
        recipe: name,
      }),
      fit,
    );
    if (data.dataset !== 'text') expect(changes.length).toBeGreaterThan(2); // 5,000 texts are what that row is for
    for (const { group, key, to } of changes) expect(configOf(written)).toHaveProperty(`${group}.${key}`, to);
    const lines = text.split('\n').filter((line) => /^ {4}".*\/\/ recipe: \S.*; \S/.test(line));
    expect(lines.length).toBe(changes.length);
  });
});

test('every template is a config', () => {
  for (const { name } of templateList()) expect(configOf(parsed(templateText(name))).name, name).toBeTruthy();
  expect(Object.keys(templates)).toEqual(['fashion-vit', 'my-images', 'my-texts', 'my-idx-images']);
});

describe('masksub new', () => {
  test('writes a row, and a fitted one beside it', async () => {
    const cwd = temporaryFolder();
    expect((await cli(['new', '--template', 'deit3-vit-b-400'], { cwd })).code).toBe(0);
    const args = ['--template', 'deit3-vit-b-400', '--fit', '5000', '--image-size', '32'];
    expect((await cli(['new', ...args], { cwd })).stdout).toContain('Wrote deit3-vit-b-400-fit.masksub.json');
    const read = (file: string) => fs.readFileSync(path.join(cwd, file), 'utf8');
    expect(read('deit3-vit-b-400.masksub.json')).toBe(templateText('deit3-vit-b-400'));
    expect(read('deit3-vit-b-400-fit.masksub.json')).toBe(templateText('deit3-vit-b-400', { samples: 5000, side: 32 }));
  });

  test('--list names every template with its published gain', async () => {
    const { stdout } = await cli(['new', '--list']);
    for (const { name, group } of templateList()) {
      expect(stdout).toMatch(new RegExp(`^ {2}${name} `, 'm'));
      expect(stdout).toMatch(new RegExp(`^${group}$`, 'm'));
    }
    expect(stdout).toContain('83.5 → 84.1');
    const json = await cli(['new', '--list', '--json']);
    expect(JSON.parse(json.stdout)).toEqual(templateList());
  });

  test('refuses what it cannot fit', async () => {
    expectRefusal(await cli(['new', '--fit', '5000']), '"fashion-vit" is for a laptop already');
    expectRefusal(await cli(['new', '--template', 'swin-t', '--image-size', '32']), 'needs --fit');
    expectRefusal(await cli(['new', '--template', 'swin-t', '--fit', '9', '--image-size', '4']), 'at least 8', '4');
    expectRefusal(await cli(['new', '--template', 'swin-x']), 'Unknown template "swin-x"', 'Did you mean "swin-');
  });
});
