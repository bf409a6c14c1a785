/** The dashboard after a reload of the window that was too fast for VS Code to keep its panel. */
import * as vscode from 'vscode';
import type { Services } from './services.ts';

/** Key of the workspace's memory: whether a dashboard was open when the window went. */
export const dashboardWasOpen = 'dashboardWasOpen';

/**
 * Opens the dashboard for runs that go on, where a reload came too fast for VS Code to keep its panel, and where the environment
 * asks for it (`npm start` does).
 */
export function reopenDashboard({ context, runs, dashboard }: Services): void {
  const isKept = vscode.window.tabGroups.all.some(({ tabs }) =>
    tabs.some(({ input }) => input instanceof vscode.TabInputWebview && input.viewType.endsWith('masksub.dashboard')),
  );
  const wasOpen = context.workspaceState.get(dashboardWasOpen) === true && runs.living.length > 0;
  if (!isKept && (wasOpen || process.env.MASKSUB_OPEN_DASHBOARD)) void dashboard().then((opened) => opened.open());
}
