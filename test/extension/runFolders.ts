/** Run folders as the runner leaves them, for the tests of what is said of them. */
import fs from 'node:fs';
import path from 'node:path';
import type { RunEvent } from '../../src/core/events.ts';
import { encodeEvent } from '../../src/core/events.ts';

export interface RunFolder {
  readonly events?: readonly RunEvent[];
  readonly config?: unknown;
  readonly summary?: unknown;
  readonly checkpoints?: readonly string[];
}

/** Writes one, and returns its path. */
export function writeRunFolder(out: string, id: string, content: RunFolder): string {
  const folder = path.join(out, id);
  fs.mkdirSync(path.join(folder, 'checkpoints'), { recursive: true });
  const { events, config, summary, checkpoints = [] } = content;
  if (events) {
    fs.writeFileSync(path.join(folder, 'events.jsonl'), events.map((event) => `${encodeEvent(event)}\n`).join(''));
  }
  if (config !== undefined) fs.writeFileSync(path.join(folder, 'config.json'), JSON.stringify(config));
  if (summary !== undefined) fs.writeFileSync(path.join(folder, 'summary.json'), JSON.stringify(summary));
  for (const name of checkpoints) fs.writeFileSync(path.join(folder, 'checkpoints', name), '');
  return folder;
}

/** The summary of a run that finished. */
export function summaryOf(top1: number, changes: Readonly<Record<string, unknown>> = {}) {
  return {
    state: 'finished',
    steps: 100,
    epochs: 10,
    executor: 'recorded',
    precision: 'float32',
    final: { loss: 0.5, top1, maskedTop1: 0.4, samples: 10_000 },
    best: { epoch: 9, top1: top1 + 0.01 },
    train: { loss: 0.25, top1: 0.9 },
    cost: { seconds: 50, cpuSeconds: 60, images: 10_000, flops: 2e12, peakMemoryBytes: 4e8 },
    ...changes,
  };
}
