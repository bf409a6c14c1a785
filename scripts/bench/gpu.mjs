/**
 * `npm run bench:gpu [-- --json] [--quick] [--work WORK]`: the training step on a GPU, ours on a libtensorflow that was built for it against
 * PyTorch's automatic mixed precision, eager and compiled. Refuses where one of the two has no GPU.
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { fail, root, SetupError } from '../setup/step.mjs';
import { bundle } from './bundle.mjs';
import { compare } from './compare.mjs';
import { findTorch, machine } from './measure.mjs';
import { print } from './print.mjs';
import { gpuWorks, quick } from './works.mjs';

const options = /** @type {const} */ ({
  json: { type: 'boolean' },
  quick: { type: 'boolean' },
  work: { type: 'string' },
});

await main().catch(fail);

async function main() {
  const { values } = parseArgs({ options });
  const { gpu, torch } = requirements();
  const show = print(values.json === true);
  show({ row: 'machine', ...machine(), gpu });
  const file = await bundle({ worker: 'scripts/bench/stepWorker.ts', environment: 'src/runner/environment.ts' });
  const { trainingEnvironment } = await import(pathToFileURL(file('environment')).href);
  const bench = { worker: file('worker'), torch, environment: trainingEnvironment, executor: undefined };
  for (const [name, full] of Object.entries(gpuWorks)) {
    if (values.work && values.work !== name) continue;
    const work = values.quick ? quick(full) : full;
    for (const precision of work.precisions)
      for (const threads of work.threads)
        for (const found of await compare(bench, name, work, { threads, precision, device: 'cuda' })) show(found);
  }
}

/** The GPU's name and the Python to compare with; throws where something is missing. */
function requirements() {
  const query = spawnSync('nvidia-smi', ['--query-gpu=name', '--format=csv,noheader'], { encoding: 'utf8' });
  if (query.status !== 0) throw new SetupError('There is no GPU here: nvidia-smi finds none. Nothing was measured.');
  const engine = process.env.MASKSUB_ENGINE ?? path.join(root, '.engine');
  const description = path.join(engine, 'engine.json');
  if (!fs.existsSync(description) || JSON.parse(fs.readFileSync(description, 'utf8')).variant !== 'gpu') {
    throw new SetupError(
      `The native engine at ${engine} computes on the CPU. MASKSUB_ENGINE names one whose engine.json says "variant": "gpu".`,
    );
  }
  const torch = findTorch();
  const cuda = torch && spawnSync(torch.python, ['-c', 'import torch; assert torch.cuda.is_available()']).status === 0;
  if (!cuda) throw new SetupError('MASKSUB_TORCH_PYTHON names no Python whose PyTorch finds the GPU.');
  return { gpu: query.stdout.trim().split('\n')[0], torch };
}
