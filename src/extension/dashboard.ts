/** The one dashboard panel: which runs it shows, and what passes between its page and the extension. */
import type { ChildProcess } from 'node:child_process';
import path from 'node:path';
import * as vscode from 'vscode';
import * as z from 'zod';
import {
  type ArraysToDashboard,
  type FromDashboard,
  fromDashboardSchema,
  type RunHandle,
  type ToDashboard,
} from '../core/messages.ts';
import { MOST_RUNS } from '../core/runRow.ts';
import { inOneBuffer, toWire } from '../core/wire.ts';
import { commandOf } from './dashboardCommands.ts';
import { dashboardHtml } from './dashboardHtml.ts';
import { type Experiment, handleOf } from './experiments.ts';
import { type FedRun, Feeds } from './feeds.ts';
import { recordedSamples } from './recordedSamples.ts';
import type { Runs } from './runs.ts';
import { RunTableFeed } from './runTableFeed.ts';

const dashboardType = 'masksub.dashboard';

/** What the page keeps over a reload of the window: its runs, and whether a person chose them one by one. */
const savedSchema = z.object({ runs: z.array(z.string()), selected: z.boolean().default(false) });

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
  readonly #feeds: Feeds;
  readonly #table: RunTableFeed;
  /** Id of the experiment that is shown; beside runs that were chosen one by one there need be none. */
  #shown: string | undefined;
  /** Runs that were chosen one by one. */
  #selected: readonly string[] | undefined;
  #page: string | undefined;
  #starting: Starting | undefined;
  #notice: string | undefined;

  /** `remember` keeps over a reload of the window whether a panel was open. */
  constructor(extension: vscode.Uri, runs: Runs, log: vscode.LogOutputChannel, remember: (open: boolean) => void) {
    this.#remember = remember;
    this.#dist = vscode.Uri.joinPath(extension, 'dist');
    const icon = (theme: string) => vscode.Uri.joinPath(extension, 'media', `masksub-${theme}.svg`);
    this.#icon = { light: icon('light'), dark: icon('dark') };
    this.#runs = runs;
    this.#log = log;
    this.#feeds = new Feeds((message) => this.#post(message), log);
    this.#table = new RunTableFeed(runs, (message) => this.#post(message), log);
    this.#subscription = runs.onDidChange(() => this.#update());
  }

  /**
   * Brings the panel to the front, with this experiment, or else with the one it has, or else with the newest; and one of its pages
   * where it is named.
   */
  open(experiment?: string, page?: string): void {
    this.#page = page;
    if (experiment !== undefined && (experiment !== this.#shown || this.#selected)) this.#show(experiment);
    else if (this.#ready) this.#showPage();
    if (this.#panel) {
      this.#panel.reveal();
      return;
    }
    if (!this.#selected) this.#shown ??= this.#runs.experiments[0]?.id;
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
    const ids = parsed.success ? parsed.data.runs : [];
    const holds = (experiment: Experiment) => experiment.runs.some((run) => ids.includes(handleOf(run).id));
    this.#selected = parsed.success && parsed.data.selected && this.#runs.experiments.some(holds) ? ids : undefined;
    this.#shown = this.#selected ? undefined : (this.#runs.experiments.find(holds) ?? this.#runs.experiments[0])?.id;
    panel.webview.options = { enableScripts: true, localResourceRoots: [this.#dist] };
    this.#take(panel);
  }

  /** Opens with an experiment whose leader was just started, and beside it the runs that it is to be compared with, as those of a fork. */
  showStarting(starting: Starting, beside: readonly string[] = []): void {
    this.#starting = starting;
    this.#shown = starting.id;
    this.#selected = beside.length > 0 ? beside : undefined;
    this.#notice = undefined;
    this.#replay();
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
    this.#feeds.dispose();
    this.#table.dispose();
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
      this.#table.wanted = false;
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
        this.#table.wanted = false; // the page says so anew
        if (!this.#selected) this.#shown ??= this.#runs.experiments[0]?.id;
        this.#replay();
        return;
      case 'windows':
        this.#postArrays({
          type: 'windows',
          request: message.request,
          windows: inOneBuffer(this.#feeds.windows(message.queries)),
        });
        return;
      case 'samples':
        this.#postArrays(recordedSamples(message.run, message.epoch, this.#feeds.folderOf(message.run)));
        return;
      case 'select':
        this.#selected = message.runs;
        this.#shown = undefined;
        this.#replay();
        return;
      case 'rows':
        this.#table.wanted = message.wanted;
        return;
      case 'annotate':
        this.#table.annotate(message);
        return;
      case 'stop':
        void vscode.commands.executeCommand('masksub.stop', this.#experimentOf(message.run));
        return;
      case 'painted':
        this.#log.trace(`Step ${message.step} of ${message.run} painted at ${message.at}`);
        return;
      default: {
        const command = commandOf(message);
        if (command) void vscode.commands.executeCommand(`masksub.${command[0]}`, ...command.slice(1));
      }
    }
  }

  #show(experiment: string): void {
    this.#shown = experiment;
    this.#selected = undefined;
    this.#notice = undefined;
    this.#replay();
  }

  /** Tells the page what it shows, and everything about it from the beginning. */
  #replay(): void {
    if (!this.#ready) return;
    this.#feeds.show(this.#fedRuns());
    if (this.#notice) this.#post({ type: 'notice', text: this.#notice });
    this.#showPage();
    this.#pace();
  }

  #showPage(): void {
    if (this.#page !== undefined) this.#post({ type: 'page', page: this.#page });
    this.#page = undefined;
  }

  /** After a change in the list: a run that came or went, or whose process was found gone. */
  #update(): void {
    if (!this.#ready) return;
    if (!this.#selected) this.#shown ??= this.#runs.experiments[0]?.id;
    if (!this.#selected && this.#shown === undefined) return;
    if (!this.#feeds.update(this.#fedRuns())) this.#replay();
    this.#pace();
  }

  #experimentOf(run: string): string | undefined {
    const holds = ({ runs }: Experiment) => runs.some((listing) => handleOf(listing).id === run);
    return this.#runs.experiments.find(holds)?.id ?? this.#shown;
  }

  /** The runs to show: those that are there and, while their leader lives, those that are still to come. */
  #fedRuns(): FedRun[] {
    const fed = ({ runs }: Experiment): FedRun[] => runs.map((run) => ({ ...handleOf(run), folder: run.folder }));
    const { experiments } = this.#runs;
    const isShown = ({ id, experiment }: FedRun) => this.#selected?.includes(id) || experiment === this.#shown;
    const found = experiments.flatMap(fed).filter(isShown);
    // Two folders of a workspace may hold runs of one id: the page knows a run by it.
    const there = found.filter(({ id }, i) => found.findIndex((run) => run.id === id) === i);
    const all = [...there, ...this.#toCome(there)];
    return all.slice(0, MOST_RUNS);
  }

  #toCome(there: readonly FedRun[]): FedRun[] {
    if (!this.#starting || this.#starting.id !== this.#shown) return [];
    const { id, out, handles } = this.#starting;
    // Where one run was expected and another came, as of a fork whose method was changed, it is the one.
    if (handles.length === 1 && there.some(({ experiment }) => experiment === id)) return [];
    const toCome = handles.filter((handle) => !there.some((run) => run.id === handle.id));
    return toCome.map((handle) => ({ ...handle, folder: path.join(out, handle.id) }));
  }

  #pace(): void {
    const visible = this.#ready && this.#panel?.visible === true;
    this.#feeds.visible = visible;
    this.#table.visible = visible;
  }

  #post(message: ToDashboard): void {
    void this.#panel?.webview.postMessage(toWire(message));
  }

  #postArrays(message: ArraysToDashboard): void {
    void this.#panel?.webview.postMessage(message);
  }
}
