/** `Stop run`: ends an experiment through the runner, and says so where that fails. */
import * as vscode from 'vscode';
import { UserError } from '../core/errors.ts';
import { t } from '../core/l10n.ts';
import { isOver } from '../core/run.ts';
import type { RunListing } from '../store/runReader.ts';
import { type Experiment, isLiving } from './experiments.ts';
import { spokenError } from './runner.ts';
import type { Services } from './services.ts';

/** Stops the experiment of that id, else the one that lives, else the one of those living that a person picks. */
export async function stop(services: Services, id?: string): Promise<void> {
  await services.runs.refresh();
  const dashboard = await services.dashboard();
  if (dashboard.stopStarting(id)) return; // it has no run folder to be found by yet
  const living = services.runs.experiments.filter((experiment) => isLiving(experiment.runs));
  const experiment = id === undefined ? await pick(living) : living.find((candidate) => candidate.id === id);
  const run = experiment?.runs.find((candidate) => !isOver(candidate));
  if (run) await stopRun(services, run);
  else if (id !== undefined || living.length === 0) {
    void vscode.window.showInformationMessage(t('Nothing is running.'));
  }
}

/** Ends a run and its pair, with a checkpoint. Throws a `UserError` where it goes on. */
export async function stopRun(services: Services, run: RunListing): Promise<void> {
  const answer = await vscode.window.withProgress(
    { location: vscode.ProgressLocation.Window, title: t('MaskSub: stopping') },
    () => services.runner.ask(['stop', run.folder]),
  );
  await services.runs.refresh();
  const listing = services.runs.experiments.flatMap(({ runs }) => runs).find(({ folder }) => folder === run.folder);
  // It may have ended by itself while it was told to stop.
  if (answer.code === 0 || (listing && isOver(listing))) return;
  throw new UserError(t('The run could not be stopped: {0}', spokenError(answer.stderr)));
}

async function pick(living: readonly Experiment[]): Promise<Experiment | undefined> {
  if (living.length < 2) return living[0];
  const items = living.map((experiment) => ({ label: experiment.name, description: experiment.id, experiment }));
  return (await vscode.window.showQuickPick(items, { placeHolder: t('Experiment to stop') }))?.experiment;
}
