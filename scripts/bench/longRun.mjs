/** A synthetic run folder of many steps with 12 scalars each, in the shape of real events: `node scripts/bench/longRun.mjs FOLDER STEPS`. */
import fs from 'node:fs';
import path from 'node:path';
import { isMain } from '../setup/step.mjs';

/** Writes `events.jsonl` and `config.json` of a finished run; one step of 1,000 has a spike, so that thinning can be judged. */
export function writeLongRun(folder, steps, stepsPerEpoch = 1000) {
  fs.mkdirSync(folder, { recursive: true });
  const run = path.basename(folder);
  const descriptor = fs.openSync(path.join(folder, 'events.jsonl'), 'w');
  let lines = [];
  const write = (event) => {
    lines.push(JSON.stringify(event));
    if (lines.length < 4096) return;
    fs.writeSync(descriptor, `${lines.join('\n')}\n`);
    lines = [];
  };
  const of = (type, step) => ({ v: 1, type, run, attempt: 0, t: Math.round(step * 12.5) / 1000 });
  const epochs = Math.ceil(steps / stepsPerEpoch);
  write({
    ...of('start', 0),
    ...{ name: 'long', role: 'method', method: 'masksub', model: 'vit', dataset: 'fashion-mnist', parameters: 1000 },
    ...{ seed: 0, initHash: 'a', batchHash: 'b', dataHash: 'c', backend: 'tensorflow', backendReason: 'Fastest.' },
    ...{ executor: 'recorded', epochs, steps, at: '2026-01-01T00:00:00.000Z' },
  });
  for (let step = 1; step <= steps; step++) {
    const wave = (phase) => Math.fround(0.3 + Math.exp(-step / steps) * (1 + 0.1 * Math.sin(step * 0.37 + phase)));
    const [main, sub] = [wave(0), wave(1)];
    const spike = step % 1000 === 0 ? 10 : 1;
    write({
      ...of('step', step),
      ...{ step, epoch: step / stepsPerEpoch, images: step * 128 },
      loss: { total: (main + sub) / 2, main: main * spike, sub },
      grad: { total: wave(2), main: wave(3), sub: wave(4), cosine: wave(5) - 1 },
      ...{ learningRate: 0.001 * (1 - step / steps), imagesPerSecond: 10_000 * wave(6), dataWait: wave(7) / 100 },
      ...{ memoryBytes: 2_000_000_000 + (step % 977) * 4096, flops: step * 123_456_789 },
    });
    if (step % stepsPerEpoch === 0) {
      write({ ...of('epoch', step), epoch: step / stepsPerEpoch, step, train: { loss: main, top1: 1 - main / 3 } });
    }
  }
  write({ ...of('end', steps), state: 'finished', message: 'Finished.' });
  if (lines.length > 0) fs.writeSync(descriptor, `${lines.join('\n')}\n`);
  fs.closeSync(descriptor);
  const config = { name: 'long', method: { name: 'masksub' }, data: { dataset: 'fashion-mnist' }, train: { seed: 0 } };
  fs.writeFileSync(path.join(folder, 'config.json'), JSON.stringify(config));
}

if (isMain(import.meta.url)) {
  const [folder, steps] = process.argv.slice(2);
  if (!folder || !(Number(steps) > 0)) throw new Error('Usage: node scripts/bench/longRun.mjs FOLDER STEPS');
  writeLongRun(folder, Number(steps));
}
