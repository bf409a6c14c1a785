/** The one dashboard panel: which experiment it shows, and the way of events from run folders to it. */
import type { ChildProcess } from 'node:child_process';
import path from 'node:path';
import * as vscode from 'vscode';
import * as z from 'zod';
import { assertNever } from '../core/errors.ts';
import { type FromDashboard, fromDashboardSchema, type RunHandle, type ToDashboard } from '../core/messages.ts';
import { toWire } from '../core/wire.ts';
import { dashboardHtml } from './dashboardHtml.ts';
import { type Experiment, handleOf } from './experiments.ts';
import { RunFeed } from './runFeed.ts';
import type { Runs } from './runs.ts';

export const dashboardType = 'masksub.dashboard';

/** How often a visible dashboard looks for new events, in milliseconds. */
const TICK_MS = 100;
/** Events in one message, so that a long run does not arrive as one block. */
const EVENTS_A_MESSAGE = 5000;

/** What the page keeps over a reload of the window. */
const savedSchema = z.object({ runs: z.array(z.string()) });

/** An experiment from its start on, before all of its run folders are there. */
export interface Starting {
  readonly id: string;
  readonly out: string;
  readonly handles: readonly RunHandle[];
  readonly leader: ChildProcess;
}

export class Dashboard implements vscode.Disposable {
  readonly #dist: vscode.Uri;
  readonly #icon: { light: vscode.Uri; dark: vscode.Uri };
  readonly #runs: Runs;
  readonly #log: vscode.LogOutputChannel;
  readonly #remember: (open: boolean) => void;
  readonly #subscription: vscode.Disposable;
  #panel: vscode.WebviewPanel | undefined;
  #ready = false;
  /** Id of the experiment that is shown. */
  #shown: string | undefined;
  #starting: Starting | undefined;
  #notice: string | undefined;
  #feeds: RunFeed[] = [];
  readonly #lost = new Set<string>();
  #timer: NodeJS.Timeout | undefined;

  /** `remember` keeps over a reload of the window whether a panel was open. */
  constructor(extension: vscode.Uri, runs: Runs, log: vscode.LogOutputChannel, remember: (open: boolean) => void) {
    this.#remember = remember;
    this.#dist = vscode.Uri.joinPath(extension, 'dist');
    const icon = (theme: string) => vscode.Uri.joinPath(extension, 'media', `masksub-${theme}.svg`);
    this.#icon = { light: icon('light'), dark: icon('dark') };
    this.#runs = runs;
    this.#log = log;
    this.#subscription = runs.onDidChange(() => this.#update());
  }

  /** Brings the panel to the front, with this experiment, or else with the one it has, or else with the newest. */
  open(experiment?: string): void {
    if (experiment !== undefined && experiment !== this.#shown) this.#show(experiment);
    if (this.#panel) {
      this.#panel.reveal();
      return;
    }
    this.#shown ??= this.#runs.experiments[0]?.id;
    const options = { enableScripts: true, localResourceRoots: [this.#dist] };
    const column = vscode.window.activeTextEditor ? vscode.ViewColumn.Beside : vscode.ViewColumn.Active;
    this.#take(vscode.window.createWebviewPanel(dashboardType, 'MaskSub', column, options));
  }

  /** Takes over a panel from before the window was reloaded; `saved` is what its page had kept. */
  restore(panel: vscode.WebviewPanel, saved: unknown): void {
    if (this.#panel) {
      panel.dispose(); // one was opened meanwhile, and one is enough
      return;
    }
    const parsed = savedSchema.safeParse(saved);
    const known = this.#runs.experiments.find(
      ({ runs }) => parsed.success && runs.some((run) => parsed.data.runs.includes(run.id)),
    );
    this.#shown = known?.id ?? this.#runs.experiments[0]?.id;
    panel.webview.options = { enableScripts: true, localResourceRoots: [this.#dist] };
    this.#take(panel);
  }

  /** Opens with an experiment whose leader was just started. */
  showStarting(starting: Starting): void {
    this.#starting = starting;
    this.#show(starting.id);
    this.open();
  }

  /** Ends a leader that has made no run folder yet; false where there is none such. */
  stopStarting(experiment: string | undefined): boolean {
    const starting = this.#starting;
    if (!starting || (experiment !== undefined && experiment !== starting.id)) return false;
    if (this.#runs.experiments.some(({ id }) => id === starting.id)) return false;
    return starting.leader.kill('SIGTERM');
  }

  /** The leader is gone: what it has not begun will not come. */
  leaderEnded(experiment: string, failure: string | undefined): void {
    if (this.#starting?.id === experiment) this.#starting = undefined;
    if (this.#shown !== experiment) return;
    this.#notice = failure;
    if (failure && this.#ready) this.#post({ type: 'notice', text: failure });
    this.#update();
  }

  dispose(): void {
    clearInterval(this.#timer);
    this.#subscription.dispose();
    this.#panel?.dispose();
  }

  #take(panel: vscode.WebviewPanel): void {
    this.#panel = panel;
    this.#ready = false;
    this.#remember(true);
    panel.iconPath = this.#icon;
    panel.webview.onDidReceiveMessage((message: unknown) => this.#receive(message));
    panel.onDidChangeViewState(() => this.#pace());
    panel.onDidDispose(() => {
      this.#remember(false);
      this.#panel = undefined;
      this.#ready = false;
      this.#pace();
    });
    panel.webview.html = dashboardHtml(panel.webview, this.#dist);
  }

  #receive(message: unknown): void {
    const parsed = fromDashboardSchema.safeParse(message);
    if (parsed.success) this.#handle(parsed.data);
    else this.#log.warn(`The dashboard sent something unknown: ${parsed.error.message}`);
  }

  #handle(message: FromDashboard): void {
    switch (message.type) {
      case 'ready':
        this.#ready = true;
        this.#shown ??= this.#runs.experiments[0]?.id;
        this.#replay();
        return;
      case 'stop':
        void vscode.commands.executeCommand('masksub.stop', this.#shown);
        return;
      case 'start':
        void vscode.commands.executeCommand('masksub.start');
        return;
      case 'showRunFolder':
        void vscode.commands.executeCommand('masksub.showRunFolder', message.run);
        return;
      case 'painted':
        this.#log.trace(`Step ${message.step} of ${message.run} painted at ${message.at}`);
        return;
      default:
        assertNever(message);
    }
  }

  #show(experiment: string): void {
    this.#shown = experiment;
    this.#notice = undefined;
    this.#replay();
  }

  /** Tells the page what it shows, and everything about it from the beginning. */
  #replay(): void {
    if (!this.#ready) return;
    const experiment = this.#experiment();
    const runs = this.#handles(experiment);
    const folders = new Map(experiment?.runs.map((run) => [run.id, run.folder]));
    this.#feeds = runs.map(({ id }) => new RunFeed(id, folders.get(id) ?? path.join(this.#starting?.out ?? '', id)));
    this.#lost.clear();
    for (const run of runs) if (run.lost) this.#lost.add(run.id);
    this.#post({ type: 'show', runs });
    if (this.#notice) this.#post({ type: 'notice', text: this.#notice });
    this.#tick();
    this.#pace();
  }

  /** After a change in the list: a run that came or went, or whose process was found gone. */
  #update(): void {
    if (!this.#ready) return;
    if (this.#shown === undefined) {
      this.#shown = this.#runs.experiments[0]?.id;
      if (this.#shown === undefined) return;
    }
    const handles = this.#handles(this.#experiment());
    const ids = new Set(this.#feeds.map(({ id }) => id));
    const isResumed = ({ id, lost }: RunHandle) => !lost && this.#lost.has(id);
    if (handles.length !== ids.size || handles.some((handle) => !ids.has(handle.id) || isResumed(handle))) {
      this.#replay();
      return;
    }
    this.#tick(); // a run that was over may go on
    for (const { id, lost } of handles) {
      if (!lost || this.#lost.has(id)) continue;
      this.#lost.add(id);
      this.#post({ type: 'lost', run: id });
    }
    this.#pace();
  }

  #experiment(): Experiment | undefined {
    return this.#runs.experiments.find(({ id }) => id === this.#shown);
  }

  /** The runs that are there and, while their leader lives, those that are still to come. */
  #handles(experiment: Experiment | undefined): RunHandle[] {
    const there = (experiment?.runs ?? []).map(handleOf);
    const toCome = this.#starting && this.#starting.id === this.#shown ? this.#starting.handles : [];
    return [...there, ...toCome.filter(({ id }) => !there.some((run) => run.id === id))];
  }

  /** Looks for events only while somebody sees them and some may come. */
  #pace(): void {
    const wanted = this.#panel?.visible && this.#ready && this.#feeds.some((feed) => this.#isOpen(feed));
    if (wanted && !this.#timer) this.#timer = setInterval(() => this.#tick(), TICK_MS);
    if (!wanted) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
  }

  #isOpen = (feed: RunFeed) => !feed.over && !this.#lost.has(feed.id);

  #tick(): void {
    for (const feed of this.#feeds) {
      try {
        const events = feed.read();
        for (let i = 0; i < events.length; i += EVENTS_A_MESSAGE) {
          this.#post({ type: 'events', run: feed.id, events: events.slice(i, i + EVENTS_A_MESSAGE) });
        }
      } catch (error) {
        this.#log.error(`${feed.folder} cannot be read: ${String(error)}`);
        this.#lost.add(feed.id); // or the same complaint would come ten times a second
        this.#post({ type: 'lost', run: feed.id });
      }
    }
    if (!this.#feeds.some(this.#isOpen)) this.#pace();
  }

  #post(message: ToDashboard): void {
    void this.#panel?.webview.postMessage(toWire(message));
  }
}
