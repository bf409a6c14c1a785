/** Turns errors into messages: the one place where the extension does. */
import * as vscode from 'vscode';
import { describeError, UserError } from '../core/errors.ts';
import { t } from '../core/l10n.ts';

/** Says an error: one that a person is meant to read in full, a bug as such with its stack in the log. */
export async function report(log: vscode.LogOutputChannel, error: unknown): Promise<void> {
  log.error(describeError(error));
  const text = error instanceof UserError ? describeError(error) : t('MaskSub met an unexpected error (a bug).');
  const chosen = await vscode.window.showErrorMessage(text, t('Show log'));
  if (chosen) log.show();
}
