/** `Check environment`: what the runner finds on this machine, in the log and as one sentence. */
import * as vscode from 'vscode';
import * as z from 'zod';
import { UserError } from '../core/errors.ts';
import { t } from '../core/l10n.ts';
import { spokenError } from './runner.ts';
import type { Services } from './services.ts';

const answerSchema = z.object({
  checks: z.array(
    z.object({ name: z.string(), ok: z.boolean(), optional: z.boolean().default(false), detail: z.string() }),
  ),
});

export async function checkEnvironment({ runner, log }: Services): Promise<void> {
  const answer = await vscode.window.withProgress(
    { location: vscode.ProgressLocation.Window, title: t('MaskSub: checking the environment') },
    () => runner.ask(['doctor', '--json']),
  );
  const parsed = answerSchema.safeParse(parseJson(answer.stdout));
  if (!parsed.success) throw new UserError(t('The environment could not be checked: {0}', spokenError(answer.stderr)));
  const { checks } = parsed.data;
  log.info(
    [
      'Environment:',
      ...checks.map(({ name, ok, optional, detail }) => `${ok ? '✓' : optional ? '–' : '✗'} ${name}: ${detail}`),
    ].join('\n'),
  );
  const missing = checks.filter((check) => !check.ok && !check.optional);
  if (missing.length === 0) {
    const details = checks
      .filter(({ ok }) => ok)
      .map(({ name, detail }) => `${name} ${detail}`)
      .join('; ');
    return offerLog(log, vscode.window.showInformationMessage(t('Ready to train. {0}.', details), t('Show log')));
  }
  const text = missing.map(({ name, detail }) => `${name}: ${detail}`).join(' ');
  const setting = t('Set the engine folder');
  const shown = vscode.window.showWarningMessage(
    answer.code === 0 ? t('Ready to train, but not at full speed. {0}', text) : t('Not ready to train. {0}', text),
    setting,
    t('Show log'),
  );
  if ((await shown) === setting) {
    await vscode.commands.executeCommand('workbench.action.openSettings', 'masksub.enginePath');
  } else await offerLog(log, shown);
}

async function offerLog(log: vscode.LogOutputChannel, shown: Thenable<string | undefined>): Promise<void> {
  if ((await shown) === t('Show log')) log.show();
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // the caller says that there was no answer
  }
}
