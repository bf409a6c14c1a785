/** A run as the run table lists it: what it is, how it stands, what it came to, its config flattened, and a person's notes. */
import type { EndState, Role } from './events.ts';
import type { RunState } from './run.ts';

/** What a person says of a run; kept beside the run folders, not in them. */
export interface Annotation {
  readonly star: boolean;
  readonly tags: readonly string[];
  readonly notes: string;
}

export const noAnnotation: Annotation = { star: false, tags: [], notes: '' };

/** Most runs that one dashboard shows at a time. */
export const MOST_RUNS = 12;

export interface RunRow extends Annotation {
  /** Unique among the runs of a workspace: the name of its folder. */
  readonly id: string;
  readonly name: string;
  readonly method: string;
  readonly role: Role;
  readonly pair?: string;
  /** Id of the experiment that it is part of. */
  readonly experiment: string;
  readonly seed: number;
  readonly dataset: string;
  readonly model?: string;
  /** When it began, ISO 8601. */
  readonly at: string;
  readonly state: RunState['state'] | EndState;
  /** Completed epochs. */
  readonly epochs?: number;
  /** Of the last validation: top-1 (a fraction) and loss; best top-1 on the way. */
  readonly top1?: number;
  readonly maskedTop1?: number;
  readonly loss?: number;
  readonly best?: number;
  /** Cost: wall-clock seconds, floating-point operations, peak resident bytes. */
  readonly seconds?: number;
  readonly flops?: number;
  readonly peakMemoryBytes?: number;
  /** Every key of its config, dotted. */
  readonly config: Readonly<Record<string, string | number | boolean>>;
  /** Something about the folder that a person should know: a copy of another run, a newer version, damage. */
  readonly problem?: string;
}
