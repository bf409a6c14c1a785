/** `New experiment`: a config to start from, as a file of the workspace. */
import fs from 'node:fs';
import path from 'node:path';
import * as vscode from 'vscode';
import { UserError } from '../core/errors.ts';
import { t } from '../core/l10n.ts';
import { writeWhole } from '../store/files.ts';
import { spokenError } from './runner.ts';
import type { Services } from './services.ts';
import { readTemplates, templateItems } from './templateItems.ts';

/**
 * The command: lets a person pick a template, or takes the one that it is called with, and writes it. Nothing where the person chose
 * no folder or no template.
 */
export async function pickExperiment(services: Services, argument?: unknown): Promise<vscode.TextDocument | undefined> {
  if (typeof argument === 'string') return newExperiment(services, argument);
  const folder = await pickFolder();
  if (!folder) return undefined;
  const answer = await askRunner(services, ['new', '--list', '--json']);
  const picked = await vscode.window.showQuickPick(templateItems(readTemplates(answer)), {
    title: t('New experiment'),
    placeHolder: t('What to start from: type a model, a method of pretraining or a number of epochs'),
    matchOnDescription: true,
    matchOnDetail: true,
  });
  return picked?.template ? write(services, folder, picked.template) : undefined;
}

/** Writes a template, by default that of a first run, beside what is there and opens it; nothing where the person chose no folder. */
export async function newExperiment(services: Services, template?: string): Promise<vscode.TextDocument | undefined> {
  const folder = await pickFolder();
  return folder && write(services, folder, template);
}

async function write(services: Services, folder: vscode.WorkspaceFolder, template?: string) {
  const text = await askRunner(services, ['new', ...(template ? ['--template', template] : []), '--stdout']);
  const file = freeFile(folder.uri.fsPath, slugOf(text));
  writeWhole(file, text);
  const document = await vscode.workspace.openTextDocument(file);
  await vscode.window.showTextDocument(document, { preview: false });
  return document;
}

async function askRunner({ runner }: Services, args: readonly string[]): Promise<string> {
  const answer = await runner.ask(args);
  if (answer.code !== 0) throw new UserError(t('No config could be made: {0}', spokenError(answer.stderr)));
  return answer.stdout;
}

/** The folder of the workspace, or the one that a person picks; with no folder open, offers to open one. */
export async function pickFolder(): Promise<vscode.WorkspaceFolder | undefined> {
  const folders = (vscode.workspace.workspaceFolders ?? []).filter((folder) => folder.uri.scheme === 'file');
  if (folders.length > 1) return vscode.window.showWorkspaceFolderPick({ placeHolder: t('Folder for the experiment') });
  if (folders[0]) return folders[0];
  const chosen = await vscode.window.showInformationMessage(
    t('MaskSub keeps configs and runs in a folder. Open one first.'),
    t('Open folder…'),
  );
  if (chosen) await vscode.commands.executeCommand('workbench.action.files.openFolder');
  return undefined;
}

/** A file name from the template's first `name`, that of the experiment. */
function slugOf(template: string): string {
  const name = /"name"\s*:\s*"([^"]*)"/.exec(template)?.[1] ?? '';
  const slug = name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');
  return slug.replaceAll(/^-|-$/g, '') || 'experiment';
}

function freeFile(folder: string, slug: string): string {
  for (let i = 1; ; i++) {
    const file = path.join(folder, `${slug}${i === 1 ? '' : `-${i}`}.masksub.json`);
    if (!fs.existsSync(file)) return file;
  }
}
