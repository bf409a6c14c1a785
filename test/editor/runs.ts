/** The runs that an editor test started, as their folders tell. */
import fs from 'node:fs';
import path from 'node:path';
import { decodeEvent, type RunEvent, type RunEventOf } from '../../src/core/events.ts';
import { runFiles } from '../../src/store/layout.ts';
import { isAlive, processStartTime, type RunLock, readLock } from '../../src/store/lock.ts';

/** A run folder of the workspace. */
export interface FoundRun {
  readonly id: string;
  readonly folder: string;
  readonly events: readonly RunEvent[];
  readonly start: RunEventOf<'start'> | undefined;
  readonly lock: RunLock | undefined;
}

/** Every run in the workspace's run folder. */
export function findRuns(workspace: string): FoundRun[] {
  const out = path.join(workspace, '.masksub', 'runs');
  if (!fs.existsSync(out)) return [];
  return fs
    .readdirSync(out)
    .filter((id) => fs.existsSync(path.join(out, id, runFiles.events)))
    .map((id) => {
      const folder = path.join(out, id);
      const lines = fs.readFileSync(path.join(folder, runFiles.events), 'utf8').split('\n');
      const events = lines.map(decodeEvent).filter((event) => event !== undefined);
      return { id, folder, events, start: events.find((event) => event.type === 'start'), lock: readLock(folder) };
    });
}

/** A process of a run, as its lock names it. */
export interface Process {
  readonly pid: number;
  readonly startTime: string;
}

/** The leader and the trainers of all runs that are under way. */
export function processesOf(workspace: string): Process[] {
  const all = findRuns(workspace).flatMap(({ lock }) =>
    lock
      ? [
          { pid: lock.pid, startTime: lock.startTime },
          { pid: lock.leader, startTime: lock.leaderStartTime },
        ]
      : [],
  );
  return all.filter((one, i) => all.findIndex(({ pid }) => pid === one.pid) === i);
}

/** Those of these processes that still live. */
export function living(processes: readonly Process[]): Process[] {
  return processes.filter(({ pid, startTime }) => isAlive(pid, startTime));
}

/** The processes of a group that are left, zombies aside. */
export function groupOf(leader: number): number[] {
  return fs
    .readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const fields = fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').pop()?.split(' ') ?? [];
        return fields[0] !== 'Z' && Number(fields[2]) === leader;
      } catch {
        return false; // ended in between
      }
    });
}

/** Ends whatever a test left running in the workspace. */
export async function endRuns(workspace: string): Promise<void> {
  const leaders = new Set(findRuns(workspace).flatMap(({ lock }) => (lock ? [lock.leader] : [])));
  for (const leader of leaders) {
    if (processStartTime(leader) === undefined) continue;
    process.kill(leader, 'SIGTERM');
    await until(`the end of run process ${leader}`, () => processStartTime(leader) === undefined);
  }
}

/** Waits until something holds, looking every 100 ms; fails with `what` after `seconds`. */
export async function until<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
  seconds = 30,
): Promise<T> {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (Date.now() > deadline) throw new Error(`After ${seconds} s there was still no sign of: ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
