/** The method's options: what leaves the paper is said, and what does not apply is refused with what does. */
import { describe, expect, test } from 'vitest';
import { type ConfigResult, resolveConfig } from '../../src/core/config.ts';
import { leavesPaper, methodKeys, withoutRunKeys } from '../../src/core/methodConfig.ts';
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

describe('the weight of the sub-branch', () => {
  test.each([
    0,
    0.25,
    { from: 0, to: 0.5, schedule: 'cosine' },
    {
      steps: [
        [0, 0],
        [20, 0.5],
      ],
    },
  ])('may be %j, and that leaves the paper', (subWeight) => {
    const config = configOf({ name: 'masksub', subWeight });
    expect(config.method.subWeight).toEqual(subWeight);
    expect(leavesPaper(config)).toEqual([`method.subWeight is ${JSON.stringify(subWeight)}; the paper has 0.5.`]);
  });
  test.each([
    [1, /"subWeight" must be below 1, found 1/],
    [-0.1, /"subWeight" must be at least 0, found -0.1/],
    [{ from: 0, to: 1, schedule: 'linear' }, /"to" must be below 1, found 1/],
    [{ from: 0, to: 0.5, schedule: 'sine' }, /"schedule" must be one of "linear", "cosine", found "sine"/],
    ['half', /"subWeight" must be a number, found "half"/],
    [{ steps: [] }, /"steps" must have a length of at least 1/],
    [
      {
        steps: [
          [9, 0.5],
          [3, 0.2],
        ],
      },
      /epochs of "steps" must ascend; 3 comes after 9/,
    ],
  ])('may not be %j', (subWeight, message) => {
    const result = resolve({ name: 'masksub', subWeight });
    const problems = 'problems' in result ? result.problems : [];
    expect(problems).toHaveLength(1);
    expect(problems[0]?.path.slice(0, 2)).toEqual(['method', 'subWeight']);
    expect(problems[0]?.message).toMatch(message);
  });
});

test('a misspelt key of a schedule is named', () => {
  const result = resolve({ name: 'masksub', maskRatio: { from: 0, till: 0.5, schedule: 'linear' } });
  const said = 'problems' in result ? result.problems.map(({ message }) => message) : [];
  expect(said[0]).toMatch(/"to" is missing; it must be a number/);
  expect(said[1]).toMatch(/Unknown key "till"/);
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
      const written = withoutRunKeys({ versions: {}, dataHash: 'x', pair: 'y', method: { ...method, name } });
      expect(Object.keys(written as object)).toEqual(['method']);
      expect(resolve((written as { method: object }).method)).toHaveProperty('config');
    }
  });
});
