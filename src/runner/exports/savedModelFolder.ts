/** A chosen model as a folder that TensorFlow loads: `saved_model.pb` and, for people, `assets.extra/masksub.json`. */
import os from 'node:os';
import path from 'node:path';
import { UserError } from '../../core/errors.ts';
import { bytes } from '../../core/format.ts';
import { imageSideOf } from '../../engine/imageSide.ts';
import { makeFolder, makeNewFolder, remove, writeWhole } from '../../store/files.ts';
import { loadBackend } from '../backend.ts';
import { recordedProblem } from '../executor.ts';
import { loadGraphRuntime } from '../graphRuntime.ts';
import { engineFolder, stepAddonFile } from '../paths.ts';
import { savedModelOf } from '../savedModel.ts';
import type { Chosen } from './chosen.ts';

/** Writes a new folder, whole or not at all; `batch` fixes the batch size. Returns where and what, for a person. */
export async function writeSavedModel(chosen: Chosen, to: string | undefined, batch?: number): Promise<string> {
  const { data, model, weights } = chosen;
  if (data.kind === 'text') {
    throw new UserError('A SavedModel can be made of models that see images; this one sees texts.', {
      hint: 'Use --pytorch, and load it into the model of transformers.',
    });
  }
  const target = path.resolve(to ?? `${chosen.run}-saved-model`);
  makeFolder(path.dirname(target));
  makeNewFolder(target); // before the work, so that one in the way is known at once
  try {
    const runtime = await graphRuntime();
    const { channels, classes, mean, std, classNames } = data;
    const side = imageSideOf(chosen.config.model, data);
    const trained = { model, weights, height: side, width: side, channels, classes, mean, std };
    const content = savedModelOf(trained, runtime, batch);
    const about = {
      run: chosen.run,
      checkpoint: chosen.checkpoint,
      step: chosen.step,
      weights: chosen.kind,
      classNames,
      images: { height: side, width: side, channels, range: [0, 1], mean, std },
      batch: batch ?? 'any',
      config: chosen.config,
    };
    makeFolder(path.join(target, 'assets.extra'));
    writeWhole(path.join(target, 'assets.extra', 'masksub.json'), `${JSON.stringify(about, undefined, 2)}\n`);
    writeWhole(path.join(target, 'saved_model.pb'), content); // last: without it the folder is no SavedModel
    return `${target}: ${chosen.run} at step ${chosen.step} (${chosen.checkpoint}), ${bytes(content.length)}.`;
  } catch (error) {
    remove(target);
    throw error;
  }
}

async function graphRuntime() {
  const missing = recordedProblem(await loadBackend('tensorflow'));
  if (missing) throw new UserError(missing, { hint: 'Install the engine again.' });
  return loadGraphRuntime(stepAddonFile(engineFolder()), os.availableParallelism());
}
