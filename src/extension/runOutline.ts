/** A run without its steps but the newest: what the summary page, the run list and chat tools say, read without blocking the editor. */
import fs from 'node:fs';
import path from 'node:path';
import { UserError } from '../core/errors.ts';
import type { Summary } from '../core/events.ts';
import type { RunState } from '../core/run.ts';
import { runFiles } from '../store/layout.ts';
import { readRunInTurns } from '../store/runReader.ts';

export interface RunOutline {
  /** The name of its folder. */
  readonly id: string;
  readonly folder: string;
  /** With its start, epochs, warnings and end; of the steps only the first and the newest are there. */
  readonly state: RunState;
  readonly summary?: Summary;
  /** As it stands in the folder, so that nothing is left out. */
  readonly config?: unknown;
}

/** Throws a `UserError` where the folder is gone or is none of a run. */
export async function readOutline(folder: string): Promise<RunOutline> {
  const id = path.basename(folder);
  if (![runFiles.config, runFiles.events].some((name) => fs.existsSync(path.join(folder, name)))) {
    throw new UserError(`${folder} is no run folder, or it was deleted.`, {
      hint: 'Look for the run in the run list.',
    });
  }
  const { state, summary } = await readRunInTurns(folder);
  const config = await readJson(path.join(folder, runFiles.config));
  return { id, folder, state: { ...state, id }, config, ...(summary ? { summary } : {}) };
}

async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await fs.promises.readFile(file, 'utf8'));
  } catch {
    return undefined; // not there, or damaged: the page says what the rest tells
  }
}
