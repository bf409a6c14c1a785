/** Above a config: `Run | Compare with…`, and how many runs of its name there are. */
import * as vscode from 'vscode';
import { t } from '../core/l10n.ts';
import { nameOfConfig } from './configName.ts';
import type { Runs } from './runs.ts';

export class ConfigLenses implements vscode.CodeLensProvider, vscode.Disposable {
  readonly #runs: Runs;
  readonly #changed = new vscode.EventEmitter<void>();
  readonly onDidChangeCodeLenses = this.#changed.event;
  readonly #subscription: vscode.Disposable;
  #counted = 0;

  constructor(runs: Runs) {
    this.#runs = runs;
    this.#subscription = vscode.Disposable.from(
      runs.onDidChange(() => {
        const count = runs.experiments.flatMap((experiment) => experiment.runs).length;
        if (count !== this.#counted) this.#changed.fire();
        this.#counted = count;
      }),
      vscode.workspace.onDidGrantWorkspaceTrust(() => this.#changed.fire()),
    );
  }

  provideCodeLenses(document: vscode.TextDocument): vscode.CodeLens[] {
    const name = nameOfConfig(document.getText());
    const experiments = this.#runs.experiments.filter((experiment) => experiment.name === name);
    const count = experiments.flatMap(({ runs }) => runs).length;
    const top = new vscode.Range(0, 0, 0, 0);
    const lens = (title: string, command: string, argument: unknown) =>
      new vscode.CodeLens(top, { title, command, arguments: [argument] });
    return [
      ...(vscode.workspace.isTrusted
        ? [
            lens(`$(play) ${t('Run')}`, 'masksub.start', document.uri),
            lens(t('Compare with…'), 'masksub.compareWith', document.uri),
          ]
        : []),
      ...(count > 0
        ? [lens(count === 1 ? t('1 run') : t('{0} runs', count), 'masksub.openDashboard', experiments[0]?.id)]
        : []),
    ];
  }

  dispose(): void {
    this.#subscription.dispose();
    this.#changed.dispose();
  }
}
