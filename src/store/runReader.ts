/** The run folder as everybody else reads it, while the run lives and after. */
import fs from 'node:fs';
import path from 'node:path';
import { nearestName, UserError } from '../core/errors.ts';
import { decodeEvent, type Role, type RunEvent, type RunEventOf, type Summary, summarySchema } from '../core/events.ts';
import { isOver, type RunState } from '../core/run.ts';
import { errorCode, explainFileError } from './files.ts';
import { runFiles } from './layout.ts';
import { isAlive, type RunLock, readLock } from './lock.ts';
import { LINE_FEED, LogLines, openIfThere, readAt } from './logLines.ts';
import { LogOutline } from './logOutline.ts';

/** Reads a growing `events.jsonl` piece by piece. */
export class EventTail {
  readonly #lines: LogLines;

  constructor(folder: string) {
    this.#lines = new LogLines(path.join(folder, runFiles.events));
  }

  /**
   * The events since the last call, in order; none where there is no file yet. A last line without its end waits for a later
   * call, and a whole line that is no event is passed over. Throws a `UserError` where the file cannot be read.
   */
  read(): RunEvent[] {
    const events: RunEvent[] = [];
    for (const bytes of this.#lines.pieces()) {
      for (const line of bytes.toString('utf8').split('\n')) {
        const event = decodeEvent(line);
        if (event) events.push(event);
      }
    }
    return events;
  }
}

export interface RunContent {
  readonly id: string;
  readonly folder: string;
  /** `lost` where the run has no end and its process is gone. */
  readonly state: RunState;
  readonly summary?: Summary;
  readonly lock?: RunLock;
}

/** Everything about one run but most of its steps. Throws a `UserError` where the folder is none of a run. */
export function readRun(folder: string): RunContent {
  const reading = readInTurns(folder);
  for (;;) {
    const turn = reading.next();
    if (turn.done) return turn.value;
  }
}

/** As `readRun`, leaving the process time for other things. */
export async function readRunInTurns(folder: string): Promise<RunContent> {
  const reading = readInTurns(folder);
  for (;;) {
    const turn = reading.next();
    if (turn.done) return turn.value;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function* readInTurns(folder: string): Generator<void, RunContent> {
  if (!isRunFolder(folder)) {
    throw new UserError(`${folder} is no run folder: it has neither ${runFiles.config} nor ${runFiles.events}.`, {
      hint: 'Name a folder that a run has written.',
    });
  }
  // The lock before the events: a run that ends in between is seen with its end, not as lost.
  const lock = readLock(folder);
  const wasHeld = isHeld(lock);
  const outline = new LogOutline(folder);
  yield* outline.pieces();
  const told = outline.state;
  const held = wasHeld ? lock : readLock(folder); // a run that is resumed in between has its lock by now
  const state: RunState = isOver(told) || wasHeld || isHeld(held) ? told : { ...told, state: 'lost' };
  const summary = readSummary(folder);
  return { id: told.id, folder, state, ...(summary ? { summary } : {}), ...(held ? { lock: held } : {}) };
}

/** A run as lists show it; what a run without events cannot tell comes from its config. */
export interface RunListing {
  readonly id: string;
  readonly folder: string;
  readonly name: string;
  readonly method: string;
  readonly role: Role;
  readonly pair: string | undefined;
  readonly seed: number;
  readonly dataset: string;
  /** When it began, ISO 8601. */
  readonly at: string;
  readonly state: RunState['state'];
}

/** The runs in a folder, newest first; none where there is no such folder. Reads a few kB of each; passes over what is no run. */
export function listRuns(out: string): RunListing[] {
  let names: string[];
  try {
    names = fs.readdirSync(out);
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return [];
    throw explainFileError(out, error);
  }
  const listings = names.map((name) => listRun(path.join(out, name), name)).filter((listing) => listing !== undefined);
  return listings.sort((a, b) => compareTexts(b.at, a.at) || compareTexts(a.id, b.id));
}

/**
 * The folder of a run that is named by its folder or by its id in `out`. Throws a `UserError`, with the nearest id, where there is
 * none.
 */
export function findRun(out: string, idOrFolder: string): string {
  for (const folder of [path.resolve(idOrFolder), path.resolve(out, idOrFolder)]) {
    if (isRunFolder(folder)) return folder;
  }
  const known = listRuns(out).map((listing) => listing.id);
  const nearest = nearestName(idOrFolder, known) ?? known.find((id) => idOrFolder !== '' && id.startsWith(idOrFolder));
  throw new UserError(`There is no run "${idOrFolder}" in ${out}.`, {
    hint: nearest
      ? `Did you mean "${nearest}"?`
      : known.length > 0
        ? `The newest is "${known[0]}".`
        : 'That folder holds no runs; name another with --out.',
  });
}

/** A list need not read more: the first event says what the run is, one of the last how it stands. */
const headSize = 8 << 10;
/** Where the first line is longer than any runner writes it. */
const longestHead = 256 << 10;
const tailSize = 16 << 10;

function listRun(folder: string, name: string): RunListing | undefined {
  try {
    if (!isRunFolder(folder)) return undefined;
    const lock = readLock(folder);
    const { start, last } = readEnds(path.join(folder, runFiles.events));
    const told = start ? startListing(start) : configListing(folder);
    if (!told) return undefined;
    const state = last && 'state' in last ? last.state : start ? 'running' : 'starting';
    const isLost = !isOver({ state }) && !isHeld(lock) && !isHeld(readLock(folder));
    return { id: start?.run ?? name, folder, ...told, state: isLost ? 'lost' : state };
  } catch {
    return undefined; // gone or locked meanwhile: a list goes on without it
  }
}

type Told = Omit<RunListing, 'id' | 'folder' | 'state'>;

function startListing(start: RunEventOf<'start'>): Told {
  const { name, method, role, pair, seed, dataset, at } = start;
  return { name, method, role, pair, seed, dataset, at };
}

/** From the config that the runner wrote; nothing for a `config.json` of something else. */
function configListing(folder: string): Told | undefined {
  const file = path.join(folder, runFiles.config);
  const config = parseJson(fs.readFileSync(file, 'utf8'));
  const method = field(field(config, 'method'), 'name');
  const dataset = field(field(config, 'data'), 'dataset');
  if (typeof method !== 'string' || typeof dataset !== 'string') return undefined;
  const name = field(config, 'name');
  const seed = field(field(config, 'train'), 'seed');
  return {
    name: typeof name === 'string' ? name : path.basename(folder),
    method,
    role: method === 'baseline' ? 'baseline' : 'method',
    pair: undefined,
    seed: typeof seed === 'number' ? seed : 0,
    dataset,
    at: fs.statSync(file).mtime.toISOString(),
  };
}

/** The first event, and the last one that says how the run stands. */
function readEnds(file: string): {
  start: RunEventOf<'start'> | undefined;
  last: RunEventOf<'start' | 'state' | 'end'> | undefined;
} {
  const descriptor = openIfThere(file);
  if (descriptor === undefined) return { start: undefined, last: undefined };
  try {
    let head = readAt(descriptor, 0, Buffer.allocUnsafe(headSize));
    if (!head.includes(LINE_FEED)) head = readAt(descriptor, 0, Buffer.allocUnsafe(longestHead));
    const first = head.includes(LINE_FEED) ? decodeEvent(head.toString('utf8', 0, head.indexOf(LINE_FEED))) : undefined;
    const start = first?.type === 'start' ? first : undefined;
    const size = fs.fstatSync(descriptor).size;
    const tail = readAt(descriptor, Math.max(0, size - tailSize), Buffer.allocUnsafe(tailSize));
    const lines = tail.toString('utf8', 0, tail.lastIndexOf(LINE_FEED) + 1).split('\n');
    for (const line of lines.reverse()) {
      const event = decodeEvent(line);
      if (event?.type === 'end' || event?.type === 'state' || event?.type === 'start') return { start, last: event };
    }
    return { start, last: undefined };
  } finally {
    fs.closeSync(descriptor);
  }
}

function readSummary(folder: string): Summary | undefined {
  try {
    const parsed = summarySchema.safeParse(parseJson(fs.readFileSync(path.join(folder, runFiles.summary), 'utf8')));
    return parsed.success ? parsed.data : undefined;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw explainFileError(path.join(folder, runFiles.summary), error);
  }
}

function isRunFolder(folder: string): boolean {
  return [runFiles.config, runFiles.events].some((name) => {
    try {
      return fs.statSync(path.join(folder, name)).isFile();
    } catch {
      return false; // not there, or not for us to see
    }
  });
}

const isHeld = (lock: RunLock | undefined) => lock !== undefined && isAlive(lock.pid, lock.startTime);

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // the callers take a damaged file for none
  }
}

function field(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined;
}

/** ISO times and ids compare as code units, the same in every locale. */
const compareTexts = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
