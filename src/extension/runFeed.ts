/** One run for the dashboard: its events and scalars, from the moment its folder is there. */
import fs from 'node:fs';
import path from 'node:path';
import type { RunEvent } from '../core/events.ts';
import { t } from '../core/l10n.ts';
import type { MetricFacts } from '../core/messages.ts';
import { axisSchema, type MetricTable, metricTableSchema, type RunMetrics } from '../core/metricQuery.ts';
import { isOver } from '../core/run.ts';
import { runFiles } from '../store/layout.ts';
import { RunLog } from '../store/runLog.ts';

export class RunFeed {
  readonly id: string;
  readonly folder: string;
  readonly #onReading: (done: number) => void;
  #log: RunLog | undefined;
  #size = -1;
  #closed = false;

  /** `onReading` is told how far a long log is read, 0 to 1. */
  constructor(id: string, folder: string, onReading: (done: number) => void = () => {}) {
    this.id = id;
    this.folder = folder;
    this.#onReading = onReading;
  }

  /** True once the run has said its end. */
  get over(): boolean {
    return this.#log !== undefined && isOver(this.#log.state);
  }

  get metrics(): RunMetrics | undefined {
    return this.#log?.metrics;
  }

  /** What a person should know about the folder. */
  get problem(): string | undefined {
    return this.#log && describeProblem(this.#log);
  }

  /**
   * the events since the last call, of the steps only the first and the newest; nothing where nothing came, and then the disk is asked for no more
   * than a size. Throws a `UserError` where the folder cannot be read.
   */
  async read(): Promise<RunEvent[] | undefined> {
    const size = fs.statSync(path.join(this.folder, runFiles.events), { throwIfNoEntry: false })?.size;
    if (size === this.#size || (size === undefined && !this.#log)) return undefined;
    this.#size = size ?? -1;
    if (this.#log) await this.#log.update();
    else await this.#open();
    return this.#log?.takeEvents() ?? [];
  }

  /** What can be asked of its scalars now. */
  facts(): Record<MetricTable, MetricFacts> | undefined {
    const metrics = this.#log?.metrics;
    if (!metrics) return undefined;
    return Object.fromEntries(metricTableSchema.options.map((table) => [table, factsOf(metrics, table)])) as Record<
      MetricTable,
      MetricFacts
    >;
  }

  close(): void {
    this.#closed = true;
    this.#log?.close();
    this.#log = undefined;
  }

  async #open(): Promise<void> {
    const log = await RunLog.open(this.folder, { onProgress: this.#onReading });
    if (this.#closed) log.close();
    else this.#log = log;
  }
}

function factsOf(metrics: RunMetrics, table: MetricTable): MetricFacts {
  const extents = axisSchema.options.flatMap((axis) => {
    const extent = metrics.extent(table, axis);
    return extent ? [[axis, extent]] : [];
  });
  return { names: metrics.names(table), rows: metrics.rows(table), extent: Object.fromEntries(extents) };
}

function describeProblem({ skipped, newerVersion }: RunLog): string | undefined {
  if (newerVersion !== undefined) {
    return t('A newer version of MaskSub wrote this run: what this version does not know is left out.');
  }
  if (skipped === 0) return undefined;
  return t('{0} lines of its log are damaged and left out.', skipped);
}
