/** Events to test with: one of each type, and all that there could be. */
import fc from 'fast-check';
import type { RunEvent, RunEventOf, Validation } from '../../src/core/events.ts';
import { emptyRun, type RunState, reduceRunAll } from '../../src/core/run.ts';

const envelope = (t: number) => ({ v: 1, run: 'run', attempt: 0, t }) as const;

export function startEvent(changes: Partial<RunEventOf<'start'>> = {}): RunEventOf<'start'> {
  return {
    ...envelope(0),
    type: 'start',
    name: 'fashion-vit',
    pair: 'pair',
    role: 'method',
    method: 'masksub',
    model: 'vit',
    dataset: 'fashion-mnist-mini',
    parameters: 139_402,
    seed: 0,
    initHash: 'sha256:a',
    batchHash: 'sha256:b',
    dataHash: 'sha256:c',
    backend: 'tensorflow',
    backendReason: 'The native engine is installed.',
    executor: 'eager',
    executorReason: 'The config asks for it.',
    precision: 'float32',
    epochs: 10,
    steps: 100,
    at: '2026-01-31T12:00:00.000Z',
    ...changes,
  };
}

export function stepEvent(step: number, changes: Partial<RunEventOf<'step'>> = {}): RunEventOf<'step'> {
  return {
    ...envelope(step),
    type: 'step',
    step,
    epoch: step / 10,
    images: 32 * step,
    loss: { total: 1.5, main: 2, sub: 1 },
    grad: { total: 1, main: 1, sub: 2, cosine: 0.5 },
    learningRate: 1e-3,
    imagesPerSecond: 100,
    memoryBytes: 1e8,
    flops: 1e9,
    ...changes,
  };
}

export function epochEvent(epoch: number, validation?: Partial<Validation>): RunEventOf<'epoch'> {
  return {
    ...envelope(10 * epoch),
    type: 'epoch',
    epoch,
    step: 10 * epoch,
    train: { loss: 1, top1: 0.5 },
    ...(validation ? { validation: { loss: 1, top1: 0.5, samples: 10_000, ...validation } } : {}),
  };
}

/** A run of one half of a pair, validated after each of the given epochs with that top-1. */
export function runWith(
  role: 'baseline' | 'method',
  top1: Readonly<Record<number, number>>,
  changes: Partial<RunEventOf<'start'>> = {},
  samples = 10_000,
): RunState {
  const method = role === 'baseline' ? 'baseline' : 'masksub';
  return reduceRunAll(emptyRun(method), [
    startEvent({ role, method, ...changes }),
    ...Object.entries(top1).map(([epoch, value]) => epochEvent(Number(epoch), { top1: value, samples })),
  ]);
}

const real = fc.double().map((value) => (Object.is(value, -0) ? 0 : value)); // JSON has no −0
const finite = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => (Object.is(value, -0) ? 0 : value));
const t = fc.double({ min: 0, max: 1e7, noNaN: true }).map((value) => value + 0);
const count = fc.nat();
const losses = fc.record({ total: real, main: real, sub: real }, { requiredKeys: ['total', 'main'] });
const layers = fc.dictionary(fc.constantFrom('embed', 'blocks.0', 'head'), real, { noNullPrototype: true });

const bodies = [
  fc
    .record({ step: count, epoch: finite, images: count, loss: losses, grad: losses, learningRate: finite })
    .map(
      (body) =>
        ({ ...body, type: 'step', imagesPerSecond: Number.POSITIVE_INFINITY, memoryBytes: 1e8, flops: 1e9 }) as const,
    ),
  fc.record({ step: count, grad: fc.record({ main: layers }) }).map((body) => ({ ...body, type: 'layers' }) as const),
  fc
    .record({ epoch: count, step: count, train: fc.record({ loss: real, top1: real }) })
    .map((body) => ({ ...body, type: 'epoch' }) as const),
  fc.record({ step: count, file: fc.string() }).map((body) => ({ ...body, type: 'checkpoint' }) as const),
  fc.record({ state: fc.constantFrom('running', 'stopping') }).map((body) => ({ ...body, type: 'state' }) as const),
  fc.record({ message: fc.string() }).map((body) => ({ ...body, type: 'warning' }) as const),
  fc
    .record({ state: fc.constantFrom('finished', 'stopped', 'failed', 'interrupted'), message: fc.string() })
    .map((body) => ({ ...body, type: 'end' }) as const),
  fc.constant(startEvent()),
  count.map((fromStep) => startEvent({ fromStep })),
] as const;

export const anyEvent: fc.Arbitrary<RunEvent> = fc
  .tuple(t, fc.oneof(...bodies))
  .map(([t, body]) => ({ ...envelope(t), ...body, t }) as RunEvent);
