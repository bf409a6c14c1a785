/** Every row of a run's scalars, one after the other, straight from its events: for exports that leave nothing out. */
import fs from 'node:fs';
import path from 'node:path';
import { decodeEvent, type RunEvent } from '../../core/events.ts';
import type { MetricTable } from '../../core/metricQuery.ts';
import { explainFileError } from '../../store/files.ts';
import { runFiles } from '../../store/layout.ts';

export interface Row {
  readonly table: MetricTable;
  readonly step: number;
  readonly epoch: number;
  /** Seconds since the run began, and milliseconds since 1970. */
  readonly time: number;
  readonly at: number;
  readonly images: number;
  readonly flops: number;
  /** By the names of `RunMetrics`. */
  readonly values: readonly (readonly [name: string, value: number])[];
}

/** In the order of the events, without what earlier attempts did after the step from which a later one went on. */
export function* rowsOf(folder: string): Generator<Row> {
  const file = path.join(folder, runFiles.events);
  const later = restarts(file);
  let attempt = 0;
  let [began, beganAt] = [0, 0];
  let last = { step: 0, epoch: 0, images: 0, flops: 0 };
  for (const line of linesOf(file)) {
    const event = decodeEvent(line);
    if (event?.type === 'start') {
      attempt++;
      [began, beganAt] = [event.t, Date.parse(event.at)];
      continue;
    }
    if (event?.type !== 'step' && event?.type !== 'epoch' && event?.type !== 'layers') continue;
    if (later.slice(attempt).some((fromStep) => event.step > fromStep)) continue;
    if (event.type === 'step') last = event;
    // Samples and operations grow evenly with the steps.
    const share = last.step === 0 ? 0 : event.step / last.step;
    yield {
      ...scalarsOf(event),
      step: event.step,
      epoch: 'epoch' in event ? event.epoch : last.epoch * share,
      time: event.t,
      at: beganAt + 1000 * (event.t - began),
      images: Math.round(last.images * share),
      flops: last.flops * share,
    };
  }
}

function scalarsOf(event: RunEvent & { type: 'step' | 'epoch' | 'layers' }): Pick<Row, 'table' | 'values'> {
  switch (event.type) {
    case 'step': {
      const { loss, grad, learningRate, imagesPerSecond, dataWait, memoryBytes } = event;
      const values = flattened({ loss, grad, learningRate, imagesPerSecond, dataWait, memoryBytes });
      return { table: 'steps', values };
    }
    case 'epoch': {
      const { train, validation } = event;
      return { table: 'epochs', values: flattened({ train, validation }) };
    }
    case 'layers':
      return { table: 'layers', values: flattened(event.grad) };
  }
}

function flattened(groups: object, prefix = ''): [string, number][] {
  return Object.entries(groups).flatMap(([key, value]): [string, number][] => {
    const name = prefix === '' ? key : `${prefix}.${key}`;
    if (typeof value === 'number') return [[name, value]];
    return typeof value === 'object' && value !== null ? flattened(value, name) : [];
  });
}

/** Of each attempt after the first one: the step from which it went on. */
function restarts(file: string): number[] {
  const found: number[] = [];
  for (const line of linesOf(file)) {
    if (!line.includes('"type":"start"')) continue;
    const event = decodeEvent(line);
    if (event?.type === 'start') found.push(event.fromStep ?? 0);
  }
  return found;
}

const chunkSize = 1 << 20;

/** The whole lines of a file; none where there is no file. */
function* linesOf(file: string): Generator<string> {
  if (!fs.existsSync(file)) return;
  const descriptor = openFile(file);
  try {
    const chunk = Buffer.allocUnsafe(chunkSize);
    let rest = Buffer.alloc(0);
    for (;;) {
      const got = fs.readSync(descriptor, chunk, 0, chunkSize, null);
      if (got === 0) return;
      const bytes = Buffer.concat([rest, chunk.subarray(0, got)]);
      const end = bytes.lastIndexOf(0x0a) + 1;
      rest = Buffer.from(bytes.subarray(end));
      if (end > 0) yield* bytes.toString('utf8', 0, end - 1).split('\n');
    }
  } finally {
    fs.closeSync(descriptor);
  }
}

function openFile(file: string): number {
  try {
    return fs.openSync(file, 'r');
  } catch (error) {
    throw explainFileError(file, error);
  }
}
