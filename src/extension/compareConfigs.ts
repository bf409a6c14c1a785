/** Configs side by side in the editor's own comparison: of two runs, or of a file and a run or another file. */

import path from 'node:path';
import * as vscode from 'vscode';
import { UserError } from '../core/errors.ts';
import { t } from '../core/l10n.ts';
import { stateTitle } from '../core/run.ts';
import { runFiles } from '../store/layout.ts';
import type { RunListing } from '../store/runReader.ts';
import { chooseConfig, findConfigs } from './chooseConfig.ts';
import { chooseRun, chooseRuns } from './chooseRuns.ts';
import { spokenError } from './runner.ts';
import { runLabel } from './runTexts.ts';
import type { Services } from './services.ts';
import { isTrusted } from './trust.ts';

/** Of the runs that it is called with or that are selected, else that a person picks. */
export async function compareConfigs(services: Services, argument: unknown, second: unknown): Promise<void> {
  const given = typeof second === 'string' ? [argument, second] : second;
  const runs = [...(await chooseRuns(services, argument, given, { placeHolder: t('Two runs to compare') }))];
  if (runs.length === 0) return;
  const [a] = runs;
  if (runs.length === 1 && a) {
    const asked = {
      placeHolder: t('Run to compare it with'),
      fits: ({ folder }: RunListing) => folder !== a.folder,
      none: t('There is no other run to compare it with.'),
    };
    const other = await chooseRun(services, undefined, asked);
    if (!other) return;
    runs.push(other);
  }
  if (runs.length > 2) {
    throw new UserError(t('The configs of two runs are compared; {0} are selected.', runs.length), {
      hint: t('Select two, or open the Compare page of the dashboard for more.'),
    });
  }
  const [before, after] = runs;
  if (!before || !after) return;
  const title = t('{0} ↔ {1} (config)', labelOf(before), labelOf(after));
  await vscode.commands.executeCommand('vscode.diff', configUri(before), configUri(after), title);
}

/** `Compare with…`: what a config comes to, against that of a run, or its text against that of another file. */
export async function compareWith(services: Services, uri?: vscode.Uri): Promise<void> {
  if (!(await isTrusted())) return;
  const document = await chooseConfig(services, uri);
  if (!document) return;
  await services.runs.refresh();
  const name = path.basename(document.fileName);
  const runs = services.runs.experiments.flatMap((experiment) => experiment.runs);
  const files = (await findConfigs()).filter((file) => file.fsPath !== document.uri.fsPath);
  const separator = (label: string) => ({ label, kind: vscode.QuickPickItemKind.Separator });
  const items: (vscode.QuickPickItem & { run?: RunListing; file?: vscode.Uri })[] = [
    ...(runs.length > 0 ? [separator(t('Runs'))] : []),
    ...runs.map((run) => ({
      label: `${run.name}: ${runLabel(run)}`,
      description: stateTitle(run.state),
      detail: path.basename(run.folder),
      run,
    })),
    ...(files.length > 0 ? [separator(t('Configs'))] : []),
    ...files.map((file) => ({ label: vscode.workspace.asRelativePath(file), file })),
  ];
  if (items.length === 0) {
    void vscode.window.showInformationMessage(
      t('There is nothing to compare {0} with yet: no run and no other config.', name),
    );
    return;
  }
  const options = { placeHolder: t('Compare {0} with', name), matchOnDetail: true };
  const picked = await vscode.window.showQuickPick(items, options);
  const diff = (before: vscode.Uri, after: vscode.Uri, title: string) =>
    vscode.commands.executeCommand('vscode.diff', before, after, title);
  if (picked?.file) await diff(picked.file, document.uri, `${path.basename(picked.file.fsPath)} ↔ ${name}`);
  if (picked?.run) {
    const resolved = await resolvedConfigs(services).show(document);
    await diff(configUri(picked.run), resolved, t('{0} ↔ {1} (with every default)', labelOf(picked.run), name));
  }
}

const scheme = 'masksub-config';
let contents: ResolvedConfigs | undefined;

/** The one provider of resolved configs, registered at its first use. */
function resolvedConfigs(services: Services): ResolvedConfigs {
  if (!contents) {
    contents = new ResolvedConfigs(services);
    services.context.subscriptions.push(vscode.workspace.registerTextDocumentContentProvider(scheme, contents));
  }
  return contents;
}

/** Configs with every default written out, as read-only documents. */
class ResolvedConfigs implements vscode.TextDocumentContentProvider {
  readonly #services: Services;
  readonly #texts = new Map<string, string>();
  readonly #changed = new vscode.EventEmitter<vscode.Uri>();
  readonly onDidChange = this.#changed.event;

  constructor(services: Services) {
    this.#services = services;
  }

  async show(document: vscode.TextDocument): Promise<vscode.Uri> {
    const { fileName } = document;
    const args = ['config', '-', '--as', fileName, '--json'];
    const answer = await this.#services.runner.ask(args, { cwd: path.dirname(fileName), input: document.getText() });
    const config = configOf(answer.stdout);
    if (config === undefined) {
      const said = spokenError(answer.stderr) || t('it has problems; the Problems panel names them');
      throw new UserError(t('{0} cannot be compared: {1}.', path.basename(fileName), said));
    }
    const uri = vscode.Uri.from({ scheme, path: fileName.replace(/\.masksub\.json$/, '.config.json') });
    this.#texts.set(uri.toString(), `${JSON.stringify(config, undefined, 2)}\n`);
    this.#changed.fire(uri);
    return uri;
  }

  provideTextDocumentContent(uri: vscode.Uri): string {
    return this.#texts.get(uri.toString()) ?? '';
  }
}

function configOf(json: string): unknown {
  try {
    const answer: unknown = JSON.parse(json);
    return typeof answer === 'object' && answer !== null && 'config' in answer ? answer.config : undefined;
  } catch {
    return undefined; // the caller says that there was no answer
  }
}

const configUri = (run: RunListing) => vscode.Uri.file(path.join(run.folder, runFiles.config));
const labelOf = (run: RunListing) => `${run.name}: ${runLabel(run)}`;
