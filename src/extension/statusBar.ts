/** The status-bar item: there only while something runs. */
import * as vscode from 'vscode';
import { t } from '../core/l10n.ts';
import type { Runs } from './runs.ts';
import { runText, statusText } from './statusText.ts';

export function createStatusBar(runs: Runs): vscode.Disposable {
  const item = vscode.window.createStatusBarItem('masksub.status', vscode.StatusBarAlignment.Left);
  item.name = 'MaskSub';
  item.command = 'masksub.openDashboard';
  const subscription = runs.onDidChange(() => {
    const { living } = runs;
    if (living.length === 0) return item.hide();
    item.text = `$(loading~spin) MaskSub ${statusText(living)}`;
    item.tooltip = [...living.map(runText), t('Click to open the dashboard.')].join('\n');
    item.accessibilityInformation = { label: t('MaskSub is training: {0}', statusText(living)) };
    item.show();
  });
  return vscode.Disposable.from(item, subscription);
}
