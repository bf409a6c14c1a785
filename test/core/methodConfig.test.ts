/** The method's options: what leaves the paper is said, and what does not apply is refused with what does. */
import { describe, expect, test } from 'vitest';
import { type ConfigResult, resolveConfig } from '../../src/core/config.ts';
import { leavesPaper, methodKeys, ownMethodKeys } from '../../src/core/methodConfig.ts';
import { recipes } from '../../src/engine/recipes/index.ts';

const resolve = (method: object): ConfigResult =>
  resolveConfig({ data: { dataset: 'fashion-mnist-mini' }, model: { name: 'vit' }, recipe: 'demo', method }, recipes);
const configOf = (method: object) => {
  const result = resolve(method);
  if ('problems' in result) throw new Error(result.problems.map(({ message }) => message).join('\n'));
  return result.config;
};

describe('what leaves the paper', () => {
  test.each([
    ['nothing in the defaults', { name: 'masksub' }, []],
    ['another ratio', { name: 'masksub', maskRatio: 0.75 }, ['method.maskRatio is 0.75; the paper has 0.5.']],
    [
      'a schedule and a hard target',
      { name: 'masksub', maskRatio: { from: 0.2, to: 0.6, schedule: 'linear' }, target: 'hard' },
      [
        'method.maskRatio is {"from":0.2,"to":0.6,"schedule":"linear"}; the paper has 0.5.',
        'method.target is "hard"; the paper has "soft".',
      ],
    ],
    [
      'no stop-gradient',
      { name: 'pathsub', stopGradient: false },
      ['method.stopGradient is false; the paper has true.'],
    ],
  ])('%s', (_, method, said) => expect(leavesPaper(configOf(method))).toEqual(said));
});

describe('an option that does not apply', () => {
  test.each([
    [{ name: 'baseline', maskRatio: 0.75 }, '"maskRatio" does not apply to the method "baseline". It has no options.'],
    [{ name: 'cosub', temperature: 2 }, '"temperature" does not apply to the method "cosub". It has no options.'],
    [
      { name: 'dropsub', maskRatio: 0.25 },
      '"maskRatio" does not apply to the method "dropsub". It has: dropRate, subWeight, target, temperature, stopGradient.',
    ],
  ])('%j is refused with those that do', (method, message) => {
    const result = resolve(method);
    expect('problems' in result && result.problems.map((problem) => problem.message)).toEqual([message]);
  });
  test('a run’s own config, with every key, is read again whatever its method', () => {
    for (const name of Object.keys(methodKeys)) {
      const { method } = configOf({ name: 'masksub', maskRatio: 0.25, target: 'hard' });
      const written = ownMethodKeys({ ...method, name });
      expect(resolve(written)).toHaveProperty('config');
    }
  });
});
