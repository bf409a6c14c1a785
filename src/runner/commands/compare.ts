/** `masksub compare`: methods against their baselines, over seeds, in the terminal. */
import fs from 'node:fs';
import path from 'node:path';
import { diffColumns, groupBy } from '../../core/comparing.ts';
import { describeError, UserError } from '../../core/errors.ts';
import { encodeEvent } from '../../core/events.ts';
import { experimentOf } from '../../core/experiment.ts';
import { configValue, type FlatConfig, flattenConfig } from '../../core/flatten.ts';
import { isAside, pairSets, type SeedPair } from '../../core/pairSets.ts';
import type { RunState } from '../../core/run.ts';
import { mean, standardDeviation } from '../../core/statistics.ts';
import { runFiles } from '../../store/layout.ts';
import { findRun, listRuns, readRun } from '../../store/runReader.ts';
import { configLines, groupLines, type RunGroupRow, setLines, setReport } from '../compareText.ts';

export interface ComparedRunFolder {
  readonly id: string;
  readonly folder: string;
  readonly experiment: string;
  readonly state: RunState;
  readonly config: FlatConfig;
}

export interface CompareOptions {
  readonly by?: string;
  readonly out: string;
  readonly json?: boolean;
}

export function compare(names: readonly string[], options: CompareOptions): void {
  const runs = readRuns(foldersOf(names, options.out));
  if (runs.length === 0) {
    throw new UserError('None of these runs can be read.', { hint: 'masksub list names the runs of a folder.' });
  }
  const sets = pairSets(pairsAmong(runs));
  const groups = options.by === undefined ? [] : groupsBy(runs, options.by);
  const keys = diffColumns(runs.map(({ config }) => config)).filter((key) => !isAside(key));
  if (options.json) {
    const report = {
      type: 'comparison',
      runs: runs.map(({ id, folder, state }) => ({ id, folder, state: state.state, start: state.start })),
      comparisons: sets.map(setReport),
      ...(options.by === undefined ? {} : { by: options.by, groups }),
      configDifferences: Object.fromEntries(
        keys.map((key) => [
          key,
          Object.fromEntries(runs.map(({ id, config }) => [id, configValue(config, key) ?? null])),
        ]),
      ),
    };
    process.stdout.write(`${encodeEvent(report)}\n`);
    return;
  }
  const parts = [
    ...(sets.length > 0 ? sets.map((set) => setLines(set, sets.length)) : [noPair(runs)]),
    ...(options.by === undefined ? [] : [groupLines(options.by, groups)]),
    configLines(runs, keys),
  ];
  process.stdout.write(`${parts.map((lines) => lines.join('\n')).join('\n\n')}\n`);
}

/** What the names stand for: runs, each with the other half of its pair, or whole experiments; without any, the newest one. */
function foldersOf(names: readonly string[], out: string): string[] {
  const listings = listRuns(out);
  const ofExperiment = (id: string) => listings.filter((listing) => experimentOf(listing) === id);
  const [newest] = listings;
  if (names.length === 0 && !newest) {
    throw new UserError(`There are no runs in ${out}.`, {
      hint: 'Name another folder with --out, or start with: masksub run CONFIG',
    });
  }
  const wanted = names.length === 0 && newest ? [experimentOf(newest)] : names;
  const folders = wanted.flatMap((name) => {
    const members = ofExperiment(name);
    if (members.length > 0) return members.map(({ folder }) => folder);
    const folder = path.resolve(findRun(out, name));
    const own = listRuns(path.dirname(folder)).find((listing) => path.resolve(listing.folder) === folder);
    const pair = own?.pair;
    if (pair === undefined) return [folder];
    return listRuns(path.dirname(folder))
      .filter((listing) => listing.pair === pair)
      .map((listing) => listing.folder);
  });
  return [...new Set(folders.map((folder) => path.resolve(folder)))];
}

/** Those that can be read; of the others it says why not. */
function readRuns(folders: readonly string[]): ComparedRunFolder[] {
  return folders.flatMap((folder) => {
    try {
      const { id, state } = readRun(folder);
      if (!state.start) throw new UserError(`${folder}: no run has begun there, or its ${runFiles.events} is damaged.`);
      const experiment = experimentOf({ id, pair: state.start.pair });
      return [{ id, folder, experiment, state, config: readConfig(folder) }];
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      process.stderr.write(`Passed over: ${describeError(error)}\n`);
      return [];
    }
  });
}

function readConfig(folder: string): FlatConfig {
  try {
    return flattenConfig(JSON.parse(fs.readFileSync(path.join(folder, runFiles.config), 'utf8')));
  } catch {
    process.stderr.write(`${path.join(folder, runFiles.config)} is missing or damaged: its config is not compared.\n`);
    return flattenConfig({});
  }
}

function pairsAmong(runs: readonly ComparedRunFolder[]): SeedPair[] {
  const byRole = (role: string) =>
    runs.filter(({ state }) => state.start?.role === role && state.start.pair !== undefined);
  const baselines = new Map(byRole('baseline').map((run) => [keyOf(run), run]));
  return byRole('method').flatMap((run) => {
    const [start, baseline] = [run.state.start, baselines.get(keyOf(run))];
    if (!start || !baseline) return [];
    return [
      {
        key: start.pair ?? run.id,
        experiment: run.experiment,
        name: start.name,
        methodName: start.method,
        seed: start.seed,
        baseline: baseline.state,
        method: run.state,
        config: Object.keys(run.config).length > 0 ? run.config : undefined,
      },
    ];
  });
}

/** Two folders may hold pairs of one name. */
const keyOf = ({ folder, state }: ComparedRunFolder) => JSON.stringify([path.dirname(folder), state.start?.pair]);

function groupsBy(runs: readonly ComparedRunFolder[], key: string): RunGroupRow[] {
  if (!runs.some(({ config }) => configValue(config, key) !== undefined)) {
    const known = diffColumns(runs.map(({ config }) => config)).filter((name) => !isAside(name));
    throw new UserError(`No config of these runs has the key "${key}".`, {
      hint:
        known.length > 0
          ? `They differ in: ${known.slice(0, 12).join(', ')}.`
          : 'A dotted key, as in method.maskRatio.',
    });
  }
  return groupBy(runs, key).flatMap(({ value, rows }) => {
    const methods = [...new Set(rows.map(methodOf))];
    return methods.map((method) => {
      const members = rows.filter((row) => methodOf(row) === method);
      const top1 = members.flatMap(({ state }) => {
        const last = state.epochs.findLast(({ validation }) => validation)?.validation?.top1;
        return last === undefined ? [] : [last];
      });
      return {
        value: value ?? null,
        method,
        runs: members.length,
        validated: top1.length,
        top1: mean(top1),
        deviation: standardDeviation(top1),
      };
    });
  });
}

const methodOf = ({ state }: ComparedRunFolder) => state.start?.method ?? '';

function noPair(runs: readonly ComparedRunFolder[]): string[] {
  return [
    `No pair of a method and its baseline is among ${runs.length === 1 ? 'this run' : `these ${runs.length} runs`}, so there is no difference to judge.`,
  ];
}
