/** What a run recorded of single samples, in its folder: `samples/epoch-000005.json`, and the arrays in the `.bin` beside it. */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { UserError } from '../core/errors.ts';
import { encodeEvent } from '../core/events.ts';
import { type Block, type Samples, samplesSchema } from '../core/samples.ts';
import { errorCode, explainFileError, makeNewFolder, readWhole, writeWhole } from './files.ts';
import { runFiles } from './layout.ts';

/** A record, and the bytes that its blocks lie in. */
export interface StoredSamples {
  readonly samples: Samples;
  readonly bytes: Uint8Array;
}

/** Writes the record of an epoch and gives its path relative to the run folder. A reader never sees half of it. */
export function writeSamples(folder: string, { samples, bytes }: StoredSamples): string {
  // Without those above it: where somebody has removed the run's folder, it must not come back with nothing but this.
  const place = path.join(folder, runFiles.samples);
  if (!fs.existsSync(place)) makeNewFolder(place);
  const name = nameOf(samples.epoch);
  writeWhole(path.join(place, `${name}.bin`), bytes);
  writeWhole(path.join(place, `${name}.json`), `${encodeEvent({ ...samples, hash: hashOf(bytes) })}\n`);
  return `${runFiles.samples}/${name}.json`;
}

/** The record of an epoch. Throws a `UserError` that names the file where it is missing, damaged or of a later version. */
export function readSamples(folder: string, epoch: number): StoredSamples {
  const file = path.join(folder, runFiles.samples, nameOf(epoch));
  const samples = parse(`${file}.json`);
  const bytes = readWhole(`${file}.bin`);
  for (const [name, block] of Object.entries(samples.blocks)) {
    if (!block) continue;
    const end = block.offset + sizeOf(block);
    if (end > bytes.length) {
      throw damaged(`${file}.bin`, `it has ${bytes.length} bytes, and "${name}" would end at ${end}`);
    }
  }
  if (samples.hash !== undefined && samples.hash !== hashOf(bytes)) {
    throw damaged(`${file}.bin`, `its content is not what ${path.basename(file)}.json was written with`);
  }
  return { samples, bytes };
}

/** The epochs of which a run has a record, ascending. */
export function sampledEpochs(folder: string): number[] {
  const place = path.join(folder, runFiles.samples);
  try {
    const numbers = fs.readdirSync(place).flatMap((name) => /^epoch-(\d+)\.json$/.exec(name)?.[1] ?? []);
    return numbers.map(Number).sort((a, b) => a - b);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw explainFileError(place, error);
  }
}

function parse(file: string): Samples {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(readWhole(file)));
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw damaged(file, 'it is no JSON');
  }
  const parsed = samplesSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const { v } = Object(value) as { v?: unknown };
  if (typeof v === 'number' && v > 1) {
    throw new UserError(`${file}: expected version 1, found ${v}.`, { hint: 'Take a newer version of MaskSub.' });
  }
  const [issue] = parsed.error.issues;
  throw damaged(file, `"${issue?.path.join('.')}": ${issue?.message}`);
}

function damaged(file: string, what: string): UserError {
  return new UserError(`${file} is damaged: ${what}.`, {
    hint: 'Copy the run folder again; else train the run again, which records the same.',
  });
}

const nameOf = (epoch: number) => `epoch-${String(epoch).padStart(6, '0')}`;

const sizeOf = ({ dtype, shape }: Block): number =>
  shape.reduce((product, length) => product * length, dtype === 'uint8' ? 1 : 4);

const hashOf = (bytes: Uint8Array) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
