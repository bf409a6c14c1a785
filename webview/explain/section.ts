/** What the sections of the page share: what they are given to show, and what they ask the page for. */
import type { ShownRun } from '../state.ts';
import type { SampleRecord } from './record.ts';
import type { Answer } from './recordCache.ts';

export interface View {
  readonly run: ShownRun;
  readonly title: string;
  readonly record: SampleRecord;
  /** Position of the selected training sample in the record. */
  readonly selected: number;
  /** The records of the run that are at hand: scales that hold for all of them stay while the epoch changes. */
  readonly others: readonly SampleRecord[];
  /** The other run of the pair, where it recorded this epoch too. */
  readonly twin: { readonly title: string; readonly answer: Answer } | undefined;
}

export interface Section {
  readonly root: HTMLElement;
  readonly show: (view: View) => void;
  /** Draws all anew, in other colours. */
  readonly redraw: () => void;
}

export interface SectionActions {
  readonly select: (index: number) => void;
  /** So many recorded epochs further. */
  readonly stepEpoch: (by: number) => void;
}
