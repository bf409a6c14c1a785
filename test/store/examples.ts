/** Events, a summary and a lock as a run has them. */
import type { EngineEvent, Summary } from '../../src/core/events.ts';
import { processStartTime, type RunLock } from '../../src/store/lock.ts';
import { RunWriter } from '../../src/store/runWriter.ts';

export const start = {
  type: 'start',
  name: 'Größe „ä“',
  pair: 'p-s0',
  role: 'method',
  method: 'masksub',
  model: 'vit',
  dataset: 'fashion-mnist-mini',
  parameters: 139402,
  seed: 7,
  initHash: 'sha256:1',
  batchHash: 'sha256:2',
  dataHash: 'sha256:3',
  backend: 'tensorflow',
  backendReason: 'It is installed.',
  executor: 'eager',
  executorReason: 'The config asks for it.',
  precision: 'float32',
  epochs: 150,
  steps: 4650,
  at: '2026-01-02T03:04:05.678Z',
} as const satisfies EngineEvent;

export function step(number: number): EngineEvent {
  return {
    type: 'step',
    step: number,
    epoch: number / 31,
    images: 32 * number,
    loss: { total: 2, main: 1, sub: Number.NaN },
    grad: { total: 1, main: 1, sub: Number.POSITIVE_INFINITY, cosine: 0 },
    learningRate: 1e-3,
    imagesPerSecond: 1000,
    memoryBytes: 1e6,
    flops: 1e9,
  };
}

export const summary: Summary = {
  state: 'finished',
  steps: 4650,
  epochs: 150,
  executor: 'eager',
  precision: 'float32',
  final: { loss: 0.5, top1: 0.82, samples: 10000 },
  cost: { seconds: 60, cpuSeconds: 90, images: 148800, flops: 1e12, peakMemoryBytes: 2e8 },
};

export const end: EngineEvent = { type: 'end', state: 'finished', message: 'Done.', summary };

export const config = {
  name: 'example',
  data: { dataset: 'fashion-mnist-mini' },
  method: { name: 'masksub' },
  train: { seed: 7 },
};

/** The lock of this very process: alive as long as the test. */
export function ownLock(): RunLock {
  const startTime = processStartTime(process.pid) ?? '';
  return { pid: process.pid, startTime, leader: process.pid, leaderStartTime: startTime, heartbeat: Date.now() };
}

/** A lock of a process that is no more. */
export const deadLock: RunLock = { ...ownLock(), startTime: 'long ago' };

/** A run that is over, as its writer leaves it. */
export function finishedRun(out: string, id: string): RunWriter {
  const writer = RunWriter.create(out, id, config, { lock: ownLock() });
  writer.emit(start);
  writer.emit(step(1));
  writer.emit(end);
  writer.finish(summary);
  return writer;
}
