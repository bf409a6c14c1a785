/** What every step of set-up shares: a line with its time for each step, and child processes that fail with a sentence. */
import { spawn } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** The root of the checkout. */
export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');

/** A failure that a person can do something about: printed without a stack. */
export class SetupError extends Error {
  /** @override */
  name = 'SetupError';
}

/**
 * Does one step unless it is done already, and prints one line with the time it took.
 * `found` says why nothing needs to be done, or nothing; `act` does the step and may return what it came to.
 *
 * @param {string} title
 * @param {() => string | undefined | Promise<string | undefined>} found
 * @param {() => unknown} act
 */
export async function step(title, found, act) {
  const began = performance.now();
  const already = await found();
  if (already) {
    report(title, began, `skipped: ${already}`);
    return;
  }
  if (process.stdout.isTTY) process.stdout.write(`${title} …`);
  try {
    const outcome = await act();
    report(title, began, typeof outcome === 'string' ? outcome : 'done');
  } catch (error) {
    report(title, began, 'failed');
    throw error;
  }
}

/**
 * Runs a program and returns what it wrote; its output is shown only where it fails.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{cwd?: string, env?: NodeJS.ProcessEnv, hint?: string}} [options] `hint` says what to do about a failure
 * @returns {Promise<string>} standard output
 */
export function execute(command, args, { cwd = root, env = process.env, hint } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    let everything = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      output += text;
      everything += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      everything += text;
    });
    const fail = (reason) => {
      const lines = [`${[command, ...args].join(' ')} ${reason}`, everything.trim().split('\n').slice(-30).join('\n')];
      reject(new SetupError([...lines, hint].filter(Boolean).join('\n')));
    };
    child.on('error', (error) => fail(`could not be started (${error.message}).`));
    child.on('close', (code, signal) =>
      code === 0 ? resolve(output) : fail(`ended with ${signal ?? `code ${code}`}:`),
    );
  });
}

/** True where a program of that name can be started. */
export async function canExecute(command, args = ['--version']) {
  try {
    await execute(command, args);
    return true;
  } catch {
    return false;
  }
}

/** True in the module that was started, by its `import.meta.url`. */
export function isMain(url) {
  return process.argv[1] !== undefined && url === pathToFileURL(process.argv[1]).href;
}

/** Prints why set-up ended early and sets the exit code; a bug keeps its stack. */
export function fail(error) {
  console.error(error instanceof SetupError ? `\nError: ${error.message}` : error);
  process.exitCode = 1;
}

function report(title, began, outcome) {
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  const start = process.stdout.isTTY ? '\r\x1b[K' : '';
  console.log(`${start}${title.padEnd(34)} ${`${seconds} s`.padStart(8)}   ${outcome}`);
}
