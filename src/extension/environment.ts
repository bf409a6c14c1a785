/** `Check environment`: what the runner finds on this machine, in the log and as one sentence. */
import * as vscode from 'vscode';
import * as z from 'zod';
import { UserError } from '../core/errors.ts';
import { spokenError } from './runner.ts';
import type { Services } from './services.ts';

const answerSchema = z.object({
  checks: z.array(
    z.object({ name: z.string(), ok: z.boolean(), optional: z.boolean().default(false), detail: z.string() }),
  ),
});

export async function checkEnvironment({ runner, log }: Services): Promise<void> {
  const answer = await vscode.window.withProgress(
    { location: vscode.ProgressLocation.Window, title: 'MaskSub: checking the environment' },
    () => runner.ask(['doctor', '--json']),
  );
  const parsed = answerSchema.safeParse(parseJson(answer.stdout));
  if (!parsed.success) throw new UserError(`The environment could not be checked: ${spokenError(answer.stderr)}`);
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
    return offerLog(log, vscode.window.showInformationMessage(`Ready to train. ${details}.`, 'Show log'));
  }
  const text = missing.map(({ name, detail }) => `${name}: ${detail}`).join(' ');
  const setting = 'Set the engine folder';
  const shown = vscode.window.showWarningMessage(
    answer.code === 0 ? `Ready to train, but not at full speed. ${text}` : `Not ready to train. ${text}`,
    setting,
    'Show log',
  );
  if ((await shown) === setting) {
    await vscode.commands.executeCommand('workbench.action.openSettings', 'masksub.enginePath');
  } else await offerLog(log, shown);
}

async function offerLog(log: vscode.LogOutputChannel, shown: Thenable<string | undefined>): Promise<void> {
  if ((await shown) === 'Show log') log.show();
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // the caller says that there was no answer
  }
}
