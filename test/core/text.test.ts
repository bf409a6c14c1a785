/** Numbers, names and errors as a person reads them. */
import { describe, expect, test } from 'vitest';
import { describeError, nearestName, UserError } from '../../src/core/errors.ts';
import { bytes, duration, significant } from '../../src/core/format.ts';

describe('durations', () => {
  test.each([
    [0, '0 s'],
    [59.4, '59 s'],
    [59.6, '1 min 0 s'],
    [75, '1 min 15 s'],
    [3599.9, '1 h 0 min'],
    [3700, '1 h 1 min'],
    [Number.NaN, '–'],
    [Number.POSITIVE_INFINITY, '–'],
  ])('%d → %s', (seconds, expected) => expect(duration(seconds)).toBe(expected));
});

describe('significant digits', () => {
  test.each([
    [0, '0'],
    [1.2345, '1.23'],
    [12.345, '12.3'],
    [1234.5, '1235'],
    [-0.00012345, '-0.000123'],
    [1.5e-7, '1.50·10⁻⁷'],
    [2.5e9, '2.50·10⁹'],
    [Number.NaN, 'NaN'],
    [Number.POSITIVE_INFINITY, 'Infinity'],
  ])('%d → %s', (value, expected) => expect(significant(value)).toBe(expected));
});

describe('sizes', () => {
  test.each([
    [0, '0 B'],
    [999, '999 B'],
    [1536, '1.5 kB'],
    [123_456_789, '123 MB'],
    [3e15, '3000 TB'],
  ])('%d → %s', (value, expected) => expect(bytes(value)).toBe(expected));
});

describe('the nearest name', () => {
  const known = ['learningRate', 'batchSize', 'epochs', 'warmupEpochs', 'ema'];
  test.each([
    ['learningrate', 'learningRate'],
    ['lerningRate', 'learningRate'],
    ['epcohs', 'epochs'],
    ['epoch', 'epochs'],
    ['warmupEpoch', 'warmupEpochs'],
    ['batch_size', 'batchSize'],
    ['patience', undefined],
    ['x', undefined],
  ])('to %s is %s', (name, expected) => expect(nearestName(name, known)).toBe(expected));
  test('a swap of neighbours counts once', () => expect(nearestName('ab', ['xyz', 'ba'])).toBe('ba'));
  test('there is none among none', () => expect(nearestName('epochs', [])).toBeUndefined());
});

describe('an error', () => {
  test('for a person is its message and its hint, without a stack', () => {
    expect(describeError(new UserError('No such file.', { hint: 'Check the path.' }))).toBe(
      'No such file. Check the path.',
    );
    expect(describeError(new UserError('No such file.'))).toBe('No such file.');
  });
  test('of any other kind keeps its stack', () => {
    expect(describeError(new TypeError('boom'))).toMatch(/TypeError: boom\n\s+at /);
    expect(describeError('boom')).toBe('boom');
  });
});
