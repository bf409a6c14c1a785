/** Which runs a command is about: those that it is called with, else those that a person picks. */
import path from 'node:path';
import * as vscode from 'vscode';
import { percent } from '../core/comparison.ts';
import { t } from '../core/l10n.ts';
import { isOver, stateTitle } from '../core/run.ts';
import type { RunListing } from '../store/runReader.ts';
import { FactsOfRuns } from './runFacts.ts';
import { runLabel } from './runTexts.ts';
import type { RunNode } from './runTree.ts';
import type { Services } from './services.ts';

export interface Asked {
  readonly placeHolder: string;
  /** Which runs can be picked; all of them by default. */
  readonly fits?: (run: RunListing) => boolean;
  /** What to say where none can be. */
  readonly none?: string;
}

/** One run, or nothing where a person chose none. */
export async function chooseRun(services: Services, argument: unknown, asked: Asked): Promise<RunListing | undefined> {
  await services.runs.refresh();
  const all = services.runs.experiments.flatMap(({ runs }) => runs);
  const named = namedRuns(all, argument);
  const fitting = (named.length > 0 ? named : argument === undefined ? all : []).filter(asked.fits ?? (() => true));
  if (fitting.length < 2) return fitting[0] ?? sayNone(asked);
  return (await vscode.window.showQuickPick(itemsOf(fitting), { ...quickPick, placeHolder: asked.placeHolder }))?.run;
}

/** Some runs; none where a person chose none. Of an experiment that is named, all its runs. */
export async function chooseRuns(
  services: Services,
  argument: unknown,
  selected: unknown,
  asked: Asked,
): Promise<readonly RunListing[]> {
  await services.runs.refresh();
  const all = services.runs.experiments.flatMap(({ runs }) => runs).filter(asked.fits ?? (() => true));
  const named = namedRuns(all, Array.isArray(selected) && selected.length > 0 ? selected : argument);
  if (named.length > 0) return named;
  if (argument !== undefined || all.length === 0) {
    sayNone(asked);
    return [];
  }
  if (all.length === 1) return all;
  const options = { ...quickPick, placeHolder: asked.placeHolder, canPickMany: true } as const;
  return ((await vscode.window.showQuickPick(itemsOf(all), options)) ?? []).map(({ run }) => run);
}

/** What a run list's row, an id or folder of a run, an id of an experiment, or several of them name; each run once. */
function namedRuns(all: readonly RunListing[], argument: unknown): RunListing[] {
  const named = (Array.isArray(argument) ? argument : [argument]).flatMap((one) => {
    if (typeof one === 'string') return all.filter((run) => isNamed(run, one));
    return isNode(one) ? (one.run ? [one.run] : one.experiment.runs) : [];
  });
  return all.filter(({ folder }) => named.some((run) => run.folder === folder));
}

/** A folder that was copied goes by the name of its folder. */
function isNamed(run: RunListing, name: string): boolean {
  return run.folder === name || path.basename(run.folder) === name;
}

function isNode(value: unknown): value is RunNode {
  return typeof value === 'object' && value !== null && 'experiment' in value;
}

const quickPick = { matchOnDescription: true, matchOnDetail: true } as const;
const facts = new FactsOfRuns();

function itemsOf(runs: readonly RunListing[]) {
  return runs.map((run) => {
    const { top1 } = isOver(run) ? facts.of(run) : {};
    const said = [stateTitle(run.state), top1 === undefined ? '' : percent(top1)].filter(Boolean).join(' · ');
    return { label: `${run.name}: ${runLabel(run)}`, description: said, detail: path.basename(run.folder), run };
  });
}

function sayNone({ none }: Asked): undefined {
  void vscode.window.showInformationMessage(none ?? t('There is no such run in this workspace.'));
  return undefined;
}
