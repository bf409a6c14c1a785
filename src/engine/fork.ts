/** Whether a run can go on from the checkpoint of another one with its own config. */
import type { Config } from '../core/config.ts';
import { UserError } from '../core/errors.ts';
import type { Progress } from '../core/progress.ts';
import { Batches } from './batches.ts';
import type { Problem } from './step/step.ts';
import type { TrainingData } from './trainingData.ts';

/** Of which run and step a fork goes on; a step of it must be the same place in the data. */
export interface Fork {
  readonly run: string;
  readonly step: number;
  readonly stepsPerEpoch: number;
}

/** Throws a `UserError` where it cannot. For before there is a run folder. */
export function checkFork(
  { run, step, stepsPerEpoch }: Fork,
  { epochs }: Pick<Progress, 'epochs'>,
  config: Config,
  data: TrainingData,
  { model, method }: Problem,
): void {
  const mine = Math.floor(new Batches(config, data, model, method).perEpoch / config.train.accumulate);
  if (mine !== stepsPerEpoch) {
    throw new UserError(
      `The fork would take ${mine} steps an epoch, ${run} took ${stepsPerEpoch}: step ${step} would be another place in the data.`,
      { hint: 'Leave data.trainOn, train.batchSize, train.accumulate and augment.repeated as they were.' },
    );
  }
  if (epochs >= config.train.epochs) {
    throw new UserError(`There is nothing left to train: step ${step} is the last one.`, {
      hint: 'Raise train.epochs, or go on from an earlier checkpoint.',
    });
  }
}
