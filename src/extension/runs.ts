/** The runs of this workspace as their folders tell: listed, and the living ones followed for progress. */
import fs from 'node:fs';
import path from 'node:path';
import * as vscode from 'vscode';
import { isOver, type RunState } from '../core/run.ts';
import type { LogOutline } from '../store/logOutline.ts';
import type { RunListing } from '../store/runReader.ts';
import { type Experiment, groupExperiments, isLiving } from './experiments.ts';

/** How often the folders are looked at while nothing lives, and while something does, in milliseconds. */
const IDLE_MS = 2000;
const LIVING_MS = 500;
/** A new run folder is filled within a few looks after it was made; from then on nothing but a living run changes it. */
const LOOKS_TO_SETTLE = 5;

/** Where the runs of a workspace folder lie. */
export function outFolder(folder: vscode.WorkspaceFolder): string {
  return path.join(folder.uri.fsPath, '.masksub', 'runs');
}

/**
 * Looks at the run folders from time to time; a watcher of the file system would cost no less and is missing on some remote
 * machines. Fires after every change in the list or in the progress of a living run.
 */
export class Runs implements vscode.Disposable {
  readonly #changed = new vscode.EventEmitter<void>();
  readonly onDidChange = this.#changed.event;
  readonly #onError: (error: unknown) => void;
  readonly #followed = new Map<string, LogOutline>();
  #experiments: readonly Experiment[] = [];
  #seen = '';
  #looksLeft = 0;
  #timer: NodeJS.Timeout | undefined;
  #disposed = false;

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  /** Newest first. */
  get experiments(): readonly Experiment[] {
    return this.#experiments;
  }

  /** The runs that live, with their progress so far. */
  get living(): readonly RunState[] {
    return [...this.#followed.values()].map(({ state }) => state);
  }

  outFolders(): string[] {
    return (vscode.workspace.workspaceFolders ?? []).filter((folder) => folder.uri.scheme === 'file').map(outFolder);
  }

  /** Looks now, and from then on by itself. */
  async refresh(): Promise<void> {
    clearTimeout(this.#timer);
    try {
      await this.#look();
    } catch (error) {
      this.#onError(error);
    }
    if (this.#disposed) return;
    clearTimeout(this.#timer); // another call may have set one meanwhile
    this.#timer = setTimeout(() => this.refresh(), this.#followed.size > 0 ? LIVING_MS : IDLE_MS);
  }

  dispose(): void {
    this.#disposed = true;
    clearTimeout(this.#timer);
    this.#changed.dispose();
  }

  async #look(): Promise<void> {
    const folders = this.outFolders();
    const stamps = folders.map(modified).join();
    if (stamps !== this.#seen) this.#looksLeft = LOOKS_TO_SETTLE;
    this.#seen = stamps;
    if (this.#looksLeft === 0 && this.#followed.size === 0) return;
    this.#looksLeft = Math.max(0, this.#looksLeft - 1);
    const { listRuns } = await import('../store/runReader.ts');
    const listings = folders.flatMap((folder) => listRuns(folder));
    const before = signature(this.#experiments, this.living);
    await this.#follow(listings);
    this.#experiments = groupExperiments(listings);
    if (signature(this.#experiments, this.living) === before) return;
    await vscode.commands.executeCommand('setContext', 'masksub.running', this.#experiments.some(hasLiving));
    await vscode.commands.executeCommand('setContext', 'masksub.hasRuns', this.#experiments.length > 0);
    this.#changed.fire();
  }

  async #follow(listings: readonly RunListing[]): Promise<void> {
    const living = listings.filter((listing) => !isOver(listing));
    for (const folder of this.#followed.keys()) {
      if (!living.some((listing) => listing.folder === folder)) this.#followed.delete(folder);
    }
    if (living.length === 0) return;
    const { LogOutline } = await import('../store/logOutline.ts');
    for (const { folder } of living) {
      // A run that was started long ago is not read whole here: its progress is wanted, and its newest epochs.
      const outline = this.#followed.get(folder) ?? LogOutline.ofNewest(folder);
      this.#followed.set(folder, outline);
      outline.read();
      outline.trim();
    }
  }
}

const hasLiving = (experiment: Experiment) => isLiving(experiment.runs);

/** What of the list and the progress can be seen somewhere. */
function signature(experiments: readonly Experiment[], living: readonly RunState[]): string {
  const listed = experiments.flatMap(({ runs }) => runs.map((run) => `${run.folder} ${run.state}`));
  return [...listed, ...living.map((run) => `${run.id} ${run.lastStep?.step}`)].join('\n');
}

/** The time of the last change in a folder; a run folder that comes or goes changes it. */
function modified(folder: string): number {
  return fs.statSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
