/** What starts something needs a trusted workspace; this says so, with the way there. */
import * as vscode from 'vscode';
import { t } from '../core/l10n.ts';

/** False, after saying why, where the folder is not trusted. */
export async function isTrusted(): Promise<boolean> {
  if (vscode.workspace.isTrusted) return true;
  const chosen = await vscode.window.showErrorMessage(
    t(
      'MaskSub does not start a run in a folder that you have not trusted: its config chooses which files are read. Trust the folder to go on.',
    ),
    t('Manage workspace trust'),
  );
  if (chosen) await vscode.commands.executeCommand('workbench.trust.manage');
  return false;
}
