/** `Show data set`: what a config's data hold, in a panel beside it; a page without scripts, made of the runner's report. */
import path from 'node:path';
import * as vscode from 'vscode';
import { type DataReport, dataReportSchema } from '../core/dataReport.ts';
import { UserError } from '../core/errors.ts';
import { t } from '../core/l10n.ts';
import { chooseConfig } from './chooseConfig.ts';
import { dataHtml } from './dataHtml.ts';
import { spokenError } from './runner.ts';
import type { Services } from './services.ts';

/** Asks the runner about the data of the chosen config, and shows what it says. */
export async function showData(services: Services, uri?: vscode.Uri): Promise<void> {
  const document = await chooseConfig(services, uri);
  if (!document) return;
  if (document.isDirty && !(await document.save()))
    throw new UserError(t('{0} could not be saved.', document.fileName));
  const report = await vscode.window.withProgress(
    {
      location: vscode.ProgressLocation.Notification,
      title: t('MaskSub: looking through the data set'),
      cancellable: true,
    },
    (_, token) => ask(services, document.fileName, token),
  );
  if (!report) return;
  const title = t('Data: {0}', path.basename(document.fileName, '.masksub.json'));
  const panel = vscode.window.createWebviewPanel('masksub.data', title, vscode.ViewColumn.Active, {
    enableFindWidget: true,
  });
  panel.webview.html = dataHtml(report);
}

async function ask(
  { runner }: Services,
  file: string,
  token: vscode.CancellationToken,
): Promise<DataReport | undefined> {
  const stop = new AbortController();
  token.onCancellationRequested(() => stop.abort());
  const options = { cwd: path.dirname(file), signal: stop.signal };
  const answer = await runner.ask(['data', file, '--json'], options).catch((error: unknown) => {
    if (token.isCancellationRequested) return undefined;
    throw error;
  });
  if (!answer) return undefined;
  if (answer.code !== 0) throw new UserError(spokenError(answer.stderr));
  return dataReportSchema.parse(JSON.parse(answer.stdout));
}
