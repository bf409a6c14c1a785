/** `Start MaskSub run`: from a config to a detached runner and an open dashboard. */
import path from 'node:path';
import * as vscode from 'vscode';
import { UserError } from '../core/errors.ts';
import { newExperimentId } from '../core/experiment.ts';
import { t } from '../core/l10n.ts';
import { chooseConfig, offerFolder } from './chooseConfig.ts';
import { type CheckedConfig, checkConfig, diagnosticsOf, rangeOf } from './configCheck.ts';
import { expectedRuns } from './experiments.ts';
import { begin, prepareOut } from './lead.ts';
import { outFolder } from './runs.ts';
import type { Services } from './services.ts';
import { isTrusted } from './trust.ts';

type Resolved = Extract<CheckedConfig, { config: unknown }>['config'];

/** Starts the experiment of a config: the given one, else that of the active editor, else one of the workspace. */
export async function start(services: Services, uri?: vscode.Uri): Promise<void> {
  if (!(await isTrusted())) return;
  const document = await chooseConfig(services, uri);
  if (!document) return;
  const folder = vscode.workspace.getWorkspaceFolder(document.uri);
  if (!folder) {
    return offerFolder(
      t(
        '{0} lies outside the open folder. Open the folder that holds it: its runs are kept there.',
        path.basename(document.fileName),
      ),
      vscode.Uri.file(path.dirname(document.fileName)),
    );
  }
  await saved(document);
  const checked = await vscode.window.withProgress(
    { location: vscode.ProgressLocation.Window, title: t('MaskSub: checking the config') },
    () => checkConfig(services.runner, document),
  );
  if ('problems' in checked) return showProblems(services, document, checked.problems);
  services.diagnostics.set(document.uri, []);
  await launch(services, document, checked.config, folder);
}

/** Starts a config that was checked, with the same changes (`key=value`); returns the id of its experiment. */
export async function launch(
  services: Services,
  document: vscode.TextDocument,
  config: Resolved,
  folder: vscode.WorkspaceFolder,
  set: readonly string[] = [],
): Promise<string> {
  const out = prepareOut(outFolder(folder));
  const id = newExperimentId(config.name, new Date());
  const changes = set.flatMap((change) => ['--set', change]);
  await begin(services, {
    id,
    name: config.name,
    out,
    args: ['run', document.fileName, '--out', out, '--id', id, ...changes],
    cwd: path.dirname(document.fileName),
    handles: expectedRuns(id, config),
  });
  return id;
}

/** The runner reads the file, not the editor. Throws a UserError where it cannot be saved. */
export async function saved(document: vscode.TextDocument): Promise<void> {
  if (document.isDirty && !(await document.save()))
    throw new UserError(t('{0} could not be saved.', document.fileName));
}

async function showProblems(
  services: Services,
  document: vscode.TextDocument,
  problems: Extract<CheckedConfig, { problems: unknown }>['problems'],
): Promise<void> {
  services.diagnostics.set(document.uri, diagnosticsOf(problems));
  const [first] = problems;
  if (!first) return;
  const where = t('{0}, line {1}: {2}', path.basename(document.fileName), first.line, first.message);
  const text = problems.length > 1 ? t('{0} (and {1} more)', where, problems.length - 1) : where;
  const chosen = await vscode.window.showErrorMessage(text, t('Go to the line'));
  if (chosen) await vscode.window.showTextDocument(document, { selection: rangeOf(first) });
}
