/**
 * `npm run results -- FOLDER`: the tables of docs/results.md from a folder of runs, for example one that
 * `masksub run fashion-vit.masksub.json --set compare.seeds=[0,1,2,3,4] --out FOLDER` has made.
 */
import fs from 'node:fs';
import path from 'node:path';
import { mean, spread } from './statistics.mjs';

const windows = [
  [1, 1],
  [9, 20],
  [21, 60],
  [61, 120],
  [121, 240],
  [241, 480],
  [961, 1920],
  [1921, 3200],
  [3201, 4800],
];
const shownEpochs = [5, 10, 30, 60, 100, 150];

const folder = process.argv[2];
if (!folder) {
  console.error('Usage: npm run results -- FOLDER');
  process.exit(2);
}
const runs = fs.readdirSync(folder).flatMap((name) => {
  const file = path.join(folder, name, 'events.jsonl');
  return fs.existsSync(file) ? [readRun(file)] : [];
});
const baselines = runs.filter((run) => run.start.method === 'baseline' && run.end?.state === 'finished');
const methods = runs.filter((run) => run.start.method !== 'baseline' && run.end?.state === 'finished');
const groups = { baseline: baselines, MaskSub: methods };
printFinal();
printPairs();
printGradients();
printAccuracies();

function readRun(file) {
  const events = fs
    .readFileSync(file, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
  const of = (type) => events.filter((event) => event.type === type);
  return { start: of('start')[0], steps: of('step'), epochs: of('epoch'), end: of('end')[0] };
}

function printFinal() {
  console.log('| run | seeds | accuracy % | validation loss | train accuracy % | accuracy masked % | s | CPU s |');
  console.log('|---|---|---|---|---|---|---|---|');
  for (const [name, group] of Object.entries(groups)) {
    const summary = (f) => group.map((run) => f(run.end.summary));
    const cells = [
      spread(summary((s) => 100 * s.final.top1)),
      mean(summary((s) => s.final.loss)).toFixed(2),
      mean(summary((s) => 100 * s.train.top1)).toFixed(1),
      mean(summary((s) => 100 * s.final.maskedTop1)).toFixed(1),
      mean(summary((s) => s.cost.seconds)).toFixed(0),
      mean(summary((s) => s.cost.cpuSeconds)).toFixed(0),
    ];
    console.log(`| ${name} | ${group.length} | ${cells.join(' | ')} |`);
  }
}

function printPairs() {
  console.log(
    '\n| seed | baseline % | MaskSub % | gain, points | same weights | same batches |\n|---|---|---|---|---|---|',
  );
  const gains = [];
  for (const method of methods) {
    const baseline = baselines.find((run) => run.start.pair === method.start.pair);
    if (!baseline) continue;
    const [a, b] = [baseline, method].map((run) => 100 * run.end.summary.final.top1);
    gains.push(b - a);
    const same = (key) => (baseline.start[key] === method.start[key] ? 'yes' : 'NO');
    console.log(
      `| ${method.start.seed} | ${a.toFixed(2)} | ${b.toFixed(2)} | ${(b - a).toFixed(2)} | ${same('initHash')} | ${same('batchHash')} |`,
    );
  }
  console.log(
    `\nPaired gain: ${spread(gains)}; ${gains.filter((gain) => gain > 0).length} of ${gains.length} above 0.`,
  );
}

function printGradients() {
  console.log(`\n| steps | ${windows.map(([from, to]) => (from === to ? from : `${from}–${to}`)).join(' | ')} |`);
  console.log(`|---|${windows.map(() => '---|').join('')}`);
  const row = (name, f) => {
    const cells = windows.map(([from, to]) => {
      const values = methods.flatMap((run) => run.steps.filter(({ step }) => step >= from && step <= to).map(f));
      return mean(values).toPrecision(2);
    });
    console.log(`| ${name} | ${cells.join(' | ')} |`);
  };
  row('main', ({ grad }) => grad.main);
  row('sub', ({ grad }) => grad.sub);
  row('ratio', ({ grad }) => grad.sub / grad.main);
  row('cosine', ({ grad }) => grad.cosine);
  const ratio = (from, to) =>
    mean(
      methods.flatMap((run) =>
        run.steps.filter(({ step }) => step >= from && step <= to).map(({ grad }) => grad.sub / grad.main),
      ),
    );
  const last = methods[0]?.start.steps ?? 0;
  console.log(
    `\nMean ratio over steps 1–60: ${ratio(0, 60).toFixed(3)}; over the last third: ${ratio((2 * last) / 3, last).toFixed(2)}.`,
  );
}

function printAccuracies() {
  console.log(
    `\n| validation accuracy % at epoch | ${shownEpochs.join(' | ')} |\n|---|${shownEpochs.map(() => '---|').join('')}`,
  );
  for (const [name, group] of Object.entries(groups)) {
    const at = (wanted) =>
      group.flatMap((run) => run.epochs.filter(({ epoch, validation }) => epoch === wanted && validation));
    console.log(
      `| ${name} | ${shownEpochs.map((epoch) => (100 * mean(at(epoch).map(({ validation }) => validation.top1))).toFixed(1)).join(' | ')} |`,
    );
  }
}
