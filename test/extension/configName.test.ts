/** A config's runs are found by its name, also by the one that it gets where none is written. */
import { expect, test } from 'vitest';
import { resolveConfig } from '../../src/core/config.ts';
import { nameOfConfig } from '../../src/extension/configName.ts';

test('the written name, past comments', () => {
  expect(nameOfConfig('{ // "name": "no"\n "data": { "name": "no, }" }, "name": "/* yes */", }')).toBe('/* yes */');
});

test('else as the resolver names it', () => {
  const config = { data: { dataset: 'fashion-mnist-mini' }, model: { name: 'vit', imageSize: 28, patchSize: 7 } };
  const result = resolveConfig(config, {});
  expect('config' in result && result.config.name).toBe(nameOfConfig(JSON.stringify(config)));
});

test('none of a text that is being typed', () => {
  expect(nameOfConfig('{ "data": {')).toBeUndefined();
});
