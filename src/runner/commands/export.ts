/** `masksub export`: a run's model for other programs. */
import os from 'node:os';
import path from 'node:path';
import { nearestName, UserError } from '../../core/errors.ts';
import { bytes } from '../../core/format.ts';
import { openDataset } from '../../data/index.ts';
import { buildProblem } from '../../engine/problem.ts';
import { checkpointFiles } from '../../store/checkpoints.ts';
import { makeFolder, makeNewFolder, remove, writeWhole } from '../../store/files.ts';
import { findRun, readRun } from '../../store/runReader.ts';
import { loadBackend } from '../backend.ts';
import { readCheckpoint } from '../checkpoint.ts';
import { recordedProblem } from '../executor.ts';
import { loadGraphRuntime } from '../graphRuntime.ts';
import { engineFolder, mediaFolder, stepAddonFile } from '../paths.ts';
import { savedModelOf } from '../savedModel.ts';
import { readRunConfig } from './runConfig.ts';

interface ExportOptions {
  readonly savedModel?: boolean;
  readonly checkpoint?: string;
  readonly ema?: boolean;
  readonly batch?: number;
  /** The folder to write. */
  readonly to?: string;
  /** Where the run folders lie. */
  readonly out: string;
}

/** Writes a new folder with `saved_model.pb` and, for people, `assets.extra/masksub.json`. */
export async function exportRun(name: string, options: ExportOptions): Promise<void> {
  if (!options.savedModel) throw new UserError('Say what to write: --saved-model.');
  const folder = findRun(options.out, name);
  const { id } = readRun(folder);
  const file = chooseCheckpoint(id, folder, options.checkpoint);
  const { config, dataHash } = readRunConfig(folder);
  if (options.ema && config.train.ema === undefined) {
    throw new UserError(`The run ${id} has no moving average of its weights.`, {
      hint: 'Leave out --ema, or train with train.ema.',
    });
  }
  // The data say how many classes there are, and what was subtracted from the pixels.
  const data = await openDataset(config.data, { mediaFolder: mediaFolder(), configFolder: folder });
  if (data.hash !== dataHash) {
    throw new UserError(
      `The data of ${id} are not those that it was trained on: ${data.hash} instead of ${dataHash}.`,
      {
        hint: 'Put them back as they were.',
      },
    );
  }
  const problem = buildProblem(config, data);
  const { snapshot, progress } = readCheckpoint(folder, file, problem);
  const target = path.resolve(options.to ?? `${id}-saved-model`);
  makeFolder(path.dirname(target));
  makeNewFolder(target); // before the work, so that one in the way is known at once
  try {
    const runtime = await graphRuntime();
    const { height, width, channels, classes, mean, std } = data;
    const own = new Map([...snapshot.parameters, ...snapshot.buffers]);
    const weights = options.ema && snapshot.ema ? snapshot.ema : own;
    const trained = { model: problem.model, weights, height, width, channels, classes, mean, std };
    const content = savedModelOf(trained, runtime, options.batch);
    const about = {
      run: id,
      checkpoint: file,
      step: progress.step,
      weights: options.ema ? 'ema' : 'parameters',
      classNames: data.classNames,
      images: { height, width, channels, range: [0, 1], mean, std },
      batch: options.batch ?? 'any',
      config,
    };
    makeFolder(path.join(target, 'assets.extra'));
    writeWhole(path.join(target, 'assets.extra', 'masksub.json'), `${JSON.stringify(about, undefined, 2)}\n`);
    writeWhole(path.join(target, 'saved_model.pb'), content); // last: without it the folder is no SavedModel
    process.stdout.write(`Wrote ${target}: ${id} at step ${progress.step} (${file}), ${bytes(content.length)}.\n`);
  } catch (error) {
    remove(target);
    throw error;
  }
}

/** The file of the checkpoint, relative to the run folder. */
function chooseCheckpoint(id: string, folder: string, wanted: string | undefined): string {
  const files = checkpointFiles(folder);
  const byName = new Map(files.map((file) => [path.basename(file, '.safetensors'), file]));
  const [newest] = files;
  if (newest === undefined) {
    throw new UserError(`The run ${id} has no checkpoint yet.`, {
      hint: 'run.checkpointEvery says how often there is one.',
    });
  }
  if (wanted === undefined) return byName.get('best') ?? newest;
  const found = byName.get(path.basename(wanted, '.safetensors'));
  if (found !== undefined) return found;
  const near = nearestName(wanted, [...byName.keys()]);
  throw new UserError(`The run ${id} has no checkpoint "${wanted}".`, {
    hint: near ? `Did you mean "${near}"?` : `It has: ${[...byName.keys()].join(', ')}.`,
  });
}

async function graphRuntime() {
  const missing = recordedProblem(await loadBackend('tensorflow'));
  if (missing) throw new UserError(missing, { hint: 'Install the engine again.' });
  return loadGraphRuntime(stepAddonFile(engineFolder()), os.availableParallelism());
}
