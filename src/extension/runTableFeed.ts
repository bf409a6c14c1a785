/** The rows of the run table for the dashboard, as long as it wants them; and what a person writes beside them. */
import type { Disposable, LogOutputChannel } from 'vscode';
import { describeError } from '../core/errors.ts';
import { t } from '../core/l10n.ts';
import type { FromDashboard, ToDashboard } from '../core/messages.ts';
import { annotate } from '../store/annotations.ts';
import { RunRows } from '../store/runRows.ts';
import type { Runs } from './runs.ts';

/** Between two looks at the folders while something changes, in milliseconds. */
const PAUSE_MS = 1000;

export class RunTableFeed implements Disposable {
  readonly #post: (message: ToDashboard) => void;
  readonly #log: LogOutputChannel;
  readonly #rows: RunRows;
  readonly #subscription: Disposable;
  #wanted = false;
  #visible = false;
  /** What was said of the annotations last. */
  #problem: string | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(runs: Runs, post: (message: ToDashboard) => void, log: LogOutputChannel) {
    this.#post = post;
    this.#log = log;
    this.#rows = new RunRows(() => runs.outFolders());
    this.#subscription = runs.onDidChange(() => this.#later());
  }

  /** True while the page wants to be told of every change. */
  set wanted(wanted: boolean) {
    this.#wanted = wanted;
    if (wanted) this.#send();
  }

  /** False while nobody sees the page: it is told once it is seen again. */
  set visible(visible: boolean) {
    if (visible && !this.#visible && this.#wanted) this.#later();
    this.#visible = visible;
  }

  annotate({ run, star, tags, notes }: Extract<FromDashboard, { type: 'annotate' }>): void {
    const out = this.#rows.outOf(run);
    if (out === undefined) {
      this.#post({ type: 'notice', text: t('There is no such run any more: {0}', run) });
      return;
    }
    const change = {
      ...(star === undefined ? {} : { star }),
      ...(tags === undefined ? {} : { tags }),
      ...(notes === undefined ? {} : { notes }),
    };
    try {
      const kept = annotate(out, run, change);
      if (kept) this.#post({ type: 'notice', text: kept });
    } catch (error) {
      this.#post({ type: 'notice', text: describeError(error) });
    }
    this.#send();
  }

  dispose(): void {
    clearTimeout(this.#timer);
    this.#subscription.dispose();
  }

  #later(): void {
    if (!this.#wanted || this.#timer) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#wanted && this.#visible) this.#send();
    }, PAUSE_MS);
  }

  #send(): void {
    try {
      this.#post({ type: 'rows', rows: this.#rows.read() });
      const { problem } = this.#rows;
      if (problem !== undefined && problem !== this.#problem) this.#post({ type: 'notice', text: problem });
      this.#problem = problem;
    } catch (error) {
      this.#log.error(`The runs cannot be listed: ${String(error)}`);
      this.#post({ type: 'notice', text: describeError(error) });
    }
  }
}
