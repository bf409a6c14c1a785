/** Which config a command is about: the one that it is called for, else that of the active editor, else one of the workspace. */
import path from 'node:path';
import * as vscode from 'vscode';
import { t } from '../core/l10n.ts';
import { isConfig } from './diagnostics.ts';
import { newExperiment } from './newExperiment.ts';
import type { Services } from './services.ts';

/** Nothing where the person chose none. */
export async function chooseConfig(
  services: Services,
  uri: vscode.Uri | undefined,
): Promise<vscode.TextDocument | undefined> {
  if (uri) return vscode.workspace.openTextDocument(uri);
  const active = vscode.window.activeTextEditor?.document;
  if (active && isConfig(active)) return active;
  if (!vscode.workspace.workspaceFolders?.length) {
    await offerFolder(t('MaskSub keeps configs and runs in a folder. Open one first.'));
    return undefined;
  }
  const found = await findConfigs();
  if (found.length === 0) return offerExample(services);
  const [only] = found;
  if (found.length === 1 && only) return vscode.workspace.openTextDocument(only);
  const items = found
    .map((file) => ({ label: path.basename(file.fsPath), description: relativeFolder(file), file }))
    .sort((a, b) => `${a.description}/${a.label}`.localeCompare(`${b.description}/${b.label}`));
  const picked = await vscode.window.showQuickPick(items, { placeHolder: t('Config'), matchOnDescription: true });
  return picked && vscode.workspace.openTextDocument(picked.file);
}

/** The configs of the workspace, those of runs aside. */
export function findConfigs(): Thenable<vscode.Uri[]> {
  return vscode.workspace.findFiles('**/*.masksub.json', '{**/node_modules/**,**/.masksub/**}');
}

async function offerExample(services: Services): Promise<vscode.TextDocument | undefined> {
  const create = t('Create an example');
  const chosen = await vscode.window.showInformationMessage(
    t(
      'There is no *.masksub.json in this folder yet. The example trains a small ViT on 1,000 images that come with MaskSub.',
    ),
    create,
  );
  return chosen === create ? newExperiment(services) : undefined;
}

export async function offerFolder(text: string, folder?: vscode.Uri): Promise<void> {
  const chosen = await vscode.window.showErrorMessage(text, t('Open folder…'));
  if (!chosen) return;
  if (folder) await vscode.commands.executeCommand('vscode.openFolder', folder);
  else await vscode.commands.executeCommand('workbench.action.files.openFolder');
}

function relativeFolder(file: vscode.Uri): string {
  const folder = path.dirname(vscode.workspace.asRelativePath(file));
  return folder === '.' ? '' : folder;
}
