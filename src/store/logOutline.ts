/** The state of a run from its log, without parsing what makes a log long: of its steps only the first and the newest count. */
import path from 'node:path';
import { decodeEvent, type RunEvent } from '../core/events.ts';
import { emptyRun, type RunState, reduceRun } from '../core/run.ts';
import { runFiles } from './layout.ts';
import { LINE_FEED, LogLines } from './logLines.ts';

/** What is read of a long log of which only the progress is wanted. */
const HEAD_SIZE = 64 << 10;
const TAIL_SIZE = 1 << 20;
/** And what is kept of it. */
const MOST_EPOCHS = 1000;

const STEP = Buffer.from('"type":"step"');
const LAYERS = Buffer.from('"type":"layers"');

export class LogOutline {
  state: RunState;
  readonly #lines: LogLines;
  /** The newest step, not parsed yet, and whether nothing came after it. */
  #step: Buffer | undefined;
  #isLast = false;
  #skipped = false;

  constructor(folder: string) {
    this.state = emptyRun(path.basename(path.resolve(folder)));
    this.#lines = new LogLines(path.join(folder, runFiles.events));
  }

  /** Of a run that lives, however long: its start, and with the next `read` how it stands; of its epochs and warnings the newest. */
  static ofNewest(folder: string): LogOutline {
    const outline = new LogOutline(folder);
    const head = outline.#lines.skip(HEAD_SIZE, TAIL_SIZE);
    if (!head) return outline;
    outline.#take(head);
    outline.#settle();
    outline.#skipped = true;
    return outline;
  }

  /** Reads what was appended since. */
  read(): RunState {
    for (const _ of this.pieces());
    return this.state;
  }

  /** As `read`, a piece a turn. */
  *pieces(): Generator<void> {
    for (const bytes of this.#lines.pieces()) {
      this.#take(bytes);
      if (this.#step) this.#step = Buffer.from(this.#step); // the piece's memory is used again
      yield;
    }
    this.#settle();
  }

  /** Forgets all but the newest epochs and warnings. */
  trim(): void {
    const { epochs, warnings } = this.state;
    if (epochs.length <= MOST_EPOCHS && warnings.length <= MOST_EPOCHS) return;
    this.state = { ...this.state, epochs: epochs.slice(-MOST_EPOCHS), warnings: warnings.slice(-MOST_EPOCHS) };
  }

  #take(bytes: Buffer): void {
    let step = bytes.indexOf(STEP);
    let layers = bytes.indexOf(LAYERS);
    for (let start = 0; start < bytes.length; ) {
      const end = bytes.indexOf(LINE_FEED, start);
      if (step >= 0 && step < start) step = bytes.indexOf(STEP, start);
      if (layers >= 0 && layers < start) layers = bytes.indexOf(LAYERS, start);
      const isStep = step >= 0 && step < end;
      const isWhole = bytes[end - 1] === 0x7d;
      if (isStep && isWhole) {
        this.#step = bytes.subarray(start, end);
        this.#isLast = true;
        if (!this.state.firstStep || this.#skipped) this.#settle();
      } else if (end > start && !(layers >= 0 && layers < end)) {
        const event = decodeEvent(bytes.toString('utf8', start, end));
        if (event?.type === 'start') this.#settle(); // what it goes on from
        if (event) this.#reduce(event);
        this.#isLast &&= !event;
      }
      start = end + 1;
    }
  }

  #settle(): void {
    const event = this.#step && decodeEvent(this.#step.toString('utf8'));
    this.#step = undefined;
    if (!event) return;
    const { t } = this.state;
    this.#reduce(event);
    if (!this.#isLast) this.state = { ...this.state, t };
  }

  #reduce(event: RunEvent): void {
    if (this.state.t === 0 && !this.state.start) this.state = { ...this.state, id: event.run };
    if (this.#skipped && event.type === 'step') {
      // An attempt that ended may lie in what was passed over, and the start of this one.
      const isOther = this.state.firstStep?.attempt !== event.attempt;
      if (isOther) this.state = { ...this.state, firstStep: undefined, end: undefined, state: 'running' };
      this.#skipped = false;
    }
    this.state = reduceRun(this.state, event);
  }
}
