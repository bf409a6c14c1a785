/** New experiment offers every template of the runner under its group. */
import { expect, test } from 'vitest';
import { readTemplates, templateItems } from '../../src/extension/templateItems.ts';
import { templateList } from '../../src/runner/templates.ts';

const items = templateItems(readTemplates(JSON.stringify(templateList())));

test('the groups, from the first run to the rows of the paper', () => {
  const groups = ['Start here', 'Your data', 'DeiT-III', 'Fine-tuning', 'ResNet', 'Swin', 'BERT'];
  expect(items.filter(({ kind }) => kind === -1).map(({ label }) => label)).toEqual(groups);
});

test('the first item is the first run', () => {
  expect(items[1]).toMatchObject({ label: 'First run', template: 'fashion-vit' });
});

test('a row is found by its name and by its published gain', () => {
  const [item] = items.filter(({ template }) => template === 'deit3-vit-b-400');
  expect(item).toEqual({
    label: 'DeiT-III ViT-B, 400 epochs',
    description: 'deit3-vit-b-400',
    detail: 'ViT-B/16, 400 epochs at 192 pixels: 83.5 → 84.1 with MaskSub.',
    template: 'deit3-vit-b-400',
  });
});

test('every template is there once', () => {
  const names = items.flatMap(({ template }) => template ?? []);
  expect(names).toEqual(templateList().map(({ name }) => name));
  expect(new Set(names).size).toBe(names.length);
});

test('an answer that is no list is refused', () => {
  expect(() => readTemplates('[{"name":"a"}]')).toThrow('no list of templates');
});
