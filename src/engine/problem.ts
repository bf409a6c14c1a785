/** What a config and its data make of a run: model, method, criterion, optimizer. */
import { methods as methodTitles } from '../core/catalog.ts';
import type { Config } from '../core/config.ts';
import { UserError } from '../core/errors.ts';
import { keptTokens, type TrainingData } from './batches.ts';
import { methods } from './methods/index.ts';
import { models } from './models/index.ts';
import { criteria } from './ops/losses.ts';
import { optimizers } from './optim/index.ts';
import { groupParameters } from './parameters.ts';
import type { Problem } from './step/step.ts';

/** Model, method, criterion, optimizer and parameter groups of a config. */
export function buildProblem(
  config: Config,
  data: Pick<TrainingData, 'height' | 'width' | 'channels' | 'classes' | 'name'>,
): Problem {
  const imageSize = config.model.imageSize ?? data.height;
  if (data.height !== data.width || data.height !== imageSize) {
    throw new UserError(
      `The model wants images of ${imageSize}×${imageSize} pixels, "${data.name}" has ${data.width}×${data.height}.`,
      {
        hint: `Set model.imageSize to ${data.height}.`,
      },
    );
  }
  if (imageSize % config.model.patchSize !== 0) {
    throw new UserError(`model.patchSize (${config.model.patchSize}) must divide the image size (${imageSize}).`);
  }
  const model = models[config.model.name](config.model, { imageSize, channels: data.channels, classes: data.classes });
  const method = methods[config.method.name];
  if (method.masked.length > 0 && keptTokens(model.tokens, config.method.maskRatio) < 1) {
    throw new UserError(
      `method.maskRatio ${config.method.maskRatio} leaves none of the ${model.tokens} patches to the masked branch of ${methodTitles[config.method.name].title}.`,
      { hint: 'Lower it, or make model.patchSize smaller.' },
    );
  }
  const optimizer = optimizers[config.train.optimizer]({ ...config.train, lambMaxGradNorm: 1 });
  const { clipNorm, ema, layerDecay } = config.train;
  const groups = groupParameters(model.parameters, { depth: model.depth, layerDecay, separate: optimizer.separate });
  return { model, method, criterion: criteria[config.train.loss], optimizer, groups, clipNorm, ema };
}

/** Floating-point operations of one sample's step over all branches; the backward pass counts as two forward passes. */
export function trainingFlops({ model, method }: Problem, maskRatio: number): number {
  const kept = (branch: 'main' | 'sub') =>
    method.masked.includes(branch) ? keptTokens(model.tokens, maskRatio) : model.tokens;
  return method.terms.reduce((sum, term) => sum + 3 * model.forwardFlops(kept(term.branch)), 0);
}
