#!/usr/bin/env node
/** The command line: arguments in, one command out. Everything that trains is loaded only by the commands that need it. */
import { Command, InvalidArgumentError } from 'commander';
import { describeError, UserError } from '../core/errors.ts';

/** Exit codes: 0 done, 1 failed, 2 wrong use or unreadable input, 130 stopped. */
const WRONG_USE = 2;

const program = new Command('masksub')
  .description('Trains image and text classifiers with MaskSub and its baseline, side by side.')
  .exitOverride((error) => {
    throw error.exitCode === 0 ? error : Object.assign(error, { exitCode: WRONG_USE });
  })
  .showSuggestionAfterError();

program
  .command('run')
  .description('train as a config says: the method and its baseline, for every seed')
  .argument('<config>', 'a *.masksub.json file')
  .option('--set <key=value>', 'change a key, as in train.epochs=2 (repeatable)', collect, [])
  .option('--method <name>', 'the training method')
  .option('--out <folder>', 'folder that receives the run folders', '.masksub/runs')
  .option('--backend <name>', 'what computes: auto, tensorflow, wasm, webgpu, cpu')
  .option('--executor <name>', 'how a step is executed: auto, eager, recorded')
  .option('--id <id>', 'id of the experiment (default: time and name)')
  .option('--json', 'print the events, one JSON object a line')
  .action(async (config, options) => (await import('./commands/run.ts')).run(config, options));

program
  .command('resume')
  .description('go on with a run that was stopped, killed or failed, and with its pair')
  .argument('<run>', 'a run id or folder')
  .option('--out <folder>', 'where the run folders lie', '.masksub/runs')
  .option('--json', 'print the events, one JSON object a line')
  .action(async (run, options) => (await import('./commands/resume.ts')).resume(run, options));

program
  .command('fork')
  .description('go on from a checkpoint of a run as a run of its own, with another config')
  .argument('<run>', 'a run id or folder')
  .option('--at <step>', 'the step of the checkpoint (default: the newest)', wholeNumber)
  .option('--set <key=value>', 'change a key, as in method.maskRatio=0.75 (repeatable)', collect, [])
  .option('--out <folder>', 'where the run folders lie', '.masksub/runs')
  .option('--id <id>', 'id of the new experiment (default: time and name)')
  .option('--json', 'print the events, one JSON object a line')
  .action(async (run, options) => (await import('./commands/fork.ts')).forkRun(run, options));

program
  .command('reproduce')
  .description('make a run again from its folder, and say whether it comes out the same')
  .argument('<run>', 'a run id or folder')
  .option('--out <folder>', 'where the run folders lie, and the new one goes', '.masksub/runs')
  .option('--id <id>', 'id of the new experiment (default: time and name)')
  .option('--json', 'print the events, one JSON object a line, and last the comparison')
  .action(async (run, options) => (await import('./commands/reproduce.ts')).reproduce(run, options));

program
  .command('config')
  .description('check a config and print it with every default written out')
  .argument('<config>', 'a file, or - for standard input')
  .option('--as <file>', 'the name of what comes from standard input', 'standard input')
  .option('--set <key=value>', 'change a key (repeatable)', collect, [])
  .option('--method <name>', 'the training method')
  .option('--json', 'print {"config": …} or {"problems": […]}')
  .action(async (config, options) => (await import('./commands/config.ts')).config(config, options));

program
  .command('new')
  .description('write a config to start from')
  .option('--template <name>', 'which one; the rows of the paper are among them')
  .option('--list', 'name the templates')
  .option('--json', 'with --list: print one JSON array')
  .option('--fit <samples>', 'fit a row of the paper to a laptop and this number of training samples', wholeNumber)
  .option('--image-size <side>', 'with --fit: the side of the images, in pixels', wholeNumber)
  .option('--stdout', 'print it instead of writing <template>.masksub.json')
  .action(async (options) => (await import('./commands/new.ts')).newConfig(options));

program
  .command('data')
  .description("show a config's data set before training: counts, sizes, what is odd in it")
  .argument('<config>', 'a file, or - for standard input')
  .option('--as <file>', 'the name of what comes from standard input', 'standard input')
  .option('--set <key=value>', 'change a key (repeatable)', collect, [])
  .option('--json', 'print one JSON object, with samples')
  .option('--sheet <file>', 'write a picture (PNG) with the first samples of each class, a row each')
  .action(async (config, options) => (await import('./commands/data.ts')).data(config, options));

program
  .command('augment')
  .description('show what the augmentations do to images')
  .requiredOption('--gallery', 'as a page with each of them at several strengths')
  .option('--to <file>', 'the page to write', 'augment-gallery.html')
  .action(async (options) => (await import('./commands/augment.ts')).augment(options));

program
  .command('show')
  .description('show a run')
  .argument('<run>', 'a run id or folder')
  .option('--out <folder>', 'where the run folders lie', '.masksub/runs')
  .option('--json', 'print one JSON object')
  .action(async (run, options) => (await import('./commands/show.ts')).show(run, options));

program
  .command('list')
  .description('list the runs of a folder, newest first')
  .option('--out <folder>', 'where the run folders lie', '.masksub/runs')
  .option('--json', 'print one JSON array')
  .action(async (options) => (await import('./commands/list.ts')).list(options));

program
  .command('compare')
  .description('compare methods with their baselines: is the difference real, and what does it cost?')
  .argument('[runs...]', 'run ids or folders; the id of an experiment stands for all of its runs (default: the newest)')
  .option('--by <key>', 'also group the runs by a key of their configs, as in method.maskRatio')
  .option('--out <folder>', 'where the run folders lie', '.masksub/runs')
  .option('--json', 'print one JSON object')
  .action(async (runs, options) => (await import('./commands/compare.ts')).compare(runs, options));

program
  .command('stop')
  .description('stop a run and its pair, with a checkpoint')
  .argument('<run>', 'a run id or folder')
  .option('--out <folder>', 'where the run folders lie', '.masksub/runs')
  .action(async (run, options) => (await import('./commands/stop.ts')).stop(run, options));

program
  .command('export')
  .description("write what runs say, as a report, figures or tables, or a run's model for other programs")
  .argument('<run...>', 'run ids or folders; the id of an experiment stands for all of its runs')
  .option('--html', 'a report in one file, which any browser opens')
  .option('--svg', 'figures as SVG')
  .option('--png', 'figures as PNG')
  .option('--csv', 'every row of the scalars')
  .option('--markdown', 'a summary in Markdown, on standard output unless --to says where')
  .option('--tensorboard', 'event files for TensorBoard')
  .option('--mlflow', 'a file store for MLflow')
  .option('--saved-model', 'the model as a TensorFlow SavedModel')
  .option('--pytorch', 'the model as a safetensors file that PyTorch loads into that of timm or transformers')
  .option(
    '--chart <name>',
    'a chart (loss, accuracy, layers, difference, …) or any scalar (repeatable; default: all)',
    collectNames,
  )
  .option('--axis <name>', 'step, epoch, time, images or flops (default: epoch)')
  .option('--from <x>', 'where the axis begins', realNumber)
  .option('--until <x>', 'where the axis ends', realNumber)
  .option('--smoothing <share>', 'average over this share of the range (default: 0)', realNumber)
  .option('--log', 'logarithmic values')
  .option('--style <name>', 'paper, light or dark (default: paper)')
  .option('--width <cm>', 'of a figure (default: 8.5 on paper, else 17)', realNumber)
  .option('--scale <factor>', 'pixels of a PNG for each of 96 to an inch (default: 4 on paper, else 2)', realNumber)
  .option('--each-seed', 'a line for each seed instead of their mean and deviation')
  .option('--checkpoint <name>', 'which weights of a model (default: best, else the newest)')
  .option('--ema', 'the moving average of the weights')
  .option('--batch <n>', 'fix the batch size of a SavedModel', wholeNumber)
  .option('--to <path>', 'the file or folder to write (default: named after the runs)')
  .option('--out <folder>', 'where the run folders lie', '.masksub/runs')
  .action(async (runs, options) => (await import('./commands/export.ts')).exportRun(runs, options));

program
  .command('parity')
  .description('compare the engine with reference numbers from PyTorch and timm')
  .argument('<folder>', 'a folder with index.json and its tensors')
  .option('--only <glob>', 'only the cases, units and schedules of that name')
  .option('--backend <name>', 'what computes', 'auto')
  .option('--executor <name>', 'how a step is executed', 'auto')
  .option('--allow-unsupported', 'do not count as failed what this build cannot run')
  .action(async (folder, options) => (await import('./commands/parity.ts')).parity(folder, options));

program
  .command('doctor')
  .description('check the environment: engine, backend, processor')
  .option('--json', 'print one JSON object')
  .action(async (options) => (await import('./commands/doctor.ts')).doctor(options));

program
  .command('train', { hidden: true })
  .description('a training process; started by `run`')
  .action(async () => (await import('./trainer.ts')).runTrainer());

// Whoever reads the output may have enough of it.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});
main();

async function main(): Promise<void> {
  try {
    await program.parseAsync();
  } catch (error) {
    process.exitCode = report(error);
  }
}

/** Says what went wrong on standard error and gives the exit code. */
function report(error: unknown): number {
  if (error instanceof UserError) {
    process.stderr.write(`Error: ${describeError(error)}\n`);
    return WRONG_USE;
  }
  const exitCode = (error as { exitCode?: number }).exitCode;
  if (exitCode !== undefined) return exitCode; // commander has said it
  process.stderr.write(`A bug in MaskSub; please report it.\n${describeError(error)}\n`);
  return 1;
}

function collect(value: string, earlier: string[]): string[] {
  if (!value.includes('=')) throw new InvalidArgumentError('Expected key=value.');
  return [...earlier, value];
}

function collectNames(value: string, earlier: string[] = []): string[] {
  return [...earlier, value];
}

function realNumber(value: string): number {
  const number = Number(value);
  if (value.trim() === '' || !Number.isFinite(number)) throw new InvalidArgumentError('Expected a number.');
  return number;
}

function wholeNumber(value: string): number {
  if (!/^[1-9]\d{0,8}$/.test(value)) throw new InvalidArgumentError('Expected a whole number above 0.');
  return Number(value);
}
