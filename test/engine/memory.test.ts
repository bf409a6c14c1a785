/** Memory: a step's need is known before it runs, said where there is less, and an error for a person where it was not enough. */
import { beforeAll, describe, expect, test } from 'vitest';
import { UserError } from '../../src/core/errors.ts';
import { memoryProblem, withMemoryAdvice } from '../../src/engine/step/memoryNeed.ts';
import { FlowNetwork } from '../../src/engine/step/recorded/minimumCut.ts';
import { loadBackend } from '../../src/runner/backend.ts';
import { demoConfig, demoData, eventsOf, executors, setUp, tinyConfig, tinyData } from './examples.ts';

beforeAll(async () => {
  await loadBackend('tensorflow');
});

async function needOf(batchSize: number, method: 'baseline' | 'masksub' = 'baseline'): Promise<number> {
  const { executor, stepInput } = await setUp(
    demoConfig({ method: { name: method }, train: { batchSize } }),
    demoData,
    'recorded',
  );
  const need = (await executor.memoryOf?.(...(await stepInput(0)))) ?? 0;
  await executor.dispose();
  return need;
}

describe('the need of a step', () => {
  test('grows with its batch, and is more than weights and optimizer state', async () => {
    const [small, large] = [await needOf(16), await needOf(64)];
    const state = 3 * 139_402 * 4;
    expect(small).toBeGreaterThan(state);
    expect((large - state) / (small - state)).toBeGreaterThan(2);
    expect((large - state) / (small - state)).toBeLessThan(4.5);
  });
  test('of MaskSub is hardly more than that of the baseline: one branch after the other', async () => {
    expect((await needOf(64, 'masksub')) / (await needOf(64))).toBeLessThan(1.25);
  });
});

test('a run says before its first step that it will not fit, and which batch size would', async () => {
  const memory = () => ({ now: 1, peak: 2, available: 20_000 });
  const { events } = await eventsOf(tinyConfig(), tinyData, { memory, executorFor: executors.recorded });
  expect(events[0]).toMatchObject({ type: 'start', stepMemoryBytes: expect.any(Number) });
  expect(events[1]).toMatchObject({ type: 'warning' });
  const [, warning] = events as { message?: string }[];
  expect(warning?.message).toMatch(
    /train\.batchSize 8 needs about .* GB.*(train\.batchSize [1-7] would fit|no batch size)/,
  );
  const roomy = await eventsOf(tinyConfig(), tinyData, { executorFor: executors.recorded });
  expect(roomy.events.filter(({ type }) => type === 'warning')).toEqual([]);
});

describe('words', () => {
  test('name a batch size that fits, or say that none does', () => {
    expect(memoryProblem(64, 8e9, 9e9)).toBeUndefined();
    expect(memoryProblem(64, 8e9, 4e9)).toContain('train.batchSize 32 would fit');
    expect(memoryProblem(1, 8e9, 4e9)).toContain('no batch size would fit');
  });
  test('turn what TensorFlow says into an error for a person, and leave other errors alone', () => {
    const refused = new Error('RESOURCE_EXHAUSTED: OOM when allocating tensor with shape[98500,1024]');
    const error = withMemoryAdvice(refused, 500, 13e9, 2.6e9);
    expect(error).toBeInstanceOf(UserError);
    expect(error).toMatchObject({ message: expect.stringContaining('13 GB'), hint: expect.stringContaining('100') });
    const other = new Error('A matrix has the wrong shape.');
    expect(withMemoryAdvice(other, 500, 13e9, 2.6e9)).toBe(other);
  });
});

test('a minimum cut takes the cheapest edges, nearest to the sink where several do', () => {
  // source → a → b → sink with capacities 3, 2, 2: the last of the two cheapest is cut.
  const network = new FlowNetwork();
  const [a, b] = [network.addVertex(), network.addVertex()];
  network.addEdge(FlowNetwork.source, a, 3);
  network.addEdge(a, b, 2);
  network.addEdge(b, FlowNetwork.sink, 2);
  expect([...network.cutNearSink()]).toEqual([FlowNetwork.sink]);
});
