/** A training process: one run, from its job to its end. Writes the run folder and tells its leader. */
import { createHash } from 'node:crypto';
import os from 'node:os';
import path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { describeError, UserError } from '../core/errors.ts';
import type { EngineEvent } from '../core/events.ts';
import { lengthRatio } from '../core/maskRatio.ts';
import { leavesPaper } from '../core/methodConfig.ts';
import { checkFork } from '../engine/fork.ts';
import { resizingNotice } from '../engine/imageSide.ts';
import type { Model } from '../engine/models/model.ts';
import { buildProblem, trainingFlops } from '../engine/problem.ts';
import type { Problem } from '../engine/step/step.ts';
import { train } from '../engine/train.ts';
import { writeWhole } from '../store/files.ts';
import { runFiles } from '../store/layout.ts';
import { processStartTime, type RunLock, writeLock } from '../store/lock.ts';
import { RunWriter } from '../store/runWriter.ts';
import { loadBackend } from './backend.ts';
import { checkpointTensors, type FoundCheckpoint, newestCheckpoint, readCheckpoint } from './checkpoint.ts';
import { dataFactsOf } from './dataFacts.ts';
import { collectGarbage, limitThreads } from './environment.ts';
import { executorFactory } from './executor.ts';
import { checkMachine } from './hardware.ts';
import type { ForkJob, FromTrainer, Job, ResumeJob, ToTrainer } from './job.ts';
import { openData } from './openData.ts';
import { provenance } from './provenance.ts';
import { readWeights } from './startingWeights.ts';

const HEARTBEAT_MS = 5000;

/** Waits for the job, trains, and ends the process with 0 (finished), 1 (failed) or 130 (stopped). */
export async function runTrainer(): Promise<void> {
  let stopping = false;
  let receive: (job: Job) => void;
  const received = new Promise<Job>((resolve) => {
    receive = resolve;
  });
  process.on('message', (message: ToTrainer) => {
    if (message.type === 'job') receive(message.job);
    else stopping = true;
  });
  // Without its leader nobody could stop this run together with its pair.
  process.on('disconnect', () => {
    stopping = true;
  });
  process.on('SIGINT', () => {}); // the terminal signals the whole group; the leader decides
  process.on('SIGTERM', () => send({ type: 'stopRequested' }));

  const job = await received;
  try {
    const state = await trainJob(job, () => stopping);
    process.exitCode = state === 'finished' ? 0 : state === 'stopped' ? 130 : 1;
  } catch (error) {
    send({ type: 'refused', message: describeError(error), forPerson: error instanceof UserError });
    process.exitCode = 1;
  }
  // Native threads and the channel would keep the process alive.
  process.disconnect?.();
  process.exit();
}

async function trainJob(job: Job, isStopping: () => boolean): Promise<string> {
  const { config } = job;
  // Data first: what is wrong with them is known before a run folder exists.
  const { data, broken } = await openData(config.data, job.configFolder);
  const problem = buildProblem(config, data);
  limitThreads(config.train.batchSize * trainingFlops(problem, lengthRatio(config)));
  const backend = await loadBackend(config.run.backend);
  checkMachine(config.run, backend);
  const before = job.resume ?? job.fork;
  if (before && before.dataHash !== data.hash) throw changedData(before, data.hash, job.fork?.run ?? job.runId);
  let found = job.resume ? newestCheckpoint(path.join(job.out, job.runId), problem) : forkedFrom(job.fork, problem);
  if (job.fork && found) checkFork(job.fork, found.resume.progress, config, data, problem);
  let start = await weightsOf(job, problem.model);
  const lock = () => ({
    pid: process.pid,
    startTime: processStartTime(process.pid) ?? '',
    leader: job.leader.pid,
    leaderStartTime: job.leader.startTime,
    heartbeat: Date.now(),
  });
  const writer = job.resume
    ? RunWriter.resume(path.join(job.out, job.runId), lock())
    : RunWriter.create(
        job.out,
        job.runId,
        { ...repeatable(job), ...provenance(data.hash, backend.name, job.threads) },
        // A fork's clock goes on where that of its run stood.
        { lock: lock(), begin: found?.resume.progress.cost.seconds ?? 0 },
      );
  const control = path.join(writer.folder, runFiles.control);
  writeWhole(control, `${JSON.stringify({ socket: job.leader.socket })}\n`);
  writeWhole(path.join(writer.folder, runFiles.data), `${JSON.stringify(dataFactsOf(data), undefined, 2)}\n`);
  if (start) writeWhole(path.join(writer.folder, runFiles.weights), `${JSON.stringify(start.report, undefined, 2)}\n`);
  const heartbeat = setInterval(() => beat(writer.folder, lock()), HEARTBEAT_MS).unref();
  const events = train(
    config,
    data,
    {
      role: job.role,
      pair: job.pair,
      attempt: writer.attempt,
      backend: backend.name,
      backendReason: backend.reason,
      fork: job.fork,
    },
    {
      now: () => performance.now() / 1000,
      date: () => new Date().toISOString(),
      cpuSeconds: () => (process.cpuUsage().user + process.cpuUsage().system) / 1e6,
      memory: () => ({
        now: process.memoryUsage.rss(),
        peak: process.resourceUsage().maxRSS * 1024,
        available: process.availableMemory?.() ?? os.freemem(),
      }),
      hash: sha256,
      breathe: async () => {
        await setImmediate();
        return isStopping();
      },
      collectGarbage,
      executorFor: executorFactory(config.run, backend),
      saveCheckpoint: (name, snapshot, model, metadata) =>
        writer.writeCheckpoint(`${name}.safetensors`, checkpointTensors(snapshot, model), metadata),
      saveSamples: (recorded) => writer.writeSamples(recorded),
    },
    found?.resume,
    start?.weights,
  );
  const resized = data.kind === 'images' ? resizingNotice(config.model, data) : undefined;
  const warnings = [
    ...data.warnings,
    ...(resized ? [resized] : []),
    ...(start?.warnings ?? []),
    ...(found?.warnings ?? []),
  ];
  found = start = undefined; // the engine lets go of the weights, too
  const emit = (event: EngineEvent) => send({ type: 'event', event: writer.emit(event) });
  try {
    for (;;) {
      const next = await events.next();
      if (next.done) {
        if (next.value) writer.finish(next.value);
        return next.value?.state ?? 'failed';
      }
      emit(next.value);
      for (const message of broken.splice(0)) emit({ type: 'warning', message });
      if (next.value.type !== 'start') continue;
      for (const message of [...warnings, ...otherComputation(job.resume, next.value)])
        emit({ type: 'warning', message });
    }
  } catch (error) {
    await events.return(undefined);
    endFailed(writer, error);
    throw error;
  } finally {
    clearInterval(heartbeat);
    data.close();
  }
}

/** What to start from where the config names a file. A run that goes on reads it, too: its `initHash` is that of its first start. */
function weightsOf({ config, configFolder }: Job, model: Model) {
  const { weights } = config.model;
  return weights === undefined ? undefined : readWeights(path.resolve(configFolder, weights), config, model);
}

/** The config for the run folder, in which the data and the weights are found from everywhere. */
function repeatable({ config, configFolder, pair, fork }: Job) {
  const departures = leavesPaper(config);
  const { data, model } = config;
  const found = <T extends object>(group: T, ...keys: (keyof T & string)[]): T => {
    const paths = keys.flatMap((key) => {
      const given = group[key];
      return typeof given === 'string' ? [[key, path.resolve(configFolder, given)]] : [];
    });
    return { ...group, ...Object.fromEntries(paths) };
  };
  return {
    ...config,
    data: found(data, 'path', 'tokenizer'),
    model: found(model, 'weights'),
    pair,
    ...(fork ? { forkOf: { run: fork.run, step: fork.step } } : {}),
    ...(departures.length > 0 ? { leavesPaper: departures } : {}),
  };
}

/** What a fork starts from: one checkpoint, of another run. */
function forkedFrom(fork: ForkJob | undefined, problem: Problem): FoundCheckpoint | undefined {
  return fork && { resume: readCheckpoint(fork.folder, fork.file, problem), warnings: [] };
}

function changedData({ dataHash }: { readonly dataHash: string }, hash: string, run: string): UserError {
  return new UserError(`The data of ${run} are not those that it was trained on: ${hash} instead of ${dataHash}.`, {
    hint: 'Put them back as they were, or start a new run.',
  });
}

/** What makes the numbers of a run that goes on differ from those of the same run in one go. */
function otherComputation(before: ResumeJob | undefined, now: { backend: string; executor: string }): string[] {
  if (!before || (before.backend === now.backend && before.executor === now.executor)) return [];
  return [
    `The run goes on with ${now.backend}, ${now.executor}; before it was ${before.backend}, ${before.executor}. Its numbers differ in the last digits from those of a run in one go.`,
  ];
}

/** Says in the run folder that the run failed, as far as the disk still takes it. */
function endFailed(writer: RunWriter, error: unknown): void {
  const message = error instanceof UserError ? describeError(error) : `A bug in MaskSub: ${String(error)}`;
  try {
    send({ type: 'event', event: writer.fail(message) });
  } catch {
    // The disk is full or gone: readers see a run without an end whose process is gone.
    writer.close();
  }
}

/** Says that this process lives. A disk that refuses will refuse the next event too, and that ends the run. */
function beat(folder: string, lock: RunLock): void {
  try {
    writeLock(folder, lock);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
  }
}

function send(message: FromTrainer): void {
  // The leader may die while a message is on its way; `disconnect` then stops this run in good order.
  if (process.connected) process.send?.(message, undefined, undefined, () => {});
}

async function sha256(parts: Iterable<ArrayBufferView> | AsyncIterable<ArrayBufferView>): Promise<string> {
  const hash = createHash('sha256');
  for await (const part of parts) hash.update(new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
  return `sha256:${hash.digest('hex')}`;
}
