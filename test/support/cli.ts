/** The command line as a person uses it: the built `dist/cli.js` in a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import { expect, onTestFinished } from 'vitest';

const cliFile = path.resolve(import.meta.dirname, '../../dist/cli.js');

export interface CliOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** What it reads from standard input. */
  readonly input?: string;
}

export interface CliResult {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliProcess {
  readonly child: ChildProcess;
  readonly pid: number;
  /** Standard output so far. */
  readonly stdout: () => string;
  readonly ended: Promise<CliResult>;
}

/** Starts a command as the leader of a process group of its own; what is left of the group goes with the test. */
export function startCli(args: readonly string[], { cwd, env = {}, input = '' }: CliOptions = {}): CliProcess {
  const child = spawn(process.execPath, [cliFile, ...args], {
    cwd,
    env: { ...process.env, ...env },
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const pid = child.pid ?? 0;
  onTestFinished(() => signalGroup(pid, 'SIGKILL'));
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    stdout += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk;
  });
  child.stdin.on('error', () => {}); // it need not read its input
  child.stdin.end(input);
  const ended = new Promise<CliResult>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  return { child, pid, stdout: () => stdout, ended };
}

/** Runs a command to its end. */
export function cli(args: readonly string[], options?: CliOptions): Promise<CliResult> {
  return startCli(args, options).ended;
}

/** Wrong use or unreadable input: exit code 2, and one or two plain sentences that hold each of `parts`. */
export function expectRefusal(result: CliResult, ...parts: readonly string[]): void {
  expect(result.code, result.stderr || result.stdout).toBe(2);
  expectPlain(result.stderr);
  for (const part of parts) expect(result.stderr).toContain(part);
}

/** Words for a person: no stack trace, no mention of a bug, and each line said once. */
export function expectPlain(stderr: string): void {
  expect(stderr).not.toMatch(/^\s+at |A bug in MaskSub|\bundefined\b|\[object /m);
  const errors = stderr.split('\n').filter((line) => line.startsWith('Error: '));
  expect(new Set(errors).size).toBe(errors.length);
}

/** Sends a signal to every process of a group; one that is gone is fine. */
export function signalGroup(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-group, signal);
  } catch {
    // gone already
  }
}
