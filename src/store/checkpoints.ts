/** The checkpoints in a run folder, as a run that goes on finds them. */
import fs from 'node:fs';
import path from 'node:path';
import { errorCode, explainFileError } from './files.ts';
import { runFiles } from './layout.ts';
import { readMetadata } from './safetensors.ts';

export interface CheckpointFile {
  /** Relative to the run folder. */
  readonly file: string;
  /** Completed steps; 0 where a damaged one does not say. */
  readonly step: number;
}

/** Files of `checkpointsOf`. */
export const checkpointFiles = (folder: string): string[] => checkpointsOf(folder).map(({ file }) => file);

/** The newest first: by their step; of two at one step, the numbered one. Damaged ones are among them. */
export function checkpointsOf(folder: string): CheckpointFile[] {
  const checkpoints = path.join(folder, runFiles.checkpoints);
  try {
    return fs
      .readdirSync(checkpoints)
      .filter((name) => name.endsWith('.safetensors'))
      .map((name) => ({ name, step: stepOf(path.join(checkpoints, name)) }))
      .sort((a, b) => b.step - a.step || Number(isNumbered(b.name)) - Number(isNumbered(a.name)))
      .map(({ name, step }) => ({ file: `${runFiles.checkpoints}/${name}`, step }));
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw explainFileError(checkpoints, error);
  }
}

const isNumbered = (name: string) => /^step-\d+\.safetensors$/.test(name);

/** By the name, else by the metadata; 0 where they are damaged. */
function stepOf(file: string): number {
  const [named] = /\d+/.exec(path.basename(file)) ?? [];
  return Number(named ?? readMetadata(file)?.step ?? 0) || 0;
}
