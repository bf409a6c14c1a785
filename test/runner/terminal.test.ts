/** The terminal says on what each run computes, and why, as it starts and under the table at the end. */
import { expect, test } from 'vitest';
import { emptyRun, reduceRunAll } from '../../src/core/run.ts';
import { comparisonTable, progressLines } from '../../src/runner/terminal.ts';
import { startEvent } from '../core/examples.ts';

const started = (changes: Parameters<typeof startEvent>[0]) =>
  reduceRunAll(emptyRun('run'), [startEvent({ backend: 'tensorflow', executor: 'recorded', ...changes })]);

test('a start names backend, executor and precision, with the reasons', () => {
  const reasons = { backendReason: 'It is installed.', executorReason: 'It is the fastest.' };
  const start = startEvent({ backend: 'tensorflow', executor: 'recorded', precision: 'bfloat16', ...reasons });
  const [line] = progressLines(start, new Map());
  expect(line).toMatch(/ on TensorFlow, recorded, bfloat16\. It is installed\. It is the fastest\.$/);
});

test('the table ends with what all runs computed on', () => {
  const table = comparisonTable([started({ method: 'baseline' }), started({})], undefined);
  expect(table.split('\n').at(-1)).toBe('Computed on TensorFlow, recorded, float32.');
});

test('and warns where that differs', () => {
  const table = comparisonTable([started({ method: 'baseline', executor: 'eager' }), started({ seed: 3 })], undefined);
  expect(table.split('\n').at(-1)).toBe(
    'Computed differently, so times and memory do not compare: Baseline (seed 0) on TensorFlow, eager, float32; MaskSub (seed 3) on TensorFlow, recorded, float32.',
  );
});

test('a run that never started computed on nothing', () => {
  expect(comparisonTable([emptyRun('run')], undefined)).not.toContain('Computed');
});
