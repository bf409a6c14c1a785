/** The status-bar item: there only while something runs. */
import * as vscode from 'vscode';
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
    item.tooltip = [...living.map(runText), 'Click to open the dashboard.'].join('\n');
    item.accessibilityInformation = { label: `MaskSub is training: ${statusText(living)}` };
    item.show();
  });
  return vscode.Disposable.from(item, subscription);
}
