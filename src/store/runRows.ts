/** The rows of the run table: every run of some out folders, from its listing, its summary and its config. */
import fs from 'node:fs';
import path from 'node:path';
import { decodeEvent, EVENT_VERSION, type RunEvent, type Summary, summarySchema } from '../core/events.ts';
import { experimentOf } from '../core/experiment.ts';
import { configValue, type FlatConfig, flattenConfig } from '../core/flatten.ts';
import { t } from '../core/l10n.ts';
import { isOver } from '../core/run.ts';
import { noAnnotation, type RunRow } from '../core/runRow.ts';
import { ANNOTATIONS_FILE, type AnnotationsRead, readAnnotations } from './annotations.ts';
import { errorCode, explainFileError } from './files.ts';
import { runFiles } from './layout.ts';
import { listRuns, type RunListing } from './runReader.ts';

/** Lists runs again and again: a folder whose files have not changed since is not read a second time. */
export class RunRows {
  readonly #outFolders: () => string[];
  #known = new Map<string, KnownOut>();
  #outs = new Map<string, string>();
  #problem: string | undefined;

  constructor(outFolders: () => string[]) {
    this.#outFolders = outFolders;
  }

  /** Newest first. Throws a `UserError` where an out folder cannot be read. */
  read(): RunRow[] {
    const known = this.#known;
    this.#known = new Map();
    const rows = new Map<string, RunRow>();
    const outs = new Map<string, string>();
    const problems = new Set<string>();
    for (const out of new Set(this.#outFolders())) {
      const read = readOut(out, known.get(out));
      this.#known.set(out, read);
      if (read.annotations.problem !== undefined) problems.add(read.annotations.problem);
      for (const row of read.rows) {
        const annotated = { ...row, ...(read.annotations.of.get(row.id) ?? noAnnotation) };
        const other = rows.get(row.id);
        if (!other) outs.set(row.id, out);
        rows.set(row.id, other ? withProblem(other, t('Another run of this name lies in {0}.', out)) : annotated);
      }
    }
    this.#outs = outs;
    this.#problem = problems.size > 0 ? [...problems].join(' ') : undefined;
    return [...rows.values()].sort((a, b) => compareTexts(b.at, a.at) || compareTexts(a.id, b.id));
  }

  /** The out folder of a row of the last read. */
  outOf(id: string): string | undefined {
    return this.#outs.get(id);
  }

  /** What was wrong with the stars, tags and notes at the last read; runs say what is wrong with them in their rows. */
  get problem(): string | undefined {
    return this.#problem;
  }
}

interface KnownOut {
  /** Stamps of each run folder's files, by its name. */
  readonly stamps: ReadonlyMap<string, string>;
  readonly rows: readonly RunRow[];
  readonly facts: ReadonlyMap<string, Facts>;
  readonly annotationsStamp: string;
  readonly annotations: AnnotationsRead;
}

/** What the files of a run folder say beside the listing, as long as they stay the same. */
interface Facts extends Pick<RunRow, 'epochs' | 'top1' | 'maskedTop1' | 'loss' | 'best'> {
  readonly seconds?: number;
  readonly flops?: number;
  readonly peakMemoryBytes?: number;
  readonly config: FlatConfig;
  readonly problems: readonly string[];
}

function readOut(out: string, known: KnownOut | undefined): KnownOut {
  const annotationsStamp = stampOf(path.join(out, ANNOTATIONS_FILE));
  // What a stamp does not tell, as whether a file may be read, can be put right.
  const isKnown = annotationsStamp === known?.annotationsStamp && known.annotations.problem === undefined;
  const annotations = isKnown ? known.annotations : readAnnotations(out);
  const stamps = stampsOf(out);
  const isSame = known?.stamps.size === stamps.size && [...stamps].every(([name, is]) => known.stamps.get(name) === is);
  // Whether a process still lives is not written into any file.
  if (isSame && known.rows.every(isOver)) return { ...known, annotationsStamp, annotations };
  const facts = new Map<string, Facts>();
  const listings = new Map(listRuns(out).map((listing) => [path.basename(listing.folder), listing]));
  const rows: RunRow[] = [];
  for (const [name, stamp] of stamps) {
    const listing = listings.get(name);
    if (!listing) {
      const damaged = damagedRow(path.join(out, name));
      if (damaged) rows.push(damaged);
      continue;
    }
    const isKnown = known?.stamps.get(name) === stamp && isOver(listing);
    const found = (isKnown ? known.facts.get(name) : undefined) ?? factsOf(listing);
    facts.set(name, found);
    rows.push(rowOf(name, listing, found));
  }
  return { stamps, rows, facts, annotationsStamp, annotations };
}

function rowOf(id: string, listing: RunListing, { problems, config, ...numbers }: Facts): RunRow {
  const { name, method, role, pair, seed, dataset, at, state } = listing;
  // A folder that was copied says another's id, and is no part of the other's pair.
  const isOwn = id === listing.id;
  const model = configValue(config, 'model.name');
  const copy = isOwn ? [] : [t('A copy of {0}: its events name that run.', listing.id)];
  const lost = state === 'lost' ? [t('Its process ended without saying so.')] : [];
  const problem = [...copy, ...problems, ...(problems.length === 0 ? lost : [])].join(' ');
  return {
    ...noAnnotation,
    ...{ id, name, method, role, seed, dataset, at, state },
    ...(pair === undefined || !isOwn ? {} : { pair }),
    ...(typeof model === 'string' ? { model } : {}),
    experiment: isOwn ? experimentOf(listing) : id,
    ...numbers,
    config,
    ...(problem === '' ? {} : { problem }),
  };
}

/** A folder with events of which neither they nor the config tell what they are; nothing for a folder of something else. */
function damagedRow(folder: string): RunRow | undefined {
  const events = fs.statSync(path.join(folder, runFiles.events), { throwIfNoEntry: false });
  if (!events?.isFile()) return undefined;
  const id = path.basename(folder);
  const version = versionOf(readPart(path.join(folder, runFiles.events), 0, HEAD_SIZE));
  return {
    ...noAnnotation,
    ...{ id, name: id, method: '', role: 'method', experiment: id, seed: 0, dataset: '', state: 'lost', config: {} },
    at: events.mtime.toISOString(),
    problem: newer(version) ?? t('Damaged: neither its events nor its config can be read.'),
  };
}

function factsOf({ folder, state }: RunListing): Facts {
  const [config, configProblem] = readJson(folder, runFiles.config);
  const [value, summaryProblem] = readJson(folder, runFiles.summary);
  const parsed = value === undefined ? undefined : summarySchema.safeParse(value);
  const summary = parsed?.success ? parsed.data : undefined;
  const read = summary && state !== 'failed' && state !== 'lost' ? undefined : eventFacts(folder);
  const problems = [
    configProblem,
    summaryProblem ?? (parsed && !parsed.success ? t('{0} is damaged.', runFiles.summary) : undefined),
    ...(read?.problems ?? []),
  ];
  return {
    ...(read?.numbers ?? {}),
    ...(summary ? summaryNumbers(summary) : {}),
    config: flattenConfig(config),
    problems: problems.filter((problem) => problem !== undefined),
  };
}

function summaryNumbers({ epochs, final, best, cost }: Summary): Omit<Facts, 'config' | 'problems'> {
  const { seconds, flops, peakMemoryBytes } = cost;
  return {
    ...{ epochs, seconds, flops, peakMemoryBytes },
    ...validated(final),
    ...(best ? { best: best.top1 } : {}),
  };
}

/** A list need not read more of a run without a summary: the first line, and its newest events. */
const HEAD_SIZE = 64 << 10;
const TAIL_SIZE = 128 << 10;

/** What the events say of a run that has no summary, for it goes on or ended in another way. */
function eventFacts(folder: string): { numbers: Partial<Omit<Facts, 'config' | 'problems'>>; problems: string[] } {
  const file = path.join(folder, runFiles.events);
  const size = fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  const version = versionOf(readPart(file, 0, HEAD_SIZE));
  const lines = readPart(file, Math.max(0, size - TAIL_SIZE), TAIL_SIZE)
    .split('\n')
    .reverse();
  const newest = <T extends RunEvent['type']>(
    type: T,
    wanted: (event: RunEvent & { type: T }) => boolean = () => true,
  ) => {
    for (const line of lines) {
      const event = line.includes(`"${type}"`) ? decodeEvent(line) : undefined;
      if (event?.type === type && wanted(event as RunEvent & { type: T })) return event as RunEvent & { type: T };
    }
    return undefined;
  };
  const step = newest('step');
  const epoch = newest('epoch');
  const validation = newest('epoch', (event) => event.validation !== undefined)?.validation;
  const end = newest('end');
  const seconds = Math.max(step?.t ?? 0, epoch?.t ?? 0, end?.t ?? 0);
  const isLastEnd = end && end.t >= Math.max(step?.t ?? 0, epoch?.t ?? 0);
  const failure = isLastEnd && end.state === 'failed' && end.message !== '' ? end.message : undefined;
  return {
    numbers: {
      ...(epoch ? { epochs: epoch.epoch } : {}),
      ...validated(validation),
      ...(seconds > 0 ? { seconds } : {}),
      ...(step ? { flops: step.flops } : {}),
    },
    problems: [newer(version), failure].filter((problem) => problem !== undefined),
  };
}

function validated(validation: Summary['final']): Partial<Pick<Facts, 'top1' | 'maskedTop1' | 'loss'>> {
  if (!validation) return {};
  const { top1, maskedTop1, loss } = validation;
  return { top1, loss, ...(maskedTop1 === undefined ? {} : { maskedTop1 }) };
}

const newer = (version: number | undefined) =>
  version !== undefined && version > EVENT_VERSION
    ? t('Written by a newer version of MaskSub (events of version {0}).', version)
    : undefined;

/** The schema version of the first event. */
function versionOf(head: string): number | undefined {
  const version = /^\{"v":(\d+)/.exec(head)?.[1];
  return version === undefined ? undefined : Number(version);
}

/** The value of a JSON file of the folder, nothing where it has none, and what is wrong with it. */
function readJson(folder: string, name: string): [value: unknown, problem?: string] {
  try {
    return [JSON.parse(fs.readFileSync(path.join(folder, name), 'utf8'))];
  } catch (error) {
    if (errorCode(error) === 'ENOENT')
      return name === runFiles.config ? [undefined, t('{0} is missing.', name)] : [undefined];
    if (error instanceof SyntaxError) return [undefined, t('{0} is damaged.', name)];
    return [undefined, String(explainFileError(path.join(folder, name), error))];
  }
}

/** Text of a file from an offset on; empty where it cannot be read: it may be gone by now. */
function readPart(file: string, offset: number, size: number): string {
  let descriptor: number | undefined;
  try {
    descriptor = fs.openSync(file, 'r');
    const buffer = Buffer.allocUnsafe(size);
    return buffer.toString('utf8', 0, fs.readSync(descriptor, buffer, 0, size, offset));
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return '';
  } finally {
    if (descriptor !== undefined) fs.closeSync(descriptor);
  }
}

/** Of each folder in `out`: when the files that its row is made of were written, and how long they are. */
function stampsOf(out: string): Map<string, string> {
  let entries: fs.Dirent[];
  try {
    entries = fs.readdirSync(out, { withFileTypes: true });
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return new Map();
    throw explainFileError(out, error);
  }
  const folders = entries.filter((entry) => entry.isDirectory() || entry.isSymbolicLink());
  return new Map(
    folders.map(({ name }) => {
      const stamps = [runFiles.config, runFiles.summary, runFiles.events].map((file) =>
        stampOf(path.join(out, name, file)),
      );
      return [name, stamps.join()];
    }),
  );
}

function stampOf(file: string): string {
  try {
    const stat = fs.statSync(file, { throwIfNoEntry: false });
    return stat ? `${stat.mtimeMs}/${stat.size}/${stat.ino}` : '';
  } catch {
    return '!'; // not for us to see
  }
}

const withProblem = (row: RunRow, problem: string): RunRow => ({
  ...row,
  problem: row.problem === undefined ? problem : `${row.problem} ${problem}`,
});
const compareTexts = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
