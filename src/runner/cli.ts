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
  .command('stop')
  .description('stop a run and its pair, with a checkpoint')
  .argument('<run>', 'a run id or folder')
  .option('--out <folder>', 'where the run folders lie', '.masksub/runs')
  .action(async (run, options) => (await import('./commands/stop.ts')).stop(run, options));

program
  .command('export')
  .description("write a run's model for other programs")
  .argument('<run>', 'a run id or folder')
  .option('--saved-model', 'as a TensorFlow SavedModel')
  .option('--pytorch', 'as a safetensors file that PyTorch loads into the model of timm or transformers')
  .option('--checkpoint <name>', 'which weights (default: best, else the newest)')
  .option('--ema', 'the moving average of the weights')
  .option('--batch <n>', 'fix the batch size of a SavedModel', wholeNumber)
  .option('--to <path>', 'what to write (default: the folder <run>-saved-model, or <run>.safetensors)')
  .option('--out <folder>', 'where the run folders lie', '.masksub/runs')
  .action(async (run, options) => (await import('./commands/export.ts')).exportRun(run, options));

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

function wholeNumber(value: string): number {
  if (!/^[1-9]\d{0,8}$/.test(value)) throw new InvalidArgumentError('Expected a whole number above 0.');
  return Number(value);
}
