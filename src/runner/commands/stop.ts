/** `masksub stop`: stops a run together with its pair. */
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { UserError } from '../../core/errors.ts';
import { isOver } from '../../core/run.ts';
import { runFiles } from '../../store/layout.ts';
import { isAlive, readLock } from '../../store/lock.ts';
import { findRun, readRun } from '../../store/runReader.ts';
import { ask } from '../control.ts';

const WAIT_MS = 60_000;

/** Asks through the control socket, else by SIGTERM, and waits until the run is over. */
export async function stop(name: string, options: { out: string }): Promise<void> {
  const folder = findRun(options.out, name);
  const { id, state } = readRun(folder);
  if (isOver(state)) throw new UserError(`The run ${id} is over already: ${state.state}.`);
  const lock = readLock(folder);
  try {
    const { socket } = JSON.parse(fs.readFileSync(path.join(folder, runFiles.control), 'utf8')) as { socket: string };
    await ask(socket, { command: 'stop' });
  } catch (error) {
    // No control file yet, or nobody at the socket: the leader's pid is the other way, if it is still that leader.
    if (!lock || !isAlive(lock.leader, lock.leaderStartTime)) throw error;
    process.kill(lock.leader, 'SIGTERM');
  }
  const deadline = Date.now() + WAIT_MS;
  while (!isOver(readRun(folder).state)) {
    if (Date.now() > deadline) {
      throw new UserError(`The run ${id} was told to stop and has not ended within ${WAIT_MS / 1000} s.`, {
        hint: 'A single step may take that long; look again with `masksub show`.',
      });
    }
    await setTimeout(100);
  }
  const after = readRun(folder).state;
  process.stdout.write(`${id}: ${after.end?.message ?? after.state}\n`);
}
