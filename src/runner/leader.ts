/** The leader of an experiment: starts the training processes of each pair, follows them, stops them together, compares. */
import { type ChildProcess, fork } from 'node:child_process';
import os from 'node:os';
import { comparePair, compareSeeds, type PairComparison, type SeedsComparison } from '../core/comparison.ts';
import type { Config } from '../core/config.ts';
import { describeError } from '../core/errors.ts';
import type { Role, RunEvent } from '../core/events.ts';
import { emptyRun, isOver, type RunState, reduceRun } from '../core/run.ts';
import { memoryProblem } from '../engine/step/memoryNeed.ts';
import { processStartTime } from '../store/lock.ts';
import { endDeadRun } from '../store/runWriter.ts';
import { serveControl } from './control.ts';
import { threadsEach, trainingEnvironment } from './environment.ts';
import type { FromTrainer, Job, ToTrainer } from './job.ts';
import { cliFile } from './paths.ts';

/** How long a run may take to end after a stop before it is killed, in milliseconds; a large step takes its time. */
const STOP_PATIENCE_MS = 60_000;

export interface Experiment {
  readonly id: string;
  readonly out: string;
  readonly config: Config;
  readonly configFolder: string;
}

/** What the leader tells its caller while it goes. */
export interface Progress {
  readonly onEvent: (event: RunEvent, runs: ReadonlyMap<string, RunState>) => void;
  /** An error for a person. */
  readonly onError: (text: string) => void;
}

export interface Outcome {
  readonly runs: ReadonlyMap<string, RunState>;
  readonly comparison: SeedsComparison | undefined;
  /** 0 all finished, 1 one failed, 2 the input was refused before anything ran, 130 stopped. */
  readonly exitCode: 0 | 1 | 2 | 130;
}

/** The runs to make. */
export interface Plan {
  /** Each group side by side, one group after the other. */
  readonly groups: readonly (readonly Omit<Job, 'leader'>[])[];
  /** What is known of these runs and of their partners already. */
  readonly known: readonly RunState[];
}

/** All seeds of an experiment, one after the other, the runs of a pair side by side. */
export function planOf(experiment: Experiment): Plan {
  return { groups: experiment.config.compare.seeds.map((seed) => jobsOf(experiment, seed)), known: [] };
}

/** Makes the runs of a plan, each in a process of its own. */
export async function lead(plan: Plan, progress: Progress, stop: AbortSignal): Promise<Outcome> {
  const runs = new Map(plan.known.map((run) => [run.id, run]));
  const step = () => Math.max(0, ...[...runs.values()].map((run) => run.lastStep?.step ?? 0));
  const abort = new AbortController();
  stop.addEventListener('abort', () => abort.abort());
  const control = await serveControl((request) => {
    if (request.command === 'stop') abort.abort();
    return { ok: true, state: abort.signal.aborted ? 'stopping' : 'running', step: step() };
  });
  const leader = { pid: process.pid, startTime: processStartTime(process.pid) ?? '', socket: control.address };
  const ends: RunEnd[] = [];
  try {
    for (const group of plan.groups) {
      if (abort.signal.aborted) break;
      for (const { runId } of group) if (!runs.has(runId)) runs.set(runId, emptyRun(runId)); // the baseline comes first in every list
      ends.push(...(await Promise.all(group.map((job) => follow({ ...job, leader }, runs, progress, abort)))));
    }
  } finally {
    control.close();
  }
  const exitCode = ends.includes('refused') ? 2 : ends.includes('failed') ? 1 : abort.signal.aborted ? 130 : 0;
  const pairs = pairsOf(runs);
  return { runs, comparison: pairs.length > 0 ? compareSeeds(pairs) : undefined, exitCode };
}

/** The comparison of each pair that has one. */
function pairsOf(runs: ReadonlyMap<string, RunState>): PairComparison[] {
  const all = [...runs.values()];
  return all
    .filter(({ start }) => start?.role === 'baseline' && start.pair !== undefined)
    .map((baseline) => {
      const method = all.find(({ start }) => start?.pair === baseline.start?.pair && start?.role === 'method');
      return method && comparePair(baseline, method);
    })
    .filter((comparison) => comparison !== undefined);
}

/** The runs of one seed: the baseline first, where one is wanted. */
function jobsOf({ id, out, config, configFolder }: Experiment, seed: number): Omit<Job, 'leader'>[] {
  const seeded = { ...config, train: { ...config.train, seed }, compare: { ...config.compare, seeds: [seed] } };
  const isPair = config.method.name !== 'baseline' && config.compare.baseline;
  const pair = `${id}-s${seed}`;
  const job = (role: Role, name: Config['method']['name']): Omit<Job, 'leader'> => ({
    runId: `${pair}-${name}`,
    out,
    pair: isPair ? pair : undefined,
    role,
    config: { ...seeded, method: { ...config.method, name } },
    configFolder,
    threads: threadsEach(isPair ? 2 : 1, config.run.threads),
  });
  if (config.method.name === 'baseline') return [job('baseline', 'baseline')];
  const method = job('method', config.method.name);
  return isPair ? [job('baseline', 'baseline'), method] : [method];
}

/** How a run ended; `refused` where its input was, before there was a run. */
type RunEnd = 'finished' | 'stopped' | 'failed' | 'refused';

/** Starts one run and follows it to its end. */
function follow(job: Job, runs: Map<string, RunState>, progress: Progress, abort: AbortController): Promise<RunEnd> {
  const child = fork(cliFile(), ['train'], {
    env: trainingEnvironment(job.threads),
    serialization: 'advanced', // keeps NaN and infinities
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  const stderr = lastLines(child);
  let hasBegun = false;
  let refusal: Extract<FromTrainer, { type: 'refused' }> | undefined;
  const tell = (message: ToTrainer) => {
    if (child.connected) child.send(message, () => {}); // it may end while the message is on its way
  };
  const onEvent = (event: RunEvent) => {
    hasBegun ||= event.type === 'start';
    runs.set(job.runId, reduceRun(runs.get(job.runId) ?? emptyRun(job.runId), event));
    progress.onEvent(event, runs);
  };
  child.on('message', (message: FromTrainer) => {
    if (message.type === 'event') onEvent(message.event);
    else {
      if (message.type === 'refused') refusal = message;
      abort.abort(); // without its pair the other run would prove nothing
    }
  });
  let patience: NodeJS.Timeout | undefined;
  const onAbort = () => {
    tell({ type: 'stop' });
    patience = setTimeout(() => child.kill('SIGKILL'), STOP_PATIENCE_MS).unref();
  };
  if (abort.signal.aborted) onAbort();
  else abort.signal.addEventListener('abort', onAbort, { once: true });
  tell({ type: 'job', job });
  return new Promise((resolve) => {
    child.on('close', (code, signal) => {
      clearTimeout(patience);
      abort.signal.removeEventListener('abort', onAbort);
      resolve(endOf(job, { code, signal, refusal, hasBegun, stderr: stderr() }, runs, onEvent, progress));
    });
  });
}

interface ProcessEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly refusal: Extract<FromTrainer, { type: 'refused' }> | undefined;
  /** Whether it has said its start. */
  readonly hasBegun: boolean;
  readonly stderr: readonly string[];
}

/** What the end of a training process means for its run; a run that could not say its end gets one. */
function endOf(
  job: Job,
  { code, signal, refusal, hasBegun, stderr }: ProcessEnd,
  runs: Map<string, RunState>,
  onEvent: (event: RunEvent) => void,
  progress: Progress,
): RunEnd {
  const run = runs.get(job.runId) ?? emptyRun(job.runId);
  if (refusal) {
    progress.onError(refusal.forPerson ? refusal.message : `A bug in MaskSub; please report it.\n${refusal.message}`);
    if (!isOver(run)) runs.set(job.runId, { ...run, state: 'failed' });
    return refusal.forPerson && !hasBegun ? 'refused' : 'failed';
  }
  if (isOver(run)) return run.state === 'finished' || run.state === 'stopped' ? run.state : 'failed';
  const how = signal ? `was ended by ${signal}` : `ended with code ${code}`;
  const why = signal === 'SIGKILL' ? ` ${killed(job.config.train.batchSize, run.start?.stepMemoryBytes)}` : '';
  const message = `The training process ${how} without a word.${why}`;
  progress.onError([message, ...stderr].join('\n').trimEnd());
  try {
    const event = endDeadRun(job.out, job.runId, message);
    if (event) onEvent(event);
    else runs.set(job.runId, { ...run, state: 'failed' });
  } catch (error) {
    progress.onError(describeError(error)); // readers find the run lost
  }
  return 'failed';
}

/** The last lines of what a child wrote to its standard error, for the report of a crash. */
function lastLines(child: ChildProcess): () => string[] {
  let text = '';
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    text = (text + chunk).slice(-4000);
  });
  return () => text.trimEnd().split('\n').slice(-10);
}

/** Who kills a process without a word is mostly the system, for lack of memory: what the step would have needed tells. */
function killed(batchSize: number, need: number | undefined): string {
  const problem = need && memoryProblem(batchSize, need, os.freemem());
  return problem
    ? `The system does that when memory runs out. ${problem}`
    : 'The system does that when memory runs out.';
}
