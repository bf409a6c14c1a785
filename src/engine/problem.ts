/** What a config and its data make of a run: model, method, criterion, optimizer. */
import { methods as methodTitles } from '../core/catalog.ts';
import type { Config } from '../core/config.ts';
import { UserError } from '../core/errors.ts';
import { keptTokens, largestRatio } from '../core/maskRatio.ts';
import { modelProblems } from '../core/modelConfig.ts';
import { imageSideOf } from './imageSide.ts';
import { unitsOf } from './masks.ts';
import { methods } from './methods/index.ts';
import type { Branch, Method } from './methods/method.ts';
import { models } from './models/index.ts';
import type { ImageShape, Model } from './models/model.ts';
import { criteria } from './ops/losses.ts';
import { optimizers } from './optim/index.ts';
import { groupBuffers, groupParameters } from './parameters.ts';
import type { Problem } from './step/step.ts';
import type { ImageData, TextData } from './trainingData.ts';

/** What a problem depends on of its data. */
export type DataShape =
  | Pick<ImageData, 'kind' | 'name' | 'classes' | 'size' | 'channels'>
  | Pick<TextData, 'kind' | 'name' | 'classes' | 'length' | 'vocabulary'>;

/** Model, method, criterion, optimizer and parameter groups of a config. */
export function buildProblem(config: Config, data: DataShape): Problem {
  const model = buildModel(config.model, data);
  const method = methods[config.method.name](config.method);
  const units = unitsOf(model.masking);
  checkDrops(config, model, method);
  const ratio = largestRatio(config);
  // Fixed units, such as [CLS], always stay.
  if (method.masked.length > 0 && !model.masking.fixed && keptTokens(units, ratio) < 1) {
    throw new UserError(
      `method.maskRatio ${ratio} leaves none of the ${units} patches to the masked branch of ${methodTitles[config.method.name].title}.`,
      { hint: `Lower it, or make model.${model.masking.kind === 'remove' ? 'patchSize' : 'maskPatch'} smaller.` },
    );
  }
  const optimizer = optimizers[config.train.optimizer]({ ...config.train, lambMaxGradNorm: 1 });
  const { clipNorm, ema, layerDecay } = config.train;
  const groups = groupParameters(model.parameters, { depth: model.depth, layerDecay, separate: optimizer.separate });
  const bufferGroups = groupBuffers(model.buffers);
  return { model, method, criterion: criteria[config.train.loss], optimizer, groups, bufferGroups, clipNorm, ema };
}

/** The model for these data; a UserError where they do not go together. */
function buildModel(config: Config['model'], data: DataShape): Model {
  if (data.kind === 'text') return textModel(config, data);
  if (config.name === 'bert') {
    throw new UserError(`The model "bert" sees texts, and "${data.name}" has images.`, {
      hint: 'Set model.name to "vit", "resnet" or "swin".',
    });
  }
  const imageSize = imageSideOf(config, data);
  const [problem] = modelProblems({ ...config, imageSize }, config);
  if (problem) throw new UserError(problem.message.replace(/^"(\w+)"/, 'model.$1'));
  const build = models[config.name] as (config: Config['model'], input: ImageShape) => Model;
  return build(config, { imageSize, channels: data.channels, classes: data.classes });
}

function textModel(config: Config['model'], data: Extract<DataShape, { kind: 'text' }>): Model {
  if (config.name !== 'bert') {
    throw new UserError(`The model "${config.name}" sees images, and "${data.name}" has texts.`, {
      hint: 'Set model.name to "bert".',
    });
  }
  if (data.vocabulary > config.vocabulary) {
    throw new UserError(`"${data.name}" has ${data.vocabulary} token ids, the model has ${config.vocabulary}.`, {
      hint: `Set model.vocabulary to ${data.vocabulary}, or take the tokenizer that belongs to the model.`,
    });
  }
  return models.bert(config, data);
}

/** Refuses a method that would do nothing on this model. */
function checkDrops({ method: { name }, model: { name: modelName } }: Config, model: Model, method: Method): void {
  const title = methodTitles[name].title;
  for (const { kind } of Object.values(method.drops ?? {})) {
    if (model.dropSites.some((site) => site.kind === kind)) continue;
    throw new UserError(
      `${title} needs ${kind === 'dropout' ? 'dropout' : 'drop-path'} sites, and the model "${modelName}" has none.`,
      { hint: 'Use "masksub", or another model.' },
    );
  }
  if (name === 'cosub' && !model.dropSites.some(({ rate }) => rate > 0)) {
    const key = modelName === 'bert' ? 'dropout' : 'dropPath';
    throw new UserError(
      `Without ${key === 'dropout' ? 'dropout' : 'drop-path'} the two branches of ${title} are the same.`,
      {
        hint: `Set model.${key} to more than 0.`,
      },
    );
  }
}

/** Floating-point operations of one sample's step over all branches; the backward pass counts as two forward passes. */
export function trainingFlops({ model, method }: Problem, maskRatio: number): number {
  const units = unitsOf(model.masking);
  const kept = (branch: Branch) => (method.masked.includes(branch) ? keptTokens(units, maskRatio) : units);
  return method.terms.reduce((sum, term) => sum + 3 * model.forwardFlops(kept(term.branch)), 0);
}
