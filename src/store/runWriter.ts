/** The run folder as its run writes it. */
import fs from 'node:fs';
import path from 'node:path';
import { UserError } from '../core/errors.ts';
import { type EngineEvent, EVENT_VERSION, encodeEvent, type RunEvent, type Summary } from '../core/events.ts';
import {
  AppendFile,
  errorCode,
  isTemporary,
  makeFolder,
  makeNewFolder,
  remove,
  type StagedFile,
  stageWhole,
  touch,
  writeWhole,
} from './files.ts';
import { runFiles } from './layout.ts';
import { type RunLock, removeLock, takeLock, writeLock } from './lock.ts';
import { EventTail } from './runReader.ts';
import { encodeSafetensors, type TensorFile } from './safetensors.ts';
import { type StoredSamples, writeSamples } from './samplesFile.ts';

export interface RunWriterOptions {
  /** Counts resumes. */
  readonly attempt?: number;
  /** Seconds, from any beginning, never backwards; for tests. */
  readonly clock?: () => number;
  /** Written first, so that no reader ever takes the new folder for that of a dead run. */
  readonly lock?: RunLock;
  /** Seconds into the run at which the attempt begins. */
  readonly begin?: number;
}

/** An event is on the disk at most this long after it was said, in milliseconds. */
const syncInterval = 5000;

/** Writes one run. Every method throws a `UserError` where the disk refuses. */
export class RunWriter {
  readonly id: string;
  readonly folder: string;
  readonly #events: AppendFile;
  /** Counts resumes. */
  readonly attempt: number;
  readonly #clock: () => number;
  readonly #begin: number;
  #timer: NodeJS.Timeout | undefined;
  #syncError: unknown;
  #stagedSummary: StagedFile | undefined;

  /**
   * Makes the run's folder `<out>/<id>` with its config. Throws a `UserError` where there is such a run already, a file is in the
   * way, or the disk refuses; it then leaves nothing behind.
   */
  static create(out: string, id: string, config: object, options: RunWriterOptions = {}): RunWriter {
    if (path.basename(id) !== id || ['', '.', '..'].includes(id)) {
      throw new UserError(`"${id}" is no run id: it names a folder and so holds no "/".`, {
        hint: 'Choose another --id.',
      });
    }
    const folder = path.join(out, id);
    makeFolder(out);
    try {
      makeNewFolder(folder);
    } catch (error) {
      if (error instanceof UserError && errorCode(error.cause) === 'EEXIST') {
        throw new UserError(`There is a run folder or a file of that name already: ${folder}.`, {
          hint: 'Choose another --id or --out, or move it away.',
          cause: error.cause,
        });
      }
      throw error;
    }
    try {
      if (options.lock) writeLock(folder, options.lock);
      writeWhole(path.join(folder, runFiles.config), `${JSON.stringify(config, undefined, 2)}\n`);
      return new RunWriter(folder, id, options);
    } catch (error) {
      remove(folder);
      throw error;
    }
  }

  /**
   * Goes on writing a run that is over or lost, as its next attempt. What its process left unfinished is cleared away; everything else
   * stays until the new attempt says its start. Throws a `UserError` where the run is alive.
   */
  static resume(folder: string, lock: RunLock, clock?: () => number): RunWriter {
    takeLock(folder, lock);
    removeUnfinished(folder);
    removeUnfinished(path.join(folder, runFiles.checkpoints));
    removeUnfinished(path.join(folder, runFiles.samples));
    const last = new EventTail(folder).read().at(-1);
    const writer = new RunWriter(folder, last?.run ?? path.basename(folder), {
      attempt: (last?.attempt ?? -1) + 1,
      begin: last?.t ?? 0,
      ...(clock ? { clock } : {}),
    });
    writer.#events.endLine();
    touch(path.dirname(path.resolve(folder))); // a list of runs is read anew when one comes, goes, or goes on
    return writer;
  }

  /** Use `create` or `resume`. */
  private constructor(folder: string, id: string, options: RunWriterOptions) {
    this.id = id;
    this.folder = folder;
    this.attempt = options.attempt ?? 0;
    this.#clock = options.clock ?? (() => performance.now() / 1000);
    this.#begin = this.#clock() - (options.begin ?? 0);
    this.#events = new AppendFile(path.join(folder, runFiles.events));
  }

  /**
   * Completes the event and appends it, a line, at once. An `end` event that says `finished` is only appended once its summary is
   * on the disk, so that a run whose folder could not be completed never reads as finished.
   */
  emit(event: EngineEvent): RunEvent {
    if (this.#syncError !== undefined) throw this.#syncError;
    const { type, ...rest } = event;
    const t = Math.round(1e6 * Math.max(0, this.#clock() - this.#begin)) / 1e6;
    const full = { v: EVENT_VERSION, type, run: this.id, attempt: this.attempt, t, ...rest } as RunEvent;
    if (type === 'start' && this.attempt > 0) remove(path.join(this.folder, runFiles.summary)); // of the attempt before
    const isFinish = event.type === 'end' && event.state === 'finished';
    if (isFinish && event.summary) this.#stagedSummary = this.#stageSummary(event.summary);
    try {
      this.#events.append(`${encodeEvent(full)}\n`);
    } catch (error) {
      this.#discardSummary();
      throw error;
    }
    if (type === 'start' || type === 'end') this.#sync();
    else this.#timer ??= setTimeout(() => this.#syncLater(), syncInterval).unref();
    return full;
  }

  /**
   * Writes `checkpoints/<name>` as a whole and gives that relative path; a crash leaves an earlier one of that name as it was.
   * Everything said before it is on the disk then, too.
   */
  writeCheckpoint(name: string, tensors: TensorFile, metadata: Readonly<Record<string, string>>): string {
    const checkpoints = path.join(this.folder, runFiles.checkpoints);
    // Without those above it: where somebody has removed the run's folder, it must not come back with nothing but this.
    if (!fs.existsSync(checkpoints)) makeNewFolder(checkpoints);
    writeWhole(path.join(checkpoints, name), encodeSafetensors(tensors, metadata));
    this.#sync();
    return `${runFiles.checkpoints}/${name}`;
  }

  /** Writes what an epoch recorded of its samples, as a whole, and gives its path relative to the run folder. */
  writeSamples(recorded: StoredSamples): string {
    return writeSamples(this.folder, recorded);
  }

  /** Ends the run's writing: the summary, that of the `end` event before, comes, and the lock and the control file go. */
  finish(summary: Summary): void {
    this.#sync();
    (this.#stagedSummary ?? this.#stageSummary(summary)).commit();
    this.#stagedSummary = undefined;
    remove(path.join(this.folder, runFiles.control));
    removeLock(this.folder);
    this.close();
  }

  /** Ends a run that failed, without a summary: the `end` event says why, and the lock and the control file go. */
  fail(message: string): RunEvent {
    const event = this.emit({ type: 'end', state: 'failed', message });
    remove(path.join(this.folder, runFiles.control));
    removeLock(this.folder);
    this.close();
    return event;
  }

  /** Lets go of the files without an end: readers find the run lost once its process is gone. */
  close(): void {
    clearTimeout(this.#timer);
    this.#discardSummary();
    this.#events.close();
  }

  #stageSummary(summary: Summary): StagedFile {
    return stageWhole(path.join(this.folder, runFiles.summary), `${encodeEvent(summary)}\n`);
  }

  #discardSummary(): void {
    this.#stagedSummary?.discard();
    this.#stagedSummary = undefined;
  }

  #sync(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#events.sync();
  }

  /** Nobody would catch what a timer throws; the next event brings it up. */
  #syncLater(): void {
    try {
      this.#sync();
    } catch (error) {
      this.#syncError = error;
    }
  }
}

/**
 * Ends a run whose process died without an end: appends the `end` event in its place and removes lock and control file. Only for
 * who started that process and saw it end. Gives the event, or nothing where there is no run to end.
 */
export function endDeadRun(out: string, id: string, message: string): RunEvent | undefined {
  const folder = path.join(out, id);
  const last = fs.existsSync(path.join(folder, runFiles.events)) ? new EventTail(folder).read().at(-1) : undefined;
  if (!last || last.type === 'end') return undefined;
  const { v, run, attempt, t } = last;
  const event: RunEvent = { v, type: 'end', run, attempt, t, state: 'failed', message };
  const events = new AppendFile(path.join(folder, runFiles.events));
  events.endLine();
  events.append(`${encodeEvent(event)}\n`);
  events.sync();
  events.close();
  removeUnfinished(folder);
  removeUnfinished(path.join(folder, runFiles.checkpoints));
  removeUnfinished(path.join(folder, runFiles.samples));
  remove(path.join(folder, runFiles.control));
  removeLock(folder);
  return event;
}

/** Takes away what a process that was killed had not written to its end. */
function removeUnfinished(folder: string): void {
  if (!fs.existsSync(folder)) return;
  for (const name of fs.readdirSync(folder)) if (isTemporary(name)) remove(path.join(folder, name));
}
