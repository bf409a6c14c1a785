/** A run without its steps but the newest: what the summary page, the run list and chat tools say, read without blocking the editor. */
import fs from 'node:fs';
import path from 'node:path';
import { UserError } from '../core/errors.ts';
import { decodeEvent, type RunEvent, type Summary, summarySchema } from '../core/events.ts';
import { emptyRun, isOver, type RunState, reduceRunAll } from '../core/run.ts';
import { runFiles } from '../store/layout.ts';
import { isAlive, readLock } from '../store/lock.ts';

export interface RunOutline {
  /** The name of its folder. */
  readonly id: string;
  readonly folder: string;
  /** With its start, epochs, warnings and end; of the steps only the newest is there. */
  readonly state: RunState;
  readonly summary?: Summary;
  /** As it stands in the folder, so that nothing is left out. */
  readonly config?: unknown;
}

/** Throws a `UserError` where the folder is gone or is none of a run. */
export async function readOutline(folder: string): Promise<RunOutline> {
  const id = path.basename(folder);
  const held = () => {
    const lock = readLock(folder);
    return lock !== undefined && isAlive(lock.pid, lock.startTime);
  };
  const wasAlive = held(); // before the events: a run that ends in between is seen with its end, not as lost
  const [events, config, summary] = await Promise.all([
    readEvents(path.join(folder, runFiles.events)),
    readJson(path.join(folder, runFiles.config)),
    readJson(path.join(folder, runFiles.summary)),
  ]);
  if (!events && config === undefined) {
    throw new UserError(`${folder} is no run folder, or it was deleted.`, {
      hint: 'Look for the run in the run list.',
    });
  }
  const told = reduceRunAll(emptyRun(id), events ?? []);
  const state: RunState = isOver(told) || wasAlive || held() ? told : { ...told, state: 'lost' };
  const parsed = summarySchema.safeParse(summary);
  return { id, folder, state, config, ...(parsed.success ? { summary: parsed.data } : {}) };
}

/** Long logs are mostly steps, and those need not be parsed to be told. */
const isStep = (line: string) => line.startsWith('{"v":1,"type":"step"') || line.startsWith('{"v":1,"type":"layers"');

/** The events but the steps, of which the last comes last among its like; nothing where there is no such file. */
async function readEvents(file: string): Promise<RunEvent[] | undefined> {
  const events: RunEvent[] = [];
  let step = '';
  const take = (line: string) => {
    if (line.startsWith('{"v":1,"type":"step"')) step = line;
    if (isStep(line)) return;
    const event = decodeEvent(line);
    if (event && event.type !== 'step' && event.type !== 'layers') events.push(event);
  };
  let rest = '';
  try {
    for await (const chunk of fs.createReadStream(file, { encoding: 'utf8', highWaterMark: 1 << 20 })) {
      const lines = (rest + String(chunk)).split('\n');
      rest = lines.pop() ?? ''; // a last line without its end is not written yet
      for (const line of lines) take(line);
    }
  } catch {
    return undefined; // no log yet, or gone meanwhile: the caller looks for the config
  }
  const last = decodeEvent(step);
  if (!last) return events;
  // Before what came after it, so that the time of the newest event stays that of the run.
  const after = events.findLastIndex(({ t, type }) => type === 'start' || t <= last.t) + 1;
  return [...events.slice(0, after), last, ...events.slice(after)];
}

async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await fs.promises.readFile(file, 'utf8'));
  } catch {
    return undefined; // not there, or damaged: the page says what the rest tells
  }
}
