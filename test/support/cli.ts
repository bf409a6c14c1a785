/** The command line as a person uses it: the built `dist/cli.js` in a process of its own. */
import { spawn } from 'node:child_process';
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
  /** Also the id of its process group. */
  readonly pid: number;
  /** What it said on standard error so far. */
  readonly stderr: () => string;
  readonly ended: Promise<CliResult>;
}

/** Starts a command as the leader of a process group of its own; what is left of the group goes with the test. */
export function startCli(args: readonly string[], options?: CliOptions): CliProcess {
  const started = spawnCli(args, options);
  onTestFinished(() => signalGroup(started.pid, 'SIGKILL'));
  return started;
}

/** Runs a command to its end; one that has none within 100 s is killed. */
export async function cli(args: readonly string[], options?: CliOptions): Promise<CliResult> {
  const { pid, ended } = spawnCli(args, options);
  const timer = setTimeout(() => signalGroup(pid, 'SIGKILL'), 100_000);
  return ended.finally(() => clearTimeout(timer));
}

function spawnCli(args: readonly string[], { cwd, env = {}, input = '' }: CliOptions = {}): CliProcess {
  const child = spawn(process.execPath, [cliFile, ...args], {
    cwd,
    env: { ...process.env, ...env },
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
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
  return { pid: child.pid ?? 0, stderr: () => stderr, ended };
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
