/** `run.lock`: which process a run lives in, so that a reader can tell a living run from one that was killed. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { UserError } from '../core/errors.ts';
import { errorCode, makeNewFolder, remove, writeWhole } from './files.ts';
import { runFiles } from './layout.ts';

export interface RunLock {
  /** The process that trains this run. */
  readonly pid: number;
  /** As `processStartTime` gives it; process ids are used again, pairs of id and start time are not. */
  readonly startTime: string;
  /** The process that leads the experiment and owns the control socket. */
  readonly leader: number;
  readonly leaderStartTime: string;
  /** Last sign of life, in milliseconds since 1970. */
  readonly heartbeat: number;
}

/**
 * When a process began, as a text that only serves to be compared; nothing for a process that is gone (or dead but not yet
 * waited for), and nothing on a system that does not tell.
 */
export function processStartTime(pid: number): string | undefined {
  if (!Number.isInteger(pid) || pid <= 0) return undefined;
  if (process.platform === 'linux') return linuxStartTime(pid);
  if (process.platform === 'win32') return undefined;
  try {
    const [state, ...start] = execFileSync('ps', ['-o', 'state=,lstart=', '-p', String(pid)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
      .trim()
      .split(/\s+/);
    return state === undefined || state.startsWith('Z') || start.length === 0 ? undefined : start.join(' ');
  } catch {
    return undefined; // ps ends with 1 where there is no such process
  }
}

/** True while the process that began at `startTime` lives; where the system tells no start times, while any has that id. */
export function isAlive(pid: number, startTime: string): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  const found = processStartTime(pid);
  if (found !== undefined && startTime !== '') return found === startTime;
  if (found === undefined && process.platform !== 'win32') return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCode(error) === 'EPERM';
  }
}

export function writeLock(folder: string, lock: RunLock): void {
  writeWhole(path.join(folder, runFiles.lock), `${JSON.stringify(lock)}\n`);
}

/** Nobody needs longer to take a lock, in milliseconds; who does was killed over it. */
const CLAIM_MS = 10_000;

/**
 * Takes the lock of a run whose process is gone. Throws a `UserError` where it lives, or where somebody else is taking the lock at this
 * moment: of two that try, one succeeds.
 */
export function takeLock(folder: string, lock: RunLock): void {
  const claim = path.join(folder, `${runFiles.lock}.claim`);
  const claimed = fs.statSync(claim, { throwIfNoEntry: false })?.mtimeMs;
  if (claimed !== undefined && claimed < Date.now() - CLAIM_MS) remove(claim);
  const taken = new UserError(`The run in ${folder} is alive: another process writes it.`, {
    hint: 'Wait for its end, or stop it with `masksub stop`.',
  });
  try {
    makeNewFolder(claim);
  } catch (error) {
    throw error instanceof UserError && errorCode(error.cause) === 'EEXIST' ? taken : error;
  }
  try {
    const held = readLock(folder);
    if (held && isAlive(held.pid, held.startTime)) throw taken;
    writeLock(folder, lock);
  } finally {
    remove(claim);
  }
}

/** The lock of a run, or nothing where it has none or none that can be read. */
export function readLock(folder: string): RunLock | undefined {
  try {
    const value: unknown = JSON.parse(fs.readFileSync(path.join(folder, runFiles.lock), 'utf8'));
    return isRunLock(value) ? value : undefined;
  } catch {
    return undefined; // no lock, or a damaged one: nobody can be found by it either way
  }
}

export function removeLock(folder: string): void {
  remove(path.join(folder, runFiles.lock));
}

function linuxStartTime(pid: number): string | undefined {
  try {
    // Fields after the command's name, which may hold spaces and brackets itself: state is the 3rd field, start the 22nd.
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state, ticks] = [fields[0], fields[19]];
    if (ticks === undefined || state === 'Z' || state === 'X') return undefined;
    return `${bootId()}/${ticks}`; // the ticks count from the boot
  } catch {
    return undefined;
  }
}

let knownBootId: string | undefined;

function bootId(): string {
  try {
    knownBootId ??= fs.readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    knownBootId = ''; // some sandboxes have none
  }
  return knownBootId;
}

function isRunLock(value: unknown): value is RunLock {
  if (typeof value !== 'object' || value === null) return false;
  const lock = value as Partial<Record<keyof RunLock, unknown>>;
  return (
    typeof lock.pid === 'number' &&
    typeof lock.startTime === 'string' &&
    typeof lock.leader === 'number' &&
    typeof lock.leaderStartTime === 'string' &&
    typeof lock.heartbeat === 'number'
  );
}
