/** `Show run folder`: the folder of a run, in the explorer. */
import * as vscode from 'vscode';
import { titleOf } from '../core/comparison.ts';
import type { RunListing } from '../store/runReader.ts';
import type { Services } from './services.ts';

/** Shows the folder of that run, else of the one that a person picks. */
export async function showRunFolder({ runs }: Services, id?: string): Promise<void> {
  await runs.refresh();
  const all = runs.experiments.flatMap((experiment) => experiment.runs);
  const run = id === undefined ? await pick(all) : all.find((candidate) => candidate.id === id);
  if (run) await vscode.commands.executeCommand('revealInExplorer', vscode.Uri.file(run.folder));
  else if (id !== undefined || all.length === 0) {
    void vscode.window.showInformationMessage('There is no such run folder in this workspace.');
  }
}

async function pick(all: readonly RunListing[]): Promise<RunListing | undefined> {
  if (all.length < 2) return all[0];
  const items = all.map((run) => ({
    label: `${run.name}: ${titleOf(run.method)}, seed ${run.seed}`,
    description: run.state,
    detail: run.folder,
    run,
  }));
  return (await vscode.window.showQuickPick(items, { placeHolder: 'Run', matchOnDetail: true }))?.run;
}
