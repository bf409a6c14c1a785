/** What a run says of a step: its figures in the form of the events. */
import type { EngineEvent } from '../core/events.ts';
import type { StepReport } from './step/executor.ts';

type StepEvent = Extract<EngineEvent, { type: 'step' }>;

/** Loss and gradient of a step; the rest of the event is the loop's. */
export function stepFigures({ loss, grad }: StepReport): Pick<StepEvent, 'type' | 'loss' | 'grad'> {
  return {
    type: 'step',
    loss: withBranches(loss.total, loss.branches),
    grad: { ...withBranches(grad.total, grad.branches), ...(grad.cosine === undefined ? {} : { cosine: grad.cosine }) },
  };
}

/** The loss that stands for the training loss of an epoch: that of the whole input where there is such a branch. */
export function mainLoss({ loss: { branches } }: StepReport): number {
  return branches.main ?? branches.sub ?? Number.NaN;
}

/** A method without a main branch reports its only branch as main. */
function withBranches(total: number, branches: StepReport['loss']['branches']) {
  const main = branches.main ?? branches.sub ?? total;
  const sub = branches.main === undefined ? undefined : branches.sub;
  return sub === undefined ? { total, main } : { total, main, sub };
}
