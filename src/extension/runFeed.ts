/** The events of one run for the dashboard, as its folder grows. */
import fs from 'node:fs';
import path from 'node:path';
import type { RunEvent } from '../core/events.ts';
import { runFiles } from '../store/layout.ts';
import { EventTail } from '../store/runReader.ts';

export class RunFeed {
  readonly id: string;
  readonly folder: string;
  readonly #tail: EventTail;
  #size = 0;
  /** True once the run has said its end. */
  over = false;

  constructor(id: string, folder: string) {
    this.id = id;
    this.folder = folder;
    this.#tail = new EventTail(folder);
  }

  /** The events since the last call; asks the disk for no more than a size where there are none. */
  read(): RunEvent[] {
    const size = fs.statSync(path.join(this.folder, runFiles.events), { throwIfNoEntry: false })?.size ?? 0;
    if (size === this.#size) return [];
    this.#size = size;
    const events = this.#tail.read();
    this.over = events.reduce((over, event) => event.type === 'end' || (over && event.type !== 'start'), this.over);
    return events;
  }
}
