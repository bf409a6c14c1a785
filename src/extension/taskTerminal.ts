/** The terminal of a task: what the runner says as it says it. Ending the task stops the run in good order. */
import type { ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import * as vscode from 'vscode';
import { describeError } from '../core/errors.ts';
import { newExperimentId } from '../core/experiment.ts';
import { t } from '../core/l10n.ts';
import { prepareOut } from './lead.ts';
import { outFolder } from './runs.ts';
import type { Services } from './services.ts';

/** How often the terminal looks for new output, in milliseconds. */
const LOOK_MS = 200;

export class RunTerminal implements vscode.Pseudoterminal {
  readonly #write = new vscode.EventEmitter<string>();
  readonly onDidWrite = this.#write.event;
  readonly #closed = new vscode.EventEmitter<number>();
  readonly onDidClose = this.#closed.event;
  readonly #services: Services;
  readonly #folder: vscode.WorkspaceFolder;
  readonly #config: unknown;
  readonly #set: unknown;
  #leader: ChildProcess | undefined;
  #log: number | undefined;
  readonly #decoder = new StringDecoder('utf8');
  #timer: NodeJS.Timeout | undefined;

  constructor(services: Services, folder: vscode.WorkspaceFolder, config: unknown, set: unknown) {
    this.#services = services;
    this.#folder = folder;
    this.#config = config;
    this.#set = set;
  }

  open(): void {
    try {
      this.#start();
    } catch (error) {
      this.#say(`${describeError(error)}\n`);
      this.#end(2);
    }
  }

  close(): void {
    clearInterval(this.#timer);
    if (this.#leader?.exitCode === null) this.#leader.kill('SIGTERM');
  }

  handleInput(data: string): void {
    if (data === '\x03') this.#leader?.kill('SIGINT');
  }

  #start(): void {
    const wrong = problemOf(this.#config, this.#set);
    if (wrong) {
      this.#say(`${wrong}\n`);
      this.#end(2);
      return;
    }
    const config = path.resolve(this.#folder.uri.fsPath, String(this.#config));
    const changes = ((this.#set ?? []) as string[]).flatMap((change) => ['--set', change]);
    const out = prepareOut(outFolder(this.#folder));
    const id = newExperimentId(path.basename(config, '.masksub.json'), new Date());
    const log = path.join(out, `${id}.log`);
    const args = ['run', config, '--out', out, '--id', id, ...changes];
    this.#say(`masksub run ${config}${changes.length > 0 ? ` ${changes.join(' ')}` : ''}\n\n`);
    const leader = this.#services.runner.lead(args, { cwd: path.dirname(config), log });
    this.#leader = leader;
    this.#log = fs.openSync(log, 'r');
    this.#timer = setInterval(() => this.#copy(), LOOK_MS);
    leader.once('error', (error) => {
      this.#say(`${error.message}\n`);
      this.#end(1);
    });
    leader.once('exit', (code) => this.#end(code ?? 1));
    void this.#services.runs.refresh();
  }

  /** What the log has gained. */
  #copy(): void {
    if (this.#log === undefined) return;
    const buffer = Buffer.alloc(64 << 10);
    for (let length = 1; length > 0; ) {
      length = fs.readSync(this.#log, buffer, 0, buffer.length, null);
      this.#say(this.#decoder.write(buffer.subarray(0, length)));
    }
  }

  #end(code: number): void {
    clearInterval(this.#timer);
    this.#copy();
    if (this.#log !== undefined) fs.closeSync(this.#log);
    this.#log = undefined;
    void this.#services.runs.refresh();
    this.#closed.fire(code);
  }

  #say(text: string): void {
    if (text !== '') this.#write.fire(text.replaceAll(/\r?\n/g, '\r\n'));
  }
}

function problemOf(config: unknown, set: unknown): string | undefined {
  if (typeof config !== 'string' || config === '') {
    return t('This task names no config. Add "config": "<name>.masksub.json" to it in tasks.json.');
  }
  const isList = Array.isArray(set) && set.every((change) => typeof change === 'string' && change.includes('='));
  if (set !== undefined && !isList) {
    return t('"set" is a list of changes, as in ["train.epochs=2"]; in tasks.json it is {0}.', JSON.stringify(set));
  }
  return undefined;
}
