/** What the leader of an experiment and its training processes tell each other. */
import type { Config } from '../core/config.ts';
import type { Role, RunEvent } from '../core/events.ts';

/** One run, as its training process gets it. */
export interface Job {
  readonly runId: string;
  readonly out: string;
  readonly pair: string | undefined;
  readonly role: Role;
  readonly config: Config;
  /** Folder of the config file; relative data paths start there. */
  readonly configFolder: string;
  /** The leader: pid, start time and control socket. */
  readonly leader: { readonly pid: number; readonly startTime: string; readonly socket: string };
}

export type ToTrainer = { readonly type: 'job'; readonly job: Job } | { readonly type: 'stop' };

export type FromTrainer =
  | { readonly type: 'event'; readonly event: RunEvent }
  /** A signal reached this process; the whole experiment shall stop. */
  | { readonly type: 'stopRequested' }
  /** The process ends with an error; `forPerson` where it is wrong use or unreadable input rather than a bug. */
  | { readonly type: 'refused'; readonly message: string; readonly forPerson: boolean };
