/** `Start MaskSub run`: from a config to a detached runner and an open dashboard. */
import type { ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import * as vscode from 'vscode';
import { UserError } from '../core/errors.ts';
import { makeFolder, writeWhole } from '../store/files.ts';
import { chooseConfig, offerFolder } from './chooseConfig.ts';
import { type CheckedConfig, checkConfig, diagnosticsOf, rangeOf } from './configCheck.ts';
import { engineFolder } from './engine.ts';
import { expectedRuns, newExperimentId } from './experiments.ts';
import { spokenError } from './runner.ts';
import { outFolder } from './runs.ts';
import type { Services } from './services.ts';

/** Starts the experiment of a config: the given one, else that of the active editor, else one of the workspace. */
export async function start(services: Services, uri?: vscode.Uri): Promise<void> {
  if (!(await isTrusted())) return;
  const document = await chooseConfig(services, uri);
  if (!document) return;
  const folder = vscode.workspace.getWorkspaceFolder(document.uri);
  if (!folder) {
    return offerFolder(
      `${path.basename(document.fileName)} lies outside the open folder. Open the folder that holds it: its runs are kept there.`,
      vscode.Uri.file(path.dirname(document.fileName)),
    );
  }
  if (document.isDirty && !(await document.save())) throw new UserError(`${document.fileName} could not be saved.`);
  const checked = await vscode.window.withProgress(
    { location: vscode.ProgressLocation.Window, title: 'MaskSub: checking the config' },
    () => checkConfig(services.runner, document),
  );
  if ('problems' in checked) return showProblems(services, document, checked.problems);
  services.diagnostics.set(document.uri, []);
  await launch(services, document, checked.config, folder);
}

async function launch(
  services: Services,
  document: vscode.TextDocument,
  config: Extract<CheckedConfig, { config: unknown }>['config'],
  folder: vscode.WorkspaceFolder,
): Promise<void> {
  const out = prepareOut(folder);
  const id = newExperimentId(config.name, new Date());
  const log = path.join(out, `${id}.log`);
  const child = services.runner.lead([document.fileName, '--out', out, '--id', id], {
    cwd: path.dirname(document.fileName),
    log,
  });
  services.log.info(`Started ${id} (process ${child.pid}); its output goes to ${log}`);
  const dashboard = await services.dashboard();
  dashboard.showStarting({ id, out, handles: expectedRuns(id, config), leader: child });
  await services.runs.refresh();
  if (!engineFolder(services.context)) void tellOfMissingEngine();
  void followToEnd(services, child, config.name, id, log);
}

/** Says a failure with the runner's own words; of a run that ended well or was stopped the dashboard tells. */
async function followToEnd(services: Services, child: ChildProcess, name: string, id: string, log: string) {
  const failure = await new Promise<string | undefined>((resolve) => {
    child.once('error', (error) => resolve(`its process could not be started: ${error.message}`));
    child.once('exit', (code, signal) => {
      if (code === 0 || code === 130 || signal) resolve(undefined);
      else resolve(spokenError(readTail(log)) || `the runner ended with code ${code}`);
    });
  });
  services.log.info(`${id} ended${failure ? `: ${failure}` : ''}`);
  await services.runs.refresh();
  const dashboard = await services.dashboard();
  dashboard.leaderEnded(id, failure);
  if (!failure) return;
  const chosen = await vscode.window.showErrorMessage(`The run "${name}" failed: ${failure}`, 'Show log');
  if (chosen) await vscode.window.showTextDocument(vscode.Uri.file(log), { preview: true });
}

async function isTrusted(): Promise<boolean> {
  if (vscode.workspace.isTrusted) return true;
  const chosen = await vscode.window.showErrorMessage(
    'MaskSub does not start a run in a folder that you have not trusted: its config chooses which files are read. Trust the folder to go on.',
    'Manage workspace trust',
  );
  if (chosen) await vscode.commands.executeCommand('workbench.trust.manage');
  return false;
}

async function showProblems(
  services: Services,
  document: vscode.TextDocument,
  problems: Extract<CheckedConfig, { problems: unknown }>['problems'],
): Promise<void> {
  services.diagnostics.set(document.uri, diagnosticsOf(problems));
  const [first] = problems;
  if (!first) return;
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : '';
  const text = `${path.basename(document.fileName)}, line ${first.line}: ${first.message}${more}`;
  const chosen = await vscode.window.showErrorMessage(text, 'Go to the line');
  if (chosen) await vscode.window.showTextDocument(document, { selection: rangeOf(first) });
}

/** The folder for run folders, kept out of version control. Throws a UserError where a file is in the way. */
function prepareOut(folder: vscode.WorkspaceFolder): string {
  const out = outFolder(folder);
  makeFolder(out);
  const ignore = path.join(path.dirname(out), '.gitignore');
  if (!fs.existsSync(ignore)) writeWhole(ignore, '*\n');
  return out;
}

async function tellOfMissingEngine(): Promise<void> {
  const chosen = await vscode.window.showWarningMessage(
    'The native engine is not installed: this run computes with WebAssembly, several times slower.',
    'Check environment',
  );
  if (chosen) await vscode.commands.executeCommand('masksub.checkEnvironment');
}

function readTail(log: string): string {
  try {
    return fs.readFileSync(log, 'utf8').slice(-4000);
  } catch {
    return ''; // no log: the exit code must do
  }
}
