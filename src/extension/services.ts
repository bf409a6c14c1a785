/** What the commands share. */
import type * as vscode from 'vscode';
import type { Dashboard } from './dashboard.ts';
import type { ConfigDiagnostics } from './diagnostics.ts';
import type { Runner } from './runner.ts';
import type { Runs } from './runs.ts';

export interface Services {
  readonly context: vscode.ExtensionContext;
  readonly log: vscode.LogOutputChannel;
  readonly runner: Runner;
  readonly runs: Runs;
  readonly diagnostics: ConfigDiagnostics;
  /** The one dashboard; its code is loaded at the first call. */
  readonly dashboard: () => Promise<Dashboard>;
}
