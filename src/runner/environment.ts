/** The environment of a training process: threads, which native libraries read as they start, and memory. */
import os from 'node:os';
import v8 from 'node:v8';
import vm from 'node:vm';

/** Variables for a process that trains with `threads` threads. */
export function trainingEnvironment(threads: number, env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  return {
    ...env,
    TF_NUM_INTRAOP_THREADS: String(threads),
    TF_NUM_INTEROP_THREADS: '1',
    OMP_NUM_THREADS: String(threads),
    TF_CPP_MIN_LOG_LEVEL: env.TF_CPP_MIN_LOG_LEVEL ?? '2',
  };
}

/** Threads of each of `processes` runs at a time: the cores, shared. */
export function threadsEach(processes: number, wanted: number | undefined): number {
  return wanted ?? Math.max(1, Math.floor(os.availableParallelism() / processes));
}

/** Below so many floating-point operations a step is faster on one thread: its ops are too small to be shared (docs/benchmarks.md). */
const SMALL_STEP_FLOPS = 1.5e9;

/** Leaves a small step one thread. For before the native engine is loaded, which reads the environment then. */
export function limitThreads(stepFlops: number, env: NodeJS.ProcessEnv = process.env): void {
  if (stepFlops < SMALL_STEP_FLOPS) env.TF_NUM_INTRAOP_THREADS = '1';
}

/** Collects garbage now: copies of the initial weights would otherwise stay until JavaScript itself needs memory, beyond the first step's peak. */
export function collectGarbage(): void {
  v8.setFlagsFromString('--expose-gc');
  (vm.runInNewContext('gc') as () => void)();
}
