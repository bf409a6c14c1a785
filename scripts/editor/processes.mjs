/** Which processes live, and how to end a group of them. */
import fs from 'node:fs';

/**
 * When a process began, in clock ticks since boot; nothing where the system doesn't tell. A process id alone may have been given
 * to another process since.
 *
 * @param {number} pid
 */
export function startTime(pid) {
  try {
    const fields = fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').pop()?.split(' ');
    return fields?.[0] === 'Z' ? undefined : fields?.[19];
  } catch {
    return undefined;
  }
}

/**
 * True where the process lives that had this id and began at that time.
 *
 * @param {number} pid
 * @param {string | undefined} time
 */
export function isAlive(pid, time) {
  return signal(pid, 0) && startTime(pid) === time;
}

/**
 * Ends the process group that `pid` leads: first a request, after `patience` milliseconds without mercy.
 *
 * @param {number} pid
 */
export async function endGroup(pid, patience = 2000) {
  signal(-pid, 'SIGTERM');
  const deadline = Date.now() + patience;
  while (Date.now() < deadline && signal(-pid, 0)) await new Promise((resolve) => setTimeout(resolve, 50));
  signal(-pid, 'SIGKILL');
}

/** True where there was something to send it to. */
function signal(pid, what) {
  try {
    process.kill(pid, what);
    return true;
  } catch (error) {
    if (error.code === 'ESRCH') return false;
    if (error.code === 'EPERM') return true;
    throw error;
  }
}
