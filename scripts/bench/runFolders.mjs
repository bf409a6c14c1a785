/** Run folders of any length for benchmarks: real events with made-up numbers; `node runFolders.mjs OUT METHOD RATE` says them live. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { isMain } from '../setup/step.mjs';

const STEPS_PER_EPOCH = 1000;
/** One step in so many is a spike that no picture may lose. */
const SPIKE_EVERY = 100_003;

/** Writes a finished run of so many step events, twelve scalars each, and returns its folder. */
export function writeRunFolder(out, id, { steps, learningRate = 0.001, top1 = 0.8 }) {
  const folder = path.join(out, id);
  fs.mkdirSync(folder, { recursive: true });
  const method = methodOf(id);
  const file = fs.openSync(path.join(folder, 'events.jsonl'), 'w');
  /** @type {object[]} */
  let lines = [start(id, steps)];
  const flush = () => {
    fs.writeSync(file, lines.map((event) => `${JSON.stringify(event)}\n`).join(''));
    lines = [];
  };
  for (let step = 1; step <= steps; step++) {
    lines.push(stepEvent(id, step, step / 50));
    if (step % STEPS_PER_EPOCH === 0) lines.push(epochEvent(id, step, top1));
    if (lines.length > 4000) flush();
  }
  const summary = summaryOf(steps, top1);
  lines.push({ ...envelope(id, steps / 50 + 1), type: 'end', state: 'finished', message: 'Finished.', summary });
  flush();
  fs.closeSync(file);
  const config = {
    name: name(id),
    method: { name: method },
    data: { dataset: 'fashion-mnist-mini' },
    train: { learningRate, seed: 0 },
  };
  fs.writeFileSync(path.join(folder, 'config.json'), JSON.stringify(config));
  fs.writeFileSync(path.join(folder, 'summary.json'), JSON.stringify(summary));
  return folder;
}

/** The processes below one, and what memory each has. */
export function processTree(pid) {
  const rows = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,rss=,args='], { encoding: 'utf8' }).trim().split('\n');
  const all = rows.map((row) => {
    const [, own, parent, rss, command] = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(.*)$/.exec(row) ?? [];
    return { pid: Number(own), parent: Number(parent), residentBytes: 1024 * Number(rss), command: command ?? '' };
  });
  const below = (parent) => all.filter((one) => one.parent === parent).flatMap((one) => [one, ...below(one.pid)]);
  return below(pid);
}

const envelope = (run, t) => ({ v: 1, run, attempt: 0, t });
const name = (id) => id.replace(/-s\d+-\w+$/, '');
const methodOf = (id) => (id.endsWith('baseline') ? 'baseline' : 'masksub');

function start(id, steps) {
  const method = methodOf(id);
  return {
    ...envelope(id, 0),
    type: 'start',
    name: name(id),
    pair: id.replace(/-\w+$/, ''),
    role: method === 'baseline' ? 'baseline' : 'method',
    method,
    model: 'vit',
    dataset: 'fashion-mnist-mini',
    parameters: 139_402,
    seed: 0,
    initHash: 'sha256:1',
    batchHash: 'sha256:2',
    dataHash: 'sha256:3',
    backend: 'tensorflow',
    backendReason: 'It is installed.',
    executor: 'recorded',
    executorReason: '',
    precision: 'float32',
    epochs: Math.ceil(steps / STEPS_PER_EPOCH),
    steps,
    at: new Date().toISOString(),
  };
}

function stepEvent(id, step, t) {
  const isBaseline = methodOf(id) === 'baseline';
  const wave = Math.fround(1 + Math.sin(step / 5000) / 2 + ((step * 7919) % 1000) / 5000);
  const main = step % SPIKE_EVERY === 0 ? 50 : wave;
  const sub = isBaseline ? {} : { sub: Math.fround(wave * 0.9) };
  return {
    ...envelope(id, t),
    type: 'step',
    loss: { total: Math.fround(isBaseline ? main : (main + wave * 0.9) / 2), main, ...sub },
    grad: {
      total: Math.fround(wave * 2),
      main: Math.fround(wave * 3),
      ...sub,
      ...(isBaseline ? {} : { cosine: Math.fround(Math.cos(step / 9000)) }),
    },
    step,
    epoch: step / STEPS_PER_EPOCH,
    images: 32 * step,
    learningRate: Math.fround(0.001 * (1 - step / 2e6)),
    imagesPerSecond: Math.fround(1600 + 100 * wave),
    dataWait: Math.fround(wave / 1000),
    memoryBytes: 400_000_000 + (step % 1000) * 4096,
    flops: 1e9 * step,
  };
}

function epochEvent(id, step, top1) {
  const metrics = { loss: Math.fround(2 - step / 1e6), top1: top1 * Math.min(1, step / 1e5) };
  const validation = { ...metrics, maskedLoss: 2, maskedTop1: metrics.top1 / 2, samples: 10_000 };
  return { ...envelope(id, step / 50), type: 'epoch', epoch: step / STEPS_PER_EPOCH, step, train: metrics, validation };
}

function summaryOf(steps, top1) {
  return {
    state: 'finished',
    steps,
    epochs: steps / STEPS_PER_EPOCH,
    executor: 'recorded',
    precision: 'float32',
    final: { loss: 0.5, top1, samples: 10_000 },
    cost: { seconds: steps / 50, cpuSeconds: steps / 40, images: 32 * steps, flops: 1e9 * steps, peakMemoryBytes: 4e8 },
  };
}

/** Says step events at a rate until it is ended. */
function goOn(out = '', method = '', rate = '50') {
  const id = `live-s0-${method}`;
  const folder = path.join(out, id);
  fs.mkdirSync(folder, { recursive: true });
  // Without a start time the id of the process is enough for its readers.
  const lock = { pid: process.pid, startTime: '', leader: process.pid, leaderStartTime: '', heartbeat: Date.now() };
  fs.writeFileSync(path.join(folder, 'run.lock'), JSON.stringify(lock));
  const file = path.join(folder, 'events.jsonl');
  fs.writeFileSync(file, `${JSON.stringify(start(id, 1_000_000))}\n`);
  const began = performance.now();
  let step = 0;
  setInterval(() => {
    step++;
    fs.appendFileSync(file, `${JSON.stringify(stepEvent(id, step, (performance.now() - began) / 1000))}\n`);
    if (step % STEPS_PER_EPOCH === 0) fs.appendFileSync(file, `${JSON.stringify(epochEvent(id, step, 0.8))}\n`);
  }, 1000 / Number(rate));
}

if (isMain(import.meta.url)) goOn(...process.argv.slice(2));
