/** `Open run summary`: a run folder as a page, in a read-only editor of its `summary.json`, which need not be there yet. */
import fs from 'node:fs';
import path from 'node:path';
import * as vscode from 'vscode';
import { describeError, UserError } from '../core/errors.ts';
import { t } from '../core/l10n.ts';
import { runFiles } from '../store/layout.ts';
import { chooseRun } from './chooseRuns.ts';
import type { Services } from './services.ts';

export const summaryType = 'masksub.runSummary';

/** What the page's links may do. */
const commands = [
  'masksub.openDashboard',
  'masksub.showRunFolder',
  'masksub.export',
  'workbench.action.reopenTextEditor',
];

export async function openSummary(services: Services, argument: unknown): Promise<void> {
  const run = await chooseRun(services, argument, { placeHolder: t('Run whose summary to open') });
  if (!run) return;
  const uri = vscode.Uri.file(path.join(run.folder, runFiles.summary));
  await vscode.commands.executeCommand('vscode.openWith', uri, summaryType);
}

/** Pages that follow their run: anew when it begins, ends, or its folder goes. */
export class SummaryEditor implements vscode.CustomReadonlyEditorProvider {
  readonly #services: Services;

  constructor(services: Services) {
    this.#services = services;
  }

  openCustomDocument(uri: vscode.Uri): vscode.CustomDocument {
    return { uri, dispose: () => {} };
  }

  async resolveCustomEditor({ uri }: vscode.CustomDocument, panel: vscode.WebviewPanel): Promise<void> {
    const { runs } = this.#services;
    const folder = path.dirname(uri.fsPath);
    panel.webview.options = { enableScripts: false, enableCommandUris: commands, localResourceRoots: [] };
    let shown: string | undefined;
    let closed = false;
    const show = async () => {
      const now = this.#standing(folder);
      if (now === shown) return;
      shown = now;
      const html = await this.#page(folder);
      // Meanwhile it may have been closed, or stand otherwise.
      if (!closed && shown === now) panel.webview.html = html;
    };
    const subscription = vscode.Disposable.from(
      runs.onDidChange(() => void show()),
      // Back in sight, it tells how the run stands now.
      panel.onDidChangeViewState(({ webviewPanel }) => {
        if (webviewPanel.visible && this.#standing(folder).endsWith('ing')) shown = undefined;
        if (webviewPanel.visible) void show();
      }),
    );
    panel.onDidDispose(() => {
      closed = true;
      subscription.dispose();
    });
    await show();
  }

  /** What of the folder makes the page another one; the last word is the state. */
  #standing(folder: string): string {
    const all = this.#services.runs.experiments.flatMap((experiment) => experiment.runs);
    const state = all.find((run) => run.folder === folder)?.state;
    return `${fs.existsSync(folder)} ${fs.existsSync(path.join(folder, runFiles.summary))} ${state ?? 'unknown'}`;
  }

  async #page(folder: string): Promise<string> {
    const { summaryHtml, messageHtml } = await import('./summaryHtml.ts');
    if (!fs.existsSync(folder)) {
      return messageHtml(t('This run folder was deleted'), t('{0} is not there any more.', folder));
    }
    try {
      const { readOutline } = await import('./runOutline.ts');
      return summaryHtml(await readOutline(folder));
    } catch (error) {
      this.#services.log.error(describeError(error));
      const said = error instanceof UserError ? describeError(error) : t('Its files cannot be read.');
      return messageHtml(t('This run cannot be shown'), said);
    }
  }
}
