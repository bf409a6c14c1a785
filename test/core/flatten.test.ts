/** A config as a flat table: nothing of it is lost, and nothing in it does harm. */
import { describe, expect, test } from 'vitest';
import { configValue, flattenConfig } from '../../src/core/flatten.ts';

test('groups become dotted keys, lists and empty groups text', () => {
  const config = {
    name: 'x',
    train: { learningRate: 0.002, nesterov: false, betas: [0.9, 0.999], ema: null },
    model: {},
    method: { maskRatio: { from: 0, to: [1, { a: 'b' }] } },
  };
  expect({ ...flattenConfig(config) }).toEqual({
    name: 'x',
    'train.learningRate': 0.002,
    'train.nesterov': false,
    'train.betas': '[0.9, 0.999]',
    'train.ema': 'null',
    model: '{}',
    'method.maskRatio.from': 0,
    'method.maskRatio.to': '[1, {"a": "b"}]',
  });
});

test('what is no group is an empty table', () => {
  for (const config of [undefined, null, 3, 'x', [1], {}]) expect(Object.keys(flattenConfig(config))).toEqual([]);
});

describe('a hostile config', () => {
  test('has keys like any other', () => {
    const config = JSON.parse('{"__proto__":{"polluted":1},"constructor":2,"a.b":3,"a":{"b":4},"":5}');
    const flat = flattenConfig(config);
    expect(Object.entries(flat)).toEqual([
      ['__proto__.polluted', 1],
      ['constructor', 2],
      ['"a.b"', 3],
      ['a.b', 4],
      ['""', 5],
    ]);
    expect(Object.entries(flattenConfig(JSON.parse('{"__proto__":1}')))).toEqual([['__proto__', 1]]);
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });
  test('lacks what it lacks, also after it crossed as JSON', () => {
    const crossed = JSON.parse(JSON.stringify(flattenConfig(JSON.parse('{"__proto__":1,"x":2}'))));
    expect(['__proto__', 'x', 'constructor', 'toString'].map((key) => configValue(crossed, key))).toEqual([
      1,
      2,
      undefined,
      undefined,
    ]);
  });
  test('of any depth and length becomes a table of bounded size', () => {
    const depth = 100_000;
    const deepList: unknown = JSON.parse(`{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`);
    let deepGroup: unknown = 1;
    for (let i = 0; i < depth; i++) deepGroup = { a: deepGroup };
    const many = Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`k${i}`, i]));
    const long = { text: 'x'.repeat(1e6), list: Array.from({ length: 1e6 }, () => 1), ['k'.repeat(1e6)]: 1 };
    for (const config of [deepList, deepGroup, many, long]) {
      const flat = flattenConfig(config);
      expect(Object.keys(flat).length).toBeGreaterThan(0);
      expect(JSON.stringify(flat).length).toBeLessThan(50_000);
    }
    expect(flattenConfig(long).text).toMatch(/x… \(1000000 signs\)$/);
    expect(flattenConfig(long).list).toMatch(/^\[1, 1, .*, … \(1000000 items\)\]$/);
  });
});
