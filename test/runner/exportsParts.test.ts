/** Parts of the exports against what is known of them: checksums, cells, averages, keys. */
import { expect, test } from 'vitest';
import { crc32c } from '../../src/runner/exports/crc32c.ts';
import { textCell } from '../../src/runner/exports/csv.ts';
import { experimentIdOf, keyOf, runIdOf } from '../../src/runner/exports/mlflow.ts';
import { smooth } from '../../src/runner/exports/smoothing.ts';

test('CRC-32C gives the values of RFC 3720, appendix B.4', () => {
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
  expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e);
});

test('a cell is quoted where it must be, and never a formula', () => {
  expect(textCell('plain')).toBe('plain');
  expect(textCell('a,"b"\n')).toBe('"a,""b""\n"');
  for (const sign of ['=', '+', '-', '@', '\t']) expect(textCell(`${sign}1`)).toBe(`'${sign}1`);
});

test('an average weighs by distance, from the first value on, and steps over what is not finite', () => {
  const [x, y] = [
    [0, 1, 3, 3.5],
    [4, 2, Number.NaN, 8],
  ];
  const weights = [Math.exp(-3.5 / 2), Math.exp(-2.5 / 2), 1];
  const last = (weights[0] as number) * 4 + (weights[1] as number) * 2 + 8;
  const smoothed = smooth(x, y, 2);
  expect(smoothed[0]).toBe(4);
  expect(smoothed[2]).toBeNaN();
  expect(smoothed[3]).toBeCloseTo(last / weights.reduce((sum, weight) => sum + weight), 12);
  for (const value of smooth([0, 1, 2], [5, 5, 5], 0.3)) expect(value).toBeCloseTo(5, 12);
});

test('keys for MLflow stay inside their folder', () => {
  expect(keyOf('loss/main')).toBe('loss/main');
  expect(keyOf('../../a')).toBe('__/__/a');
  expect(keyOf('a//b')).toBe('a/_/b');
  expect(keyOf('a$b|c')).toBe('a_b_c');
  expect(keyOf('k'.repeat(900)).length).toBe(200);
  expect(runIdOf({ id: 'x' })).toMatch(/^[0-9a-f]{32}$/);
  expect(experimentIdOf('x')).toMatch(/^[1-9]\d{17}$/);
});
