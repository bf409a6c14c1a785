/** The runner as the extension starts it: short questions to the command line, and the detached leader of an experiment. */
import { type ChildProcess, spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

export interface Answer {
  /** Exit code; nothing where a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts `dist/cli.js` with the editor's own Node. */
export class Runner {
  readonly #cli: string;
  readonly #engineFolder: () => string | undefined;

  constructor(extensionFolder: string, engineFolder: () => string | undefined) {
    this.#cli = path.join(extensionFolder, 'dist', 'cli.js');
    this.#engineFolder = engineFolder;
  }

  /** Runs a command to its end; `input` goes to its standard input. Rejects only where the process cannot be started. */
  ask(args: readonly string[], options: { cwd?: string; input?: string; signal?: AbortSignal } = {}): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const child = spawn(process.execPath, [this.#cli, ...args], {
        cwd: options.cwd,
        env: this.#environment(),
        ...(options.signal ? { signal: options.signal } : {}),
      });
      let [stdout, stderr] = ['', ''];
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        stdout += text;
      });
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        stderr += text;
      });
      child.once('error', reject);
      child.once('close', (code) => resolve({ code, stdout, stderr }));
      child.stdin.on('error', () => {}); // it may end without reading: its answer says why
      child.stdin.end(options.input ?? '');
    });
  }

  /**
   * Starts a command that leads an experiment (`run`, `fork`, `reproduce`) in a process group of its own, its output in `log`, so that
   * it outlives this window. Throws a system error where the log cannot be made.
   */
  lead(args: readonly string[], options: { cwd: string; log: string }): ChildProcess {
    const log = fs.openSync(options.log, 'a');
    try {
      const child = spawn(process.execPath, [this.#cli, ...args], {
        cwd: options.cwd,
        env: this.#environment(),
        detached: true,
        stdio: ['ignore', log, log],
        windowsHide: true,
      });
      child.unref();
      return child;
    } finally {
      fs.closeSync(log);
    }
  }

  #environment(): NodeJS.ProcessEnv {
    const engine = this.#engineFolder();
    // Inside Electron the editor's program is Node only when told so.
    return { ...process.env, ELECTRON_RUN_AS_NODE: '1', ...(engine ? { MASKSUB_ENGINE: engine } : {}) };
  }
}

/** What a failed command said for a person: its `Error:` lines, else its last lines. */
export function spokenError(output: string): string {
  const lines = output
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '');
  const spoken = lines.filter((line) => line.startsWith('Error: ')).map((line) => line.slice('Error: '.length));
  return spoken.length > 0 ? [...new Set(spoken)].join(' ') : lines.slice(-3).join(' ');
}
