/** The environment of a training process: threads and memory, which native libraries read as they start. */
import os from 'node:os';

/**
 * Variables for a process that trains with `threads` threads.
 * glibc returns large freed blocks to the kernel and faults them in again at the next op; keeping them makes the eager step
 * faster (docs/benchmarks.md).
 */
export function trainingEnvironment(threads: number, env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  const keepMemory =
    'glibc.malloc.mmap_threshold=4294967296:glibc.malloc.trim_threshold=17179869184:glibc.malloc.top_pad=67108864';
  return {
    ...env,
    TF_NUM_INTRAOP_THREADS: String(threads),
    TF_NUM_INTEROP_THREADS: '1',
    OMP_NUM_THREADS: String(threads),
    TF_CPP_MIN_LOG_LEVEL: env.TF_CPP_MIN_LOG_LEVEL ?? '2',
    ...(process.platform === 'linux' && !env.GLIBC_TUNABLES ? { GLIBC_TUNABLES: keepMemory } : {}),
  };
}

/** Threads of each of `processes` runs at a time: the cores, shared. */
export function threadsEach(processes: number, wanted: number | undefined): number {
  return wanted ?? Math.max(1, Math.floor(os.availableParallelism() / processes));
}
