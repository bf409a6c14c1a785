/** Reads and decodes images in threads: what is asked for comes in its own order, whichever thread is first. */
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { View } from '../augment/view.ts';
import { fileDefaults } from '../core/dataConfig.ts';
import { UserError } from '../core/errors.ts';
import type { Place } from './imageBytes.ts';
import type { ImageHeader } from './imageHeader.ts';

export interface WantedImage extends ImageHeader {
  readonly place: Place;
  /** Names its random streams. */
  readonly key: number;
}

export interface LoaderOptions {
  /** Threads. */
  readonly workers?: number | undefined;
  /** The code of a thread, bundled. */
  readonly workerFile?: string | undefined;
  /** Where the decoder is looked for first. */
  readonly engineFolder?: string | undefined;
}

export interface Loaded {
  /** (images, side, side, 3), 0 to 255. */
  readonly pixels: Uint8Array;
  /** Which of them could not be decoded, and are grey. */
  readonly failures: readonly Failure[];
}

export interface Loader {
  read(images: readonly WantedImage[], view: View): Promise<Loaded>;
  /** Ends the threads; what is still being read fails. */
  close(): void;
}

/** What a thread is told once … */
export interface WorkerOptions {
  readonly engineFolder: string | undefined;
}

/** … what it is asked for … */
export interface Chunk {
  readonly id: number;
  readonly view: View;
  readonly images: readonly WantedImage[];
}

interface Failure {
  readonly at: number;
  readonly reason: string;
}

/** … and what it says. */
export type FromWorker =
  | { readonly type: 'ready' }
  | { readonly type: 'refused'; readonly message: string; readonly hint: string; readonly cause: string }
  | {
      readonly type: 'done';
      readonly id: number;
      readonly pixels: ArrayBuffer;
      readonly failures: readonly Failure[];
    };

/** Images of a chunk: enough that messages cost nothing; of a small batch fewer, so that the threads end together. */
const chunkImages = 8;
/** Chunks that a thread has at a time, decoding some while it augments another: with two a tenth of the cores is idle (docs/benchmarks.md). */
const chunksAtOnce = 4;

/** Starts the threads. Throws a `UserError` where the decoder is missing. */
export async function openLoader(options: LoaderOptions = {}): Promise<Loader> {
  const { workers: count = fileDefaults.workers, engineFolder = process.env.MASKSUB_ENGINE } = options;
  const file = options.workerFile ?? builtWorker();
  const pool = new Pool(
    Array.from({ length: count }, () => new Worker(file, { workerData: { engineFolder } satisfies WorkerOptions })),
  );
  await pool.ready;
  return pool;
}

/** The chunks of one call of `read`. */
interface Job {
  readonly images: readonly WantedImage[];
  readonly view: View;
  /** The first image that no thread has yet. */
  next: number;
  left: number;
  pixels: Uint8Array | undefined;
  readonly failures: Failure[];
  readonly resolve: (loaded: Loaded) => void;
  readonly reject: (error: unknown) => void;
}

class Pool implements Loader {
  readonly ready: Promise<void>;
  readonly #workers: readonly { readonly thread: Worker; busy: number }[];
  /** Jobs with chunks that no thread has yet, the oldest first. */
  readonly #waiting: Job[] = [];
  readonly #running = new Map<number, { readonly job: Job; readonly first: number }>();
  #nextId = 0;
  #failure: unknown;

  constructor(threads: readonly Worker[]) {
    this.#workers = threads.map((thread) => ({ thread, busy: 0 }));
    let starting = threads.length;
    this.ready = new Promise((resolve, reject) => {
      for (const worker of this.#workers) {
        const fail = (error: unknown) => {
          this.#fail(error);
          reject(error);
        };
        worker.thread.on('message', (message: FromWorker) => {
          if (message.type === 'done') this.#receive(worker, message);
          else if (message.type === 'refused') fail(new UserError(message.message, message));
          else if (--starting === 0) {
            this.#letGo();
            resolve();
          }
        });
        worker.thread.on('error', fail);
        worker.thread.on('exit', (code) => fail(new Error(`A thread that reads images ended with code ${code}.`)));
      }
    });
  }

  read(images: readonly WantedImage[], view: View): Promise<Loaded> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) throw this.#failure;
      const job: Job = {
        images,
        view,
        next: 0,
        left: images.length,
        pixels: undefined,
        failures: [],
        resolve,
        reject,
      };
      if (images.length === 0) return resolve({ pixels: new Uint8Array(0), failures: [] });
      this.#waiting.push(job);
      for (const { thread } of this.#workers) thread.ref();
      this.#dispatch();
    });
  }

  close(): void {
    this.#fail(new Error('The reading of images was ended.'));
  }

  /** Gives each thread what it can take, in turn. */
  #dispatch(): void {
    for (let busy = 0; busy < chunksAtOnce; busy++) {
      for (const worker of this.#workers) {
        const [job] = this.#waiting;
        if (!job) return;
        if (worker.busy > busy) continue;
        const first = job.next;
        const share = Math.ceil(job.images.length / (2 * this.#workers.length));
        job.next = Math.min(first + Math.min(chunkImages, share), job.images.length);
        if (job.next === job.images.length) this.#waiting.shift();
        const id = this.#nextId++;
        this.#running.set(id, { job, first });
        worker.busy++;
        const chunk: Chunk = { id, view: job.view, images: job.images.slice(first, job.next) };
        worker.thread.postMessage(chunk);
      }
    }
  }

  #receive(worker: { busy: number }, { id, pixels, failures }: FromWorker & { type: 'done' }): void {
    const running = this.#running.get(id);
    if (!running) return;
    this.#running.delete(id);
    worker.busy--;
    this.#dispatch();
    const { job, first } = running;
    const each = 3 * job.view.side ** 2;
    job.pixels ??= new Uint8Array(job.images.length * each);
    job.pixels.set(new Uint8Array(pixels), first * each);
    for (const { at, reason } of failures) job.failures.push({ at: first + at, reason });
    job.left -= pixels.byteLength / each;
    if (job.left > 0) return;
    job.failures.sort((a, b) => a.at - b.at);
    job.resolve({ pixels: job.pixels, failures: job.failures });
    if (this.#running.size === 0 && this.#waiting.length === 0) this.#letGo();
  }

  /** The process may end: nobody waits for a thread. */
  #letGo(): void {
    for (const { thread } of this.#workers) thread.unref();
  }

  #fail(error: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    const jobs = new Set([...this.#waiting, ...Array.from(this.#running.values(), ({ job }) => job)]);
    this.#waiting.length = 0;
    this.#running.clear();
    for (const { reject } of jobs) reject(error);
    for (const { thread } of this.#workers) void thread.terminate();
  }
}

/** The thread's code in the built project, above whose code its package.json lies. */
function builtWorker(): string {
  let folder = path.dirname(fileURLToPath(import.meta.url));
  while (!fs.existsSync(path.join(folder, 'package.json')) && path.dirname(folder) !== folder) {
    folder = path.dirname(folder);
  }
  return path.join(folder, 'dist', 'loaderWorker.js');
}
