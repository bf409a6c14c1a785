/** What the leader of an experiment and its training processes tell each other. */
import type { Config } from '../core/config.ts';
import type { Role, RunEvent } from '../core/events.ts';
import type { Fork } from '../engine/fork.ts';

/** One run, as its training process gets it. */
export interface Job {
  readonly runId: string;
  readonly out: string;
  readonly pair: string | undefined;
  readonly role: Role;
  readonly config: Config;
  /** Folder of the config file; relative data paths start there. */
  readonly configFolder: string;
  /** Threads of the training process; a run that goes on needs as many as before, or its sums round differently. */
  readonly threads: number;
  /** Set for a run that goes on in the folder it has, from its newest checkpoint. */
  readonly resume?: ResumeJob;
  /** Set for a run that goes on from a checkpoint of another one. */
  readonly fork?: ForkJob;
  /** The leader: pid, start time and control socket. */
  readonly leader: { readonly pid: number; readonly startTime: string; readonly socket: string };
}

/** What a run that goes on said of itself before. */
export interface ResumeJob {
  readonly dataHash: string;
  readonly backend: string;
  readonly executor: string;
}

/** Where a fork goes on. */
export interface ForkJob extends Fork {
  /** The folder of the other run, and the checkpoint relative to it. */
  readonly folder: string;
  readonly file: string;
  readonly dataHash: string;
}

export type ToTrainer = { readonly type: 'job'; readonly job: Job } | { readonly type: 'stop' };

export type FromTrainer =
  | { readonly type: 'event'; readonly event: RunEvent }
  /** A signal reached this process; the whole experiment shall stop. */
  | { readonly type: 'stopRequested' }
  /** The process ends with an error; `forPerson` where it is wrong use or unreadable input rather than a bug. */
  | { readonly type: 'refused'; readonly message: string; readonly forPerson: boolean };
