/** What the run list says of a run that is over, beyond its state: the top-1 that it came to, and whether it can be forked. */
import fs from 'node:fs';
import path from 'node:path';
import { isOver } from '../core/run.ts';
import { runFiles } from '../store/layout.ts';
import type { RunListing } from '../store/runReader.ts';

export interface RunFacts {
  /** Of the last validation, a fraction. */
  readonly top1?: number;
  /** True where there are weights to go on from. */
  readonly hasCheckpoint: boolean;
}

/** Reads each folder once for each state that it is seen in. */
export class FactsOfRuns {
  readonly #known = new Map<string, { readonly state: string; readonly facts: RunFacts }>();

  of(run: Pick<RunListing, 'folder' | 'state'>): RunFacts {
    const known = this.#known.get(run.folder);
    if (known?.state === run.state && isOver(run)) return known.facts;
    const top1 = isOver(run) ? (topOfSummary(run.folder) ?? topOfLog(run.folder)) : undefined;
    const facts = { ...(top1 === undefined ? {} : { top1 }), hasCheckpoint: hasCheckpoint(run.folder) };
    this.#known.set(run.folder, { state: run.state, facts });
    return facts;
  }
}

function topOfSummary(folder: string): number | undefined {
  return read(path.join(folder, runFiles.summary), (text) => topOf(field(JSON.parse(text), 'final')));
}

/** Where a run was cut off, its newest validation stands near the end of its log. */
function topOfLog(folder: string): number | undefined {
  const size = 256 << 10;
  try {
    const descriptor = fs.openSync(path.join(folder, runFiles.events), 'r');
    try {
      const bytes = Buffer.alloc(size);
      const from = Math.max(0, fs.fstatSync(descriptor).size - size);
      const lines = bytes.toString('utf8', 0, fs.readSync(descriptor, bytes, 0, size, from)).split('\n');
      for (const line of lines.reverse()) {
        if (!line.includes('"validation"')) continue;
        const top1 = parsed(line, (text) => topOf(field(JSON.parse(text), 'validation')));
        if (top1 !== undefined) return top1;
      }
      return undefined;
    } finally {
      fs.closeSync(descriptor);
    }
  } catch {
    return undefined; // no log, or gone: the list goes on without a number
  }
}

function hasCheckpoint(folder: string): boolean {
  try {
    return fs.readdirSync(path.join(folder, runFiles.checkpoints)).some((name) => name.endsWith('.safetensors'));
  } catch {
    return false; // none was written yet
  }
}

function read<T>(file: string, take: (text: string) => T): T | undefined {
  try {
    return parsed(fs.readFileSync(file, 'utf8'), take);
  } catch {
    return undefined; // not written, as that of a run that did not finish
  }
}

function parsed<T>(text: string, take: (text: string) => T): T | undefined {
  try {
    return take(text);
  } catch {
    return undefined; // cut off, or something else: it says nothing
  }
}

function topOf(value: unknown): number | undefined {
  const top1 = field(value, 'top1');
  return typeof top1 === 'number' ? top1 : undefined;
}

function field(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined;
}
