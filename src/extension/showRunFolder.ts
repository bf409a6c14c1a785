/** `Show run folder`: the folder of a run, in the explorer. */
import * as vscode from 'vscode';
import { t } from '../core/l10n.ts';
import { chooseRun } from './chooseRuns.ts';
import type { Services } from './services.ts';

/** Shows the folder of that run, else of the one that a person picks. */
export async function showRunFolder(services: Services, argument: unknown): Promise<void> {
  const run = await chooseRun(services, argument, {
    placeHolder: t('Run to show in the explorer'),
    none: t('There is no such run folder in this workspace.'),
  });
  if (run) await vscode.commands.executeCommand('revealInExplorer', vscode.Uri.file(run.folder));
}
