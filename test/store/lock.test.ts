/** Who lives is told from who died, also where a process id was used again. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { isAlive, processStartTime, readLock, removeLock, takeLock, writeLock } from '../../src/store/lock.ts';
import { deadLock, ownLock } from './examples.ts';
import { temporaryFolder } from './temporaryFolder.ts';

const knowsStartTimes = process.platform !== 'win32';

test('a process is alive until it ends', async () => {
  const child = spawn(process.execPath, ['-e', 'process.stdin.resume()'], { stdio: ['pipe', 'ignore', 'inherit'] });
  await once(child, 'spawn');
  const pid = child.pid as number;
  const startTime = processStartTime(pid) ?? '';
  expect(startTime !== '').toBe(knowsStartTimes);
  expect(isAlive(pid, startTime)).toBe(true);
  child.stdin?.end();
  await once(child, 'exit');
  expect(isAlive(pid, startTime)).toBe(false);
  expect(processStartTime(pid)).toBeUndefined();
});

test.runIf(process.platform === 'linux')('a process that is dead but not waited for is not alive', async () => {
  // The shell starts a child, becomes sleep, and so never waits for it.
  const parent = spawn('sh', ['-c', 'sh -c "exit 0" & echo $!; exec sleep 60'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [output] = (await once(parent.stdout, 'data')) as [Buffer];
  const pid = Number(output.toString());
  const stateOf = () => fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.[0];
  while (stateOf() !== 'Z') await new Promise((resolve) => setTimeout(resolve, 5));
  expect(isAlive(pid, '')).toBe(false);
  parent.kill('SIGKILL');
  await once(parent, 'exit');
});

test.runIf(knowsStartTimes)('another process with the same id is not the one that was locked', () => {
  expect(isAlive(process.pid, processStartTime(process.pid) ?? '')).toBe(true);
  expect(isAlive(process.pid, 'long ago')).toBe(false);
});

test('nonsense is no process', () => {
  for (const pid of [0, -1, 1.5, Number.NaN, 2 ** 31 - 1]) expect(isAlive(pid, '')).toBe(false);
});

test('a lock comes back as it was written, and goes', () => {
  const folder = temporaryFolder();
  expect(readLock(folder)).toBeUndefined();
  const lock = ownLock();
  writeLock(folder, lock);
  expect(readLock(folder)).toEqual(lock);
  removeLock(folder);
  removeLock(folder);
  expect(readLock(folder)).toBeUndefined();
});

test.each(['', '{', 'null', '{"pid":1}', '{"pid":"1","startTime":"","leader":1,"leaderStartTime":"","heartbeat":0}'])(
  'a damaged lock is none: %s',
  (text) => {
    const folder = temporaryFolder();
    fs.writeFileSync(path.join(folder, 'run.lock'), text);
    expect(readLock(folder)).toBeUndefined();
  },
);

describe('the lock of a run that goes on', () => {
  test.each([
    ['none', undefined],
    ['that of a process that is gone', deadLock],
  ])('is taken where there is %s', (_what, before) => {
    const folder = temporaryFolder();
    if (before) writeLock(folder, before);
    takeLock(folder, ownLock());
    expect(readLock(folder)?.startTime).toBe(ownLock().startTime);
    expect(fs.readdirSync(folder)).toEqual(['run.lock']);
  });

  test('is left to a process that lives', () => {
    const folder = temporaryFolder();
    const held = ownLock();
    writeLock(folder, held);
    expect(() => takeLock(folder, deadLock)).toThrow(`The run in ${folder} is alive`);
    expect(readLock(folder)).toEqual(held);
    expect(fs.readdirSync(folder)).toEqual(['run.lock']);
  });

  test('is left to who is taking it at this moment, not to who was killed over it', () => {
    const folder = temporaryFolder();
    const claim = path.join(folder, 'run.lock.claim');
    fs.mkdirSync(claim);
    expect(() => takeLock(folder, ownLock())).toThrow('is alive');
    expect(readLock(folder)).toBeUndefined();
    const longAgo = new Date(Date.now() - 60_000);
    fs.utimesSync(claim, longAgo, longAgo);
    takeLock(folder, ownLock());
    expect(fs.readdirSync(folder)).toEqual(['run.lock']);
  });
});
