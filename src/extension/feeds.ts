/** The runs that the dashboard shows: what their folders say, sent on as long as somebody sees it. */
import type { LogOutputChannel } from 'vscode';
import { t } from '../core/l10n.ts';
import type { FromDashboard, RunHandle, ToDashboard } from '../core/messages.ts';
import type { MetricWindow } from '../core/metricQuery.ts';
import { RunFeed } from './runFeed.ts';

/** How often a visible dashboard looks for new events, in milliseconds. */
const TICK_MS = 100;
/** How often it is told of new scalars at most: it then asks for what it draws. */
const METRICS_MS = 200;
/** Events in one message, so that a long run does not arrive as one block. */
const EVENTS_A_MESSAGE = 5000;

export interface FedRun extends RunHandle {
  readonly folder: string;
}

export class Feeds {
  readonly #post: (message: ToDashboard) => void;
  readonly #log: LogOutputChannel;
  #feeds: RunFeed[] = [];
  readonly #lost = new Set<string>();
  /** Those whose folder was removed while they were shown, or cannot be read any more. */
  readonly #unreadable = new Set<string>();
  readonly #told = new Map<string, { rows: string; at: number; problem?: string | undefined }>();
  #timer: NodeJS.Timeout | undefined;
  #visible = false;
  #ticking = false;

  constructor(post: (message: ToDashboard) => void, log: LogOutputChannel) {
    this.#post = post;
    this.#log = log;
  }

  /** Tells the page what it shows, and everything about it from the beginning. */
  show(runs: readonly FedRun[]): void {
    for (const feed of this.#feeds) feed.close();
    this.#feeds = runs.map(({ id, folder }) => {
      const onReading = (done: number) => this.#post({ type: 'reading', run: id, done });
      return new RunFeed(id, folder, onReading);
    });
    this.#told.clear();
    this.#lost.clear();
    this.#unreadable.clear();
    for (const run of runs) if (run.lost) this.#lost.add(run.id);
    this.#post({ type: 'show', runs: runs.map(({ folder, ...handle }) => handle) });
    void this.#tick();
  }

  /**
   * After a change in the list of runs; false where one comes, goes on or will not come after all, so that all must be shown anew. What
   * was read of a folder that is gone stays.
   */
  update(runs: readonly FedRun[]): boolean {
    const ids = new Set(this.#feeds.map(({ id }) => id));
    const isResumed = ({ id, lost }: FedRun) => !lost && this.#lost.has(id) && !this.#unreadable.has(id);
    const gone = this.#feeds.filter(({ id }) => !runs.some((run) => run.id === id));
    if (runs.some((run) => !ids.has(run.id) || isResumed(run)) || gone.some(({ metrics }) => !metrics)) return false;
    for (const { id } of gone) {
      if (this.#unreadable.has(id)) continue;
      this.#unreadable.add(id);
      this.#lost.add(id);
      this.#post({ type: 'problem', run: id, text: t('Its folder is gone. What was read of it is shown still.') });
      this.#post({ type: 'lost', run: id });
    }
    for (const { id, lost } of runs) {
      if (!lost || this.#lost.has(id)) continue;
      this.#lost.add(id);
      this.#post({ type: 'lost', run: id });
    }
    void this.#tick(); // a run that was over may go on
    return true;
  }

  /** Looks for events only while somebody sees them and some may come. */
  set visible(visible: boolean) {
    this.#visible = visible;
    this.#pace();
  }

  /** The answers to the page's queries, in their order; nothing for a run that is not shown or has no scalars yet. */
  windows(queries: Extract<FromDashboard, { type: 'windows' }>['queries']): (MetricWindow | null)[] {
    return queries.map(({ run, query }) => {
      const feed = this.#feeds.find(({ id }) => id === run);
      try {
        return feed?.metrics?.window(query) ?? null;
      } catch (error) {
        if (feed) this.#lose(feed, error);
        return null;
      }
    });
  }

  folderOf(run: string): string | undefined {
    return this.#feeds.find(({ id }) => id === run)?.folder;
  }

  dispose(): void {
    clearInterval(this.#timer);
    for (const feed of this.#feeds) feed.close();
    this.#feeds = [];
  }

  #isOpen = (feed: RunFeed) => !feed.over && !this.#lost.has(feed.id);

  #pace(): void {
    const wanted = this.#visible && this.#feeds.some(this.#isOpen);
    if (wanted && !this.#timer) this.#timer = setInterval(() => this.#tick(), TICK_MS);
    if (!wanted) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
  }

  async #tick(): Promise<void> {
    if (this.#ticking) return;
    this.#ticking = true;
    const feeds = this.#feeds;
    try {
      await Promise.all(feeds.map((feed) => this.#read(feed)));
    } finally {
      this.#ticking = false;
    }
    if (feeds !== this.#feeds)
      void this.#tick(); // others are shown meanwhile
    else this.#pace();
  }

  async #read(feed: RunFeed): Promise<void> {
    try {
      const events = await feed.read();
      if (!this.#feeds.includes(feed)) return;
      for (let i = 0; i < (events?.length ?? 0); i += EVENTS_A_MESSAGE) {
        this.#post({ type: 'events', run: feed.id, events: events?.slice(i, i + EVENTS_A_MESSAGE) ?? [] });
      }
      this.#tellMetrics(feed);
    } catch (error) {
      this.#lose(feed, error);
    }
  }

  #tellMetrics(feed: RunFeed): void {
    const tables = feed.facts();
    if (!tables) return;
    const told = this.#told.get(feed.id);
    const rows = Object.values(tables)
      .map((table) => `${table.rows}`)
      .join();
    const { problem } = feed;
    if (problem && problem !== told?.problem) this.#post({ type: 'problem', run: feed.id, text: problem });
    const now = performance.now();
    if (told?.rows === rows || (told && !feed.over && now - told.at < METRICS_MS)) return;
    this.#told.set(feed.id, { rows, at: now, problem });
    this.#post({ type: 'metrics', run: feed.id, tables });
  }

  #lose(feed: RunFeed, error: unknown): void {
    if (!this.#feeds.includes(feed)) return;
    this.#log.error(`${feed.folder} cannot be read: ${String(error)}`);
    this.#unreadable.add(feed.id);
    this.#lost.add(feed.id); // or the same complaint would come ten times a second
    const text = error instanceof Error ? error.message : String(error);
    this.#post({ type: 'problem', run: feed.id, text });
    this.#post({ type: 'lost', run: feed.id });
  }
}
