/** A run that goes on from a checkpoint, wherever it was interrupted, is the run that was never interrupted: bit for bit. */
import { beforeAll, describe, expect, test } from 'vitest';
import type { Config } from '../../src/core/config.ts';
import type { EngineEvent } from '../../src/core/events.ts';
import { decodeProgress } from '../../src/core/progress.ts';
import type { Snapshot } from '../../src/engine/step/executor.ts';
import type { Resume, Surroundings } from '../../src/engine/train.ts';
import type { ImageData } from '../../src/engine/trainingData.ts';
import { loadBackend } from '../../src/runner/backend.ts';
import {
  demoConfig,
  demoData,
  eventsOf,
  executorNames,
  executors,
  methodNames,
  tinyConfig,
  tinyData,
} from './examples.ts';

beforeAll(async () => {
  await loadBackend('tensorflow');
});

interface Saved {
  readonly name: string;
  readonly snapshot: Snapshot;
  readonly metadata: Readonly<Record<string, string>>;
}

/** A run with all its checkpoints; `stopAt`: the breath at which it is told to stop. */
async function recordedRun(
  config: Config,
  data: ImageData,
  executorFor: Surroundings['executorFor'],
  { resume, stopAt }: { resume?: Resume; stopAt?: number } = {},
) {
  const saved: Saved[] = [];
  let breaths = 0;
  const { events, summary } = await eventsOf(
    config,
    data,
    {
      executorFor,
      breathe: async () => ++breaths === stopAt,
      saveCheckpoint: (name, snapshot, _parameters, metadata) => {
        saved.push({ name, snapshot, metadata });
        return name;
      },
    },
    resume,
  );
  return { events, summary, saved, breaths };
}

function resumeFrom({ name, snapshot, metadata }: Saved): Resume {
  const progress = decodeProgress(metadata.progress);
  if (!progress) throw new Error('The checkpoint does not say how far the run had come.');
  return { snapshot, progress, file: name };
}

/** What does not depend on the clock. */
function timeless(events: readonly EngineEvent[]): unknown[] {
  return events.map((event) => {
    if (event.type === 'step') return { ...event, imagesPerSecond: 0, dataWait: 0 };
    if (event.type === 'end' && event.summary) return { ...event, summary: timelessSummary(event.summary) };
    return event;
  });
}

const timelessSummary = <T extends { cost: object }>(summary: T) => ({
  ...summary,
  cost: { ...summary.cost, seconds: 0, cpuSeconds: 0 },
});

/** A validation on the way, a layer step and log steps within an epoch, everything that keeps a state. */
const tiny = tinyConfig({
  data: { validateOn: 20 },
  model: { dropPath: 0.2 },
  train: { epochs: 2, ema: 0.9, clipNorm: 1, warmupEpochs: 1 },
  run: { logEvery: 3, layersEvery: 5, checkpointEvery: 1 },
});

describe.each(executorNames)('%s', (name) => {
  const executorFor = executors[name];

  test('after a stop at any step, in training and in validation', async () => {
    const whole = await recordedRun(tiny, tinyData, executorFor);
    expect(whole.breaths).toBeGreaterThan(16); // 2 epochs of 8 steps, and the validations
    for (let stopAt = 1; stopAt < whole.breaths; stopAt++) {
      const first = await recordedRun(tiny, tinyData, executorFor, { stopAt });
      const last = first.saved.at(-1) as Saved;
      const rest = await recordedRun(tiny, tinyData, executorFor, { resume: resumeFrom(last) });
      const [start, ...events] = rest.events;
      expect(start).toMatchObject({ type: 'start', fromStep: Number(last.metadata.step) });
      const told = first.events.slice(0, first.events.at(-2)?.type === 'checkpoint' ? -2 : -1);
      expect(timeless([...told, ...events])).toEqual(timeless(whole.events));
      const end = (run: typeof whole) => run.saved.at(-1)?.snapshot;
      expect(end(rest)).toEqual(end(whole));
    }
  });

  test('from every checkpoint that it has written on the way', async () => {
    const whole = await recordedRun(tiny, tinyData, executorFor);
    expect(whole.saved.map((checkpoint) => checkpoint.name)).toContain('best');
    for (const checkpoint of whole.saved) {
      const rest = await recordedRun(tiny, tinyData, executorFor, { resume: resumeFrom(checkpoint) });
      expect(rest.saved.at(-1)?.name).toBe('step-000000016');
      expect(rest.saved.at(-1)?.snapshot).toEqual(whole.saved.at(-1)?.snapshot);
      expect(timelessSummary(rest.summary as NonNullable<typeof rest.summary>)).toEqual(
        timelessSummary(whole.summary as NonNullable<typeof whole.summary>),
      );
    }
  });

  for (const method of methodNames) {
    for (const accumulate of [1, 3]) {
      test(`${method} on the demo, ${accumulate} batches a step`, async () => {
        const config = demoConfig({
          method: { name: method },
          train: { epochs: 4, accumulate, batchSize: 16 },
          run: { checkpointEvery: 3 },
        });
        const whole = await recordedRun(config, demoData, executorFor);
        const first = await recordedRun(config, demoData, executorFor, { stopAt: accumulate === 1 ? 13 : 5 });
        const rest = await recordedRun(config, demoData, executorFor, {
          resume: resumeFrom(first.saved.at(-1) as Saved),
        });
        expect(rest.saved.at(-1)?.snapshot).toEqual(whole.saved.at(-1)?.snapshot);
        expect(rest.summary?.final).toEqual(whole.summary?.final);
        expect(rest.summary?.steps).toBe(whole.summary?.steps);
      });
    }
  }

  test('the time of both attempts is the cost of the run', async () => {
    const clock = { now: () => 100, cpuSeconds: () => 7, memory: () => ({ now: 1, peak: 50, available: 1e12 }) };
    let saved: Saved | undefined;
    let seconds = 0;
    const around: Partial<Surroundings> = {
      ...clock,
      executorFor,
      now: () => seconds,
      breathe: async () => ++seconds === 5,
      saveCheckpoint: (name, snapshot, _parameters, metadata) => {
        saved = { name, snapshot, metadata };
        return name;
      },
    };
    await eventsOf(tiny, tinyData, around);
    const resume = resumeFrom(saved as Saved);
    const { summary } = await eventsOf(
      tiny,
      tinyData,
      { ...around, memory: () => ({ now: 1, peak: 20, available: 1e12 }), breathe: async () => true },
      resume,
    );
    expect(summary?.cost).toMatchObject({ seconds: 5, cpuSeconds: 14, peakMemoryBytes: 50, images: 6 * 8 });
  });
});
