/** Checks configs with the runner, and shows what it finds in the Problems panel. */
import path from 'node:path';
import * as vscode from 'vscode';
import * as z from 'zod';
import { UserError } from '../core/errors.ts';
import { t } from '../core/l10n.ts';
import { type Runner, spokenError } from './runner.ts';

const problemSchema = z.object({
  line: z.number().int().min(1),
  column: z.number().int().min(1),
  endLine: z.number().int().min(1),
  endColumn: z.number().int().min(1),
  message: z.string(),
  suggestion: z.string().optional(),
  inSchema: z.boolean(),
});
type Problem = z.infer<typeof problemSchema>;

/** Of a resolved config, what the extension itself uses. */
const resolvedSchema = z.object({
  name: z.string(),
  method: z.object({ name: z.string() }),
  compare: z.object({ baseline: z.boolean(), seeds: z.array(z.number().int()).min(1) }),
  data: z.looseObject({ dataset: z.string(), trainOn: z.number().optional() }),
  model: z.looseObject({ name: z.string() }),
  train: z.looseObject({ epochs: z.number(), batchSize: z.number() }),
});
export type ResolvedConfig = z.infer<typeof resolvedSchema>;

const answerSchema = z.union([
  z.object({ config: resolvedSchema }),
  z.object({ problems: z.array(problemSchema).min(1) }),
]);
export type CheckedConfig = z.infer<typeof answerSchema>;

/**
 * What the runner says of a config's text, as it stands in the editor, with changes (`key=value`) made to it. Throws a UserError where it says nothing that can be
 * understood.
 */
export async function checkConfig(
  runner: Runner,
  document: vscode.TextDocument,
  options: { readonly signal?: AbortSignal; readonly set?: readonly string[] } = {},
): Promise<CheckedConfig> {
  const file = document.uri.fsPath;
  const { signal, set = [] } = options;
  const changes = set.flatMap((change) => ['--set', change]);
  const answer = await runner.ask(['config', '-', '--as', file, '--json', ...changes], {
    cwd: path.dirname(file),
    input: document.getText(),
    ...(signal ? { signal } : {}),
  });
  const parsed = answerSchema.safeParse(parseJson(answer.stdout));
  if (parsed.success) return parsed.data;
  throw new UserError(t('The config could not be checked: {0}', spokenError(answer.stderr) || `code ${answer.code}`));
}

/** Marks in the editor. Those that the JSON schema finds too are left to it, or each would be there twice. */
export function diagnosticsOf(problems: readonly Problem[]): vscode.Diagnostic[] {
  return problems.filter((problem) => !problem.inSchema).map(diagnosticOf);
}

export function rangeOf(problem: Problem): vscode.Range {
  const { line, column, endLine, endColumn } = problem;
  return new vscode.Range(line - 1, column - 1, endLine - 1, endColumn - 1);
}

function diagnosticOf(problem: Problem): vscode.Diagnostic {
  const diagnostic = new vscode.Diagnostic(rangeOf(problem), problem.message, vscode.DiagnosticSeverity.Error);
  diagnostic.source = 'MaskSub';
  return diagnostic;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // the caller says that there was no answer
  }
}
