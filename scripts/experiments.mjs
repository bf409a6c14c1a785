/**
 * `npm run experiments -- FOLDER [GROUP or ROW…]`: trains what docs/results.md shows, by default the group `demo` with every method and
 * model, and prints the tables. A run that is in the folder and finished is not made again, so that it can be stopped and started as one
 * likes. The groups `emails` and `emoji` fine-tune by the configs in experiments/ and need `npm run data:fetch`.
 */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { root } from './setup/step.mjs';
import { mean, spread } from './statistics.mjs';

const vit = { name: 'vit' }; // the recipe says the rest
const resnet = { name: 'resnet', blocks: [1, 1, 1], channels: [8, 16, 32], stem: 16, maskPatch: 4 };
const swin = {
  name: 'swin',
  patchSize: 2,
  width: 16,
  blocks: [2, 2],
  heads: [1, 2],
  window: 7,
  mlpRatio: 2,
  maskPatch: 4,
};
const wideSwin = { ...swin, width: 32, heads: [2, 4] };
/**
 * Of each group the steps over which gradient norms are averaged, and what of `.data/` it needs.
 *
 * @type {Record<string, {windows: number[][], needs: string[]}>}
 */
const groups = {
  demo: {
    windows: [
      [1, 20],
      [21, 60],
      [61, 240],
      [241, 960],
      [961, 3200],
      [3201, 4650],
    ],
    needs: [],
  },
  emails: {
    windows: [
      [1, 1],
      [10, 30],
      [40, 60],
      [70, 90],
      [100, 120],
    ],
    needs: ['minilm', 'emails'],
  },
  emoji: {
    windows: [
      [1, 20],
      [21, 60],
      [61, 240],
      [241, 800],
    ],
    needs: ['emoji'],
  },
};
const five = [0, 1, 2, 3, 4];
const three = [0, 1, 2];
const long = ['train.epochs=100', 'train.warmupEpochs=10'];

/**
 * What is trained: each row against the baseline row of its model. A row of the demo has a model and a method, another one a config of
 * experiments/ and what it has otherwise.
 *
 * @type {Record<string, {title: string, seeds: number[], against?: string, model?: object, method?: object, config?: string,
 *   keys?: string[]}>}
 */
const rows = {
  vit: { title: 'ViT, baseline', model: vit, method: { name: 'baseline' }, seeds: five },
  'vit-masksub': { title: 'ViT, MaskSub 50 %', model: vit, method: { name: 'masksub' }, seeds: five, against: 'vit' },
  'vit-dropsub': {
    title: 'ViT, DropSub, dropout 0.2',
    model: vit,
    method: { name: 'dropsub', dropRate: 0.2 },
    seeds: three,
    against: 'vit',
  },
  'vit-pathsub': {
    title: 'ViT, PathSub, drop-path 0.2',
    model: vit,
    method: { name: 'pathsub', dropRate: 0.2 },
    seeds: three,
    against: 'vit',
  },
  'vit-direct-50': {
    title: 'ViT, direct masking 50 %',
    model: vit,
    method: { name: 'direct-mask', cleanView: false },
    seeds: three,
    against: 'vit',
  },
  'vit-direct-75': {
    title: 'ViT, direct masking 75 %',
    model: vit,
    method: { name: 'direct-mask', cleanView: false, maskRatio: 0.75 },
    seeds: three,
    against: 'vit',
  },
  'vit-direct-beside': {
    title: 'ViT, direct masking 50 % beside the whole input',
    model: vit,
    method: { name: 'direct-mask' },
    seeds: three,
    against: 'vit',
  },
  'vit-drop-path': {
    title: 'ViT with drop-path 0.1, baseline',
    model: { ...vit, dropPath: 0.1 },
    method: { name: 'baseline' },
    seeds: three,
  },
  'vit-cosub': {
    title: 'ViT with drop-path 0.1, CoSub',
    model: { ...vit, dropPath: 0.1 },
    method: { name: 'cosub' },
    seeds: three,
    against: 'vit-drop-path',
  },
  resnet: { title: 'ResNet, baseline', model: resnet, method: { name: 'baseline' }, seeds: five },
  'resnet-masksub': {
    title: 'ResNet, MaskSub 50 %',
    model: resnet,
    method: { name: 'masksub' },
    seeds: five,
    against: 'resnet',
  },
  swin: { title: 'Swin, baseline', model: swin, method: { name: 'baseline' }, seeds: five },
  'swin-masksub': {
    title: 'Swin, MaskSub 50 %',
    model: swin,
    method: { name: 'masksub' },
    seeds: five,
    against: 'swin',
  },
  'wide-swin': {
    title: 'Swin of twice the width, baseline',
    model: wideSwin,
    method: { name: 'baseline' },
    seeds: five,
  },
  'wide-swin-masksub': {
    title: 'Swin of twice the width, MaskSub 50 %',
    model: wideSwin,
    method: { name: 'masksub' },
    seeds: five,
    against: 'wide-swin',
  },
  ...fineTuned('emails', 'E-mails, MiniLM', 'emails'),
  'emails-replace': {
    title: 'E-mails, MiniLM, MaskSub 50 %, tokens replaced by [MASK]',
    config: 'emails',
    keys: ['model.masking=replace'],
    seeds: three,
    against: 'emails-baseline',
  },
  ...fineTuned('emoji', 'Emoji, pretrained ViT, 30 epochs', 'emoji'),
  ...fineTuned('emoji-long', 'Emoji, pretrained ViT, 100 epochs', 'emoji', long),
  ...fineTuned('emoji-scratch', 'Emoji, ViT from scratch, 30 epochs', 'emoji-scratch'),
  ...fineTuned('emoji-scratch-long', 'Emoji, ViT from scratch, 100 epochs', 'emoji-scratch', long),
};
const groupOf = (row) => rows[row].config?.split('-')[0] ?? 'demo';

const [folder, ...wanted] = process.argv.slice(2);
const unknown = wanted.find((name) => !Object.hasOwn(rows, name) && !Object.hasOwn(groups, name));
if (!folder || unknown) {
  const known = `Groups: ${Object.keys(groups).join(', ')}. Rows: ${Object.keys(rows).join(', ')}.`;
  console.error(`Usage: npm run experiments -- FOLDER [GROUP or ROW…]\n${known}`);
  process.exit(2);
}
const asked = wanted.length > 0 ? wanted : ['demo'];
const chosen = Object.keys(rows).filter((row) => asked.includes(row) || asked.includes(groupOf(row)));
const lacking = [...new Set(chosen.flatMap((row) => groups[groupOf(row)].needs))].filter(
  (name) => !fs.existsSync(path.join(root, '.data', name)),
);
if (lacking.length > 0) {
  console.error(`The data are not here. Fetch them: npm run data:fetch -- ${lacking.join(' ')}`);
  process.exit(2);
}
const missing = chosen.flatMap((row) =>
  rows[row].seeds.filter((seed) => !finished(row, seed)).map((seed) => ({ row, seed })),
);
// A run of these sizes takes one thread.
await Promise.all(Array.from({ length: os.availableParallelism() }, worker));
for (const group of Object.keys(groups)) print(group);

/** Trains what is missing, one run after the other. */
async function worker() {
  for (let next = missing.shift(); next; next = missing.shift()) await train(next.row, next.seed);
}

function train(row, seed) {
  const into = path.join(folder, row, String(seed));
  fs.rmSync(into, { recursive: true, force: true }); // what was stopped half-way
  fs.mkdirSync(into, { recursive: true });
  const own = ['run.threads=1', 'compare.baseline=false', `compare.seeds=[${seed}]`];
  const file = configFile(row, into);
  const changes = [...own, ...(rows[row].keys ?? [])].flatMap((change) => ['--set', change]);
  const child = spawn(process.execPath, [path.join(root, 'dist', 'cli.js'), 'run', file, ...changes, '--out', into], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => {
      console.error(`${row}, seed ${seed}: ${code === 0 ? 'finished' : `exit code ${code}`}`);
      code === 0 ? resolve(undefined) : reject(new Error(`${row}, seed ${seed} did not finish.`));
    });
  });
}

/** The baseline of a config and MaskSub beside it. */
function fineTuned(name, title, config, keys = []) {
  const baseline = `${name}-baseline`;
  return {
    [baseline]: { title: `${title}, baseline`, config, keys: [...keys, 'method.name=baseline'], seeds: three },
    [`${name}-masksub`]: { title: `${title}, MaskSub 50 %`, config, keys, seeds: three, against: baseline },
  };
}

function configFile(row, into) {
  const { model, method, config: given } = rows[row];
  if (given) return path.join(root, 'experiments', `${given}.masksub.json`);
  const file = path.join(into, 'config.masksub.json');
  const config = { name: row, data: { dataset: 'fashion-mnist-mini' }, model, method, recipe: 'demo' };
  fs.writeFileSync(file, JSON.stringify(config, undefined, 2));
  return file;
}

/** The events of a finished run, or nothing. */
function finished(row, seed) {
  const into = path.join(folder, row, String(seed));
  if (!fs.existsSync(into)) return undefined;
  for (const name of fs.readdirSync(into)) {
    const file = path.join(into, name, 'events.jsonl');
    if (!fs.existsSync(file)) continue;
    const events = fs
      .readFileSync(file, 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
    const end = events.find(({ type }) => type === 'end');
    if (end?.state === 'finished') return { events, summary: end.summary };
  }
  return undefined;
}

function print(group) {
  const own = chosen.filter((row) => groupOf(row) === group);
  if (own.length === 0) return;
  const { windows } = groups[group];
  console.log('| run | seeds | accuracy % | gain, points | loss | train accuracy % | accuracy masked % | CPU s |');
  console.log('|---|---|---|---|---|---|---|---|');
  for (const row of own) printRow(row, finishedOf(row));
  console.log('\nGradient norms, sub-branch / main branch, mean over seeds:\n');
  const spans = windows.map(([from, to]) => (from === to ? from : `${from}–${to}`));
  console.log(`| run | ${spans.join(' | ')} |\n|---|${windows.map(() => '---|').join('')}`);
  for (const row of own) printGradients(row, finishedOf(row), windows);
  console.log();
}

function finishedOf(row) {
  return rows[row].seeds.map((seed) => ({ seed, found: finished(row, seed) })).filter(({ found }) => found);
}

function printRow(row, runs) {
  if (runs.length === 0) return;
  const { title, against } = rows[row];
  const of = (f) => runs.map(({ found }) => f(found.summary));
  const gains = runs.flatMap(({ seed, found }) => {
    const baseline = against && finished(against, seed);
    return baseline ? [100 * (found.summary.final.top1 - baseline.summary.final.top1)] : [];
  });
  const cells = [
    runs.length,
    spread(of((s) => 100 * s.final.top1)),
    gains.length > 0 ? `${spread(gains)} (${gains.filter((gain) => gain > 0).length} of ${gains.length})` : '',
    mean(of((s) => s.final.loss)).toFixed(2),
    mean(of((s) => 100 * s.train.top1)).toFixed(1),
    mean(of((s) => 100 * s.final.maskedTop1)).toFixed(1),
    mean(of((s) => s.cost.cpuSeconds)).toFixed(0),
  ];
  console.log(`| ${title} | ${cells.join(' | ')} |`);
}

function printGradients(row, runs, windows) {
  const cells = windows.map(([from, to]) => {
    const steps = runs.flatMap(({ found }) =>
      found.events.filter(({ type, step }) => type === 'step' && step >= from && step <= to),
    );
    if (steps.length === 0) return '';
    const both = steps.filter(({ grad }) => grad.sub !== undefined);
    const main = mean(steps.map(({ grad }) => grad.main)).toPrecision(2);
    return both.length > 0 ? `${mean(both.map(({ grad }) => grad.sub)).toPrecision(2)} / ${main}` : main;
  });
  if (runs.length > 0) console.log(`| ${rows[row].title} | ${cells.join(' | ')} |`);
}
