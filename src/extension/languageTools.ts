/** Registers the language-model tools where the editor knows such; what they do is loaded by the first call. */
import * as vscode from 'vscode';
import type { Services } from './services.ts';

/** Nothing to dispose of where the editor has no language models. */
export function registerLanguageTools(services: Services): vscode.Disposable[] {
  // Editors built from VS Code's sources may lack it, whatever the types say.
  const register = (vscode.lm as Partial<typeof vscode.lm> | undefined)?.registerTool;
  if (!register) return [];
  const tool = (name: keyof typeof import('./toolCalls.ts').tools) =>
    vscode.lm.registerTool<unknown>(name, {
      async prepareInvocation({ input }) {
        const { explained, tools } = await import('./toolCalls.ts');
        return explained(() => tools[name].prepare(services, input));
      },
      async invoke({ input }) {
        const { explained, tools } = await import('./toolCalls.ts');
        const text = await explained(() => tools[name].invoke(services, input));
        return new vscode.LanguageModelToolResult([new vscode.LanguageModelTextPart(text)]);
      },
    });
  return [tool('start_run'), tool('stop_run'), tool('get_run_summary'), tool('compare_runs')];
}
