/**
 * Runs as a file store that MLflow opens (`mlruns`): an experiment as a folder, in it one folder a run, with a file for each metric,
 * parameter and tag (https://mlflow.org/docs/latest/self-hosting/architecture/backend-store/).
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { flattenConfig } from '../../core/flatten.ts';
import { isOver } from '../../core/run.ts';
import { makeFolder, readWhole, writeWhole } from '../../store/files.ts';
import { runFiles } from '../../store/layout.ts';
import { appendAll } from './output.ts';
import { rowsOf } from './rows.ts';
import type { ExportedRun } from './runs.ts';
import { tagOf } from './tensorboard.ts';

/** Longest that MLflow takes; keys are names of files as well, which get longer while they are written. */
const mostOfKey = 200;
const mostOfParameter = 6000;
const mostOfTag = 8000;

/** Writes the store into a folder that will be named `target`: MLflow keeps where artifacts lie as an absolute address. */
export function writeFileStore(runs: readonly ExportedRun[], folder: string, target: string): void {
  for (const name of new Set(runs.map(({ experiment }) => experiment))) {
    const members = runs.filter(({ experiment }) => experiment === name);
    const experimentId = experimentIdOf(name);
    const place = path.join(folder, experimentId);
    const times = members.map((run) => beganAt(run));
    makeFolder(place);
    writeMeta(place, {
      artifact_location: pathToFileURL(path.join(target, experimentId)).href,
      creation_time: Math.min(...times),
      experiment_id: experimentId,
      last_update_time: Math.max(...times),
      lifecycle_stage: 'active',
      name: members[0]?.state.start?.name === undefined ? name : `${members[0].state.start.name} (${name})`,
    });
    for (const run of members) writeRun(run, place, path.join(target, experimentId), experimentId);
  }
}

/** 32 hexadecimal digits, the same whenever a run is exported. */
export const runIdOf = (run: Pick<ExportedRun, 'id'>) => createHash('sha256').update(run.id).digest('hex').slice(0, 32);

/** 18 decimal digits, as MLflow's own. */
export function experimentIdOf(experiment: string): string {
  const hash = createHash('sha256').update(`experiment ${experiment}`).digest().readBigUInt64BE();
  return String(10n ** 17n + (hash % (9n * 10n ** 17n)));
}

/** Letters, digits and `_ - . space : /`, without what would leave the folder. */
export function keyOf(name: string): string {
  const kept = name.replaceAll(/[^\w\-. :/]/g, '_').slice(0, mostOfKey);
  const parts = kept.split('/').map((part) => (/^\.*$/.test(part) ? part.replaceAll('.', '_') || '_' : part));
  return parts.join('/');
}

/** Without slashes of its own: a file named `a` leaves no room for `a/b`. */
const flat = (name: string) => name.replaceAll('/', '_');

function writeRun(run: ExportedRun, experimentFolder: string, experimentTarget: string, experimentId: string): void {
  const runId = runIdOf(run);
  const folder = path.join(experimentFolder, runId);
  for (const part of ['metrics', 'params', 'tags', 'artifacts']) makeFolder(path.join(folder, part));
  const ended = isOver(run.state) ? Math.round(beganAt(run) + 1000 * run.state.t) : undefined;
  writeMeta(folder, {
    artifact_uri: pathToFileURL(path.join(experimentTarget, runId, 'artifacts')).href,
    end_time: ended ?? null,
    entry_point_name: '',
    experiment_id: experimentId,
    lifecycle_stage: 'active',
    run_id: runId,
    run_name: run.id,
    run_uuid: runId,
    source_name: '',
    source_type: 4, // local
    source_version: '',
    start_time: beganAt(run),
    status: statusOf(run),
    tags: [],
    user_id: '',
  });
  writeValues(path.join(folder, 'params'), Object.entries(flattenConfig(run.config)), mostOfParameter);
  writeValues(path.join(folder, 'tags'), tagsOf(run), mostOfTag);
  writeMetrics(run, path.join(folder, 'metrics'));
  for (const name of [runFiles.config, runFiles.summary]) {
    const file = path.join(run.folder, name);
    if (fs.existsSync(file)) writeWhole(path.join(folder, 'artifacts', name), readWhole(file));
  }
}

function tagsOf({ id, state }: ExportedRun): [string, string][] {
  const { start, end } = state;
  const tags: [string, string | undefined][] = [
    ['mlflow.runName', id],
    ['mlflow.source.type', 'LOCAL'],
    ['mlflow.source.name', 'masksub'],
    ['mlflow.note.content', end?.message],
    ['masksub.state', state.state],
    ['masksub.role', start?.role],
    ['masksub.method', start?.method],
    ['masksub.model', start?.model],
    ['masksub.dataset', start?.dataset],
    ['masksub.seed', start === undefined ? undefined : String(start.seed)],
    ['masksub.pair', start?.pair],
    ['masksub.initHash', start?.initHash],
    ['masksub.batchHash', start?.batchHash],
    ['masksub.dataHash', start?.dataHash],
  ];
  return tags.filter((tag): tag is [string, string] => tag[1] !== undefined && tag[1] !== '');
}

function writeValues(folder: string, values: readonly (readonly [string, unknown])[], most: number): void {
  const taken = new Set<string>();
  for (const [key, value] of values) {
    const name = keyOf(flat(key));
    if (taken.has(name)) continue; // two keys that MLflow could not tell apart
    taken.add(name);
    const file = path.join(folder, name);
    makeFolder(path.dirname(file));
    // A parameter is one line.
    const text = String(value).replaceAll(/[\r\n]+/g, ' ');
    writeWhole(file, text.length > most ? `${text.slice(0, most - 1)}…` : text);
  }
}

/** `timestamp value step`, a line for each; many rows at a time, so that a long run need not be in memory. */
function writeMetrics({ folder: runFolder }: ExportedRun, folder: string): void {
  const waiting = new Map<string, string[]>();
  const files = new MetricFiles((from, to) => {
    if (fs.existsSync(path.join(folder, from))) fs.renameSync(path.join(folder, from), path.join(folder, to));
  });
  let size = 0;
  const write = () => {
    for (const [key, lines] of waiting) {
      const file = path.join(folder, files.of(key));
      makeFolder(path.dirname(file));
      appendAll(file, lines);
    }
    waiting.clear();
    size = 0;
  };
  for (const { table, step, at, values } of rowsOf(runFolder)) {
    for (const [name, value] of values) {
      const key = keyOf(tagOf(table, flat(name)));
      const lines = waiting.get(key) ?? [];
      lines.push(`${Math.round(at)} ${pythonFloat(value)} ${step}\n`);
      waiting.set(key, lines);
      size++;
    }
    if (size > 500_000) write();
  }
  write();
}

/** A file for each key; one that is another's folder, as where `loss` was a number before `loss/main`, gets a suffix. */
class MetricFiles {
  readonly #files = new Map<string, string>();
  readonly #keys = new Map<string, string>();
  readonly #folders = new Set<string>();
  readonly #moved: (from: string, to: string) => void;

  /** `moved` is told of a file whose name a folder needs. */
  constructor(moved: (from: string, to: string) => void) {
    this.#moved = moved;
  }

  of(key: string): string {
    const known = this.#files.get(key);
    if (known !== undefined) return known;
    const parts = key.split('/');
    for (let i = 1; i < parts.length; i++) {
      const place = parts.slice(0, i).join('/');
      this.#folders.add(place);
      const other = this.#keys.get(place);
      if (other !== undefined) {
        this.#keys.delete(place);
        this.#moved(place, this.#put(other, place));
      }
    }
    return this.#put(key, key);
  }

  #put(key: string, name: string): string {
    let file = name;
    while (this.#folders.has(file) || this.#keys.has(file)) file += '_';
    this.#files.set(key, file);
    this.#keys.set(file, key);
    return file;
  }
}

function pythonFloat(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  return Number.isFinite(value) ? String(value) : value > 0 ? 'inf' : '-inf';
}

/** MLflow's numbers for what a run has come to. */
function statusOf({ state }: ExportedRun): number {
  switch (state.state) {
    case 'starting':
    case 'running':
    case 'stopping':
      return 1;
    case 'finished':
      return 3;
    case 'failed':
    case 'lost':
      return 4;
    case 'stopped':
    case 'interrupted':
      return 5;
  }
}

/** JSON values are YAML. */
function writeMeta(folder: string, values: Readonly<Record<string, unknown>>): void {
  const lines = Object.entries(values).map(([key, value]) => `${key}: ${JSON.stringify(value)}\n`);
  writeWhole(path.join(folder, 'meta.yaml'), lines.join(''));
}

const beganAt = ({ state }: ExportedRun) => Date.parse(state.start?.at ?? '') || 0;
