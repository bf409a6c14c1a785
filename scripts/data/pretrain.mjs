/**
 * `npm run pretrain`: trains the small ViT of experiments/fashion-pretrain.masksub.json on all of Fashion-MNIST and writes its weights and
 * where they come from into media/fashion-vit-pretrained. Takes five minutes, and gives the same file again on the same machine.
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { execute, fail, root, SetupError, step } from '../setup/step.mjs';
import { installedFashionMnist } from './fetch.mjs';

const config = path.join('experiments', 'fashion-pretrain.masksub.json');
const target = path.join(root, 'media', 'fashion-vit-pretrained');
const work = path.join(root, '.data', 'pretrain');
const masksub = [path.join(root, 'dist', 'cli.js')];

async function main() {
  const folder = fashionMnistFolder();
  fs.rmSync(work, { recursive: true, force: true });
  fs.mkdirSync(work, { recursive: true });
  const nothing = () => undefined;
  await step('training on 60,000 images', nothing, async () => {
    await execute(process.execPath, [...masksub, 'run', config, '--set', `data.path=${folder}`, '--out', work]);
  });
  const [name] = fs.readdirSync(work).filter((name) => fs.existsSync(path.join(work, name, 'summary.json')));
  const run = path.join(work, name);
  const last = fs
    .readdirSync(path.join(run, 'checkpoints'))
    .filter((name) => name.startsWith('step-'))
    .at(-1);
  if (!last) throw new SetupError(`${run} has no checkpoint.`);
  const file = path.join(work, 'model.safetensors');
  await step('weights', nothing, async () => {
    const args = ['export', run, '--pytorch', '--to', file, '--checkpoint', path.basename(last, '.safetensors')];
    await execute(process.execPath, [...masksub, ...args]);
    save('model.safetensors', withoutNames(fs.readFileSync(file)));
    const described = (await execute('git', ['describe', '--always', '--dirty', '--abbrev=12'])).trim();
    const commit = described.replace(/^(.*)-dirty$/, '$1 and what was not committed yet');
    save('PROVENANCE.md', provenance(run, commit));
    return sha256Of(path.join(target, 'model.safetensors'));
  });
}

function fashionMnistFolder() {
  const fetched = path.join(root, '.data', 'fashion-mnist');
  const found = [installedFashionMnist, fetched].find((folder) => fs.existsSync(folder));
  if (found) return found;
  throw new SetupError(
    'Fashion-MNIST is not here. On Debian and Ubuntu: apt install dataset-fashion-mnist, or npm run data:fetch -- fashion-mnist.',
  );
}

/** The file without the name of the run, which is another every time. */
function withoutNames(bytes) {
  const length = Number(bytes.readBigUInt64LE());
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + length));
  delete header.__metadata__['masksub.run'];
  const text = JSON.stringify(header);
  const padded = Buffer.from(text + ' '.repeat((8 - (text.length % 8)) % 8));
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(BigInt(padded.length));
  return Buffer.concat([prefix, padded, bytes.subarray(8 + length)]);
}

function save(name, content) {
  fs.mkdirSync(target, { recursive: true });
  fs.writeFileSync(path.join(target, name), content);
}

function provenance(run, commit) {
  const read = (name) => JSON.parse(fs.readFileSync(path.join(run, name), 'utf8'));
  const { final, cost } = read('summary.json');
  const { dataHash, versions } = read('config.json');
  const file = path.join(target, 'model.safetensors');
  const [seconds, accuracy] = [Math.round(cost.cpuSeconds), (100 * final.top1).toFixed(2)];
  return `# A small ViT pretrained on Fashion-MNIST

\`model.safetensors\`: the weights of a Vision Transformer of 139,402 parameters (28 × 28 grey pixels, patches of 7, width 64, depth 4), by
timm's names, trained with labels on all 60,000 training images of Fashion-MNIST by this project's own runner.

- **Made again** with \`npm run pretrain\`: ${config}, seed 0, commit ${commit}, masksub ${versions.masksub},
  libtensorflow ${versions.libtensorflow}, Node ${versions.node}, ${cpu()}, ${seconds} s of one thread.
  The same machine gives the same file; another processor may round otherwise, and over 20 epochs come to other weights of like
  accuracy.
- **Accuracy** on the 10,000 test images: ${accuracy} %, cross-entropy ${final.loss.toFixed(3)}. No choice was made by it: the weights are
  those after the last epoch.
- **Data**: Fashion-MNIST, MIT, © 2017 Zalando SE (see media/fashion-mnist-mini); content
  \`${dataHash}\`.
- **Licence** of the weights: that of this project.
- It has seen every label of Fashion-MNIST: accuracy on Fashion-MNIST after fine-tuning it there says nothing.

| file | bytes | sha256 |
|---|---|---|
| model.safetensors | ${fs.statSync(file).size} | \`${sha256Of(file)}\` |
`;
}

const cpu = () => os.cpus()[0]?.model.trim() ?? 'an unknown processor';
const sha256Of = (file) => createHash('sha256').update(fs.readFileSync(file)).digest('hex');

await main().catch(fail);
