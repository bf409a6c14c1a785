/** One training step as a pure function of tensors; the executors decide how it is run. */
import * as tf from '@tensorflow/tfjs-core';
import type { Branch, Method } from '../methods/method.ts';
import type { BranchDraws, ForwardMode, Model, ModelInput, Parameters } from '../models/model.ts';
import type { Criterion } from '../ops/losses.ts';
import type { Optimizer, StepScalars } from '../optim/optimizer.ts';
import { type ParameterGroup, pack, unpack } from '../parameters.ts';

/** What is trained and how: fixed for a run. */
export interface Problem {
  readonly model: Model;
  readonly method: Method;
  readonly criterion: Criterion;
  readonly optimizer: Optimizer;
  readonly groups: readonly ParameterGroup[];
  /** The model's buffers: one group, or none. */
  readonly bufferGroups: readonly ParameterGroup[];
  /** Global L2 norm to which the gradient is clipped. */
  readonly clipNorm?: number | undefined;
  /** Decay of the moving average of the weights. */
  readonly ema?: number | undefined;
}

/** Everything that a step changes: one flat tensor for each group. */
export interface TrainState {
  readonly parameters: readonly tf.Tensor1D[];
  /** Slots of each group, in the optimizer's order. */
  readonly slots: readonly (readonly tf.Tensor1D[])[];
  readonly buffers: readonly tf.Tensor1D[];
  /** Of the parameters, then of the buffers. */
  readonly ema: readonly tf.Tensor1D[] | undefined;
}

/** One batch as tensors. */
export interface BatchTensors {
  readonly input: ModelInput;
  /** (B, classes). */
  readonly target: tf.Tensor2D;
  readonly draws: Readonly<Partial<Record<Branch, BranchDraws>>>;
}

/** What a term came to over the batches of a step. */
interface TermGradient {
  readonly branch: Branch;
  /** Gradient of the loss without its weight, averaged over the batches. */
  readonly gradient: readonly tf.Tensor1D[];
}

/** Losses and logits of one batch. */
export interface BatchOutcome {
  readonly losses: Readonly<Partial<Record<Branch, tf.Scalar>>>;
  readonly logits: Readonly<Partial<Record<Branch, tf.Tensor2D>>>;
}

/** What a step reports of itself. */
export interface StepOutcome {
  readonly batches: readonly BatchOutcome[];
  /** Products of the terms' gradients with each other, (terms, terms): every norm and cosine follows from it. */
  readonly gram: tf.Tensor2D;
  /** 1 where every loss and the norms of the gradients are finite, else 0; the state is then the one before the step. */
  readonly finite: tf.Scalar;
  readonly terms: readonly TermGradient[];
  readonly total: readonly tf.Tensor1D[];
}

/** What a step is told beside its batches: the optimizer's scalars, and the weight of each term where there are several. */
export function stepScalars(
  { optimizer, method }: Pick<Problem, 'optimizer' | 'method'>,
  step: number,
  learningRate: number,
  subWeight: number,
): StepScalars {
  const weights =
    method.terms.length > 1 ? method.terms.map(({ branch, weight }) => [weightOf(branch), weight(subWeight)]) : [];
  return { ...optimizer.scalars(step, learningRate), ...Object.fromEntries(weights) };
}

/** The name of the scalar that holds the weight of a branch's term. */
export const weightOf = (branch: Branch): string => `weight.${branch}`;

/**
 * Gradients of one or more batches, averaged, and then one update, unless a loss or a gradient is not finite. Call inside `tf.tidy`.
 * `onPhase` is told what comes next: a forward and a backward pass for each term of each batch, then the update.
 */
export function trainStep(
  problem: Problem,
  state: TrainState,
  batches: readonly BatchTensors[],
  scalars: Readonly<Record<string, tf.Scalar>>,
  onPhase: (phase: 'forward' | 'backward' | 'update') => void = () => {},
): { readonly state: TrainState; readonly outcome: StepOutcome } {
  const parameters = unpack(problem.groups, state.parameters);
  let terms: TermGradient[] = [];
  let buffers = unpack(problem.bufferGroups, state.buffers);
  const outcomes: BatchOutcome[] = [];
  for (const batch of batches) {
    const result = differentiateTerms(problem, { parameters, buffers }, batch, 1 / batches.length, onPhase);
    buffers = result.buffers;
    terms = terms.length === 0 ? result.terms : terms.map((term, i) => addTerm(term, result.terms[i] as TermGradient));
    outcomes.push(result.outcome);
  }
  onPhase('update');
  const weights = terms.length > 1 ? terms.map(({ branch }) => scalars[weightOf(branch)] as tf.Scalar) : [];
  const total = problem.groups.map((_, g) =>
    weightedSum(
      terms.map((term) => term.gradient[g] as tf.Tensor1D),
      weights,
    ),
  );
  const gram = gramMatrix(terms.map((term) => term.gradient));
  const squaredNorm = quadraticForm(gram, weights); // |Σ wᵢ gᵢ|² = Σ wᵢ wⱼ ⟨gᵢ, gⱼ⟩
  const losses = outcomes.flatMap((outcome) => Object.values(outcome.losses));
  const allFinite = tf.isFinite<tf.Scalar>(sumAll([squaredNorm, ...losses]));
  // Rounding may take a sum of opposite gradients below zero.
  const totalNorm = tf.sqrt<tf.Scalar>(tf.maximum(squaredNorm, 0));
  const updated = update(problem, state, total, totalNorm, scalars, pack(problem.bufferGroups, buffers));
  const next = choose(allFinite, updated, state);
  const finite = tf.cast<tf.Scalar>(allFinite, 'float32');
  return { state: next, outcome: { batches: outcomes, gram, finite, terms, total } };
}

/** Logits in evaluation mode. `flats`: the parameter groups, then the buffers. Call inside `tf.tidy`. */
export function evaluateModel(
  { model, groups, bufferGroups }: Pick<Problem, 'model' | 'groups' | 'bufferGroups'>,
  flats: readonly tf.Tensor1D[],
  input: ModelInput,
  draws: BranchDraws,
): tf.Tensor2D {
  const buffers = unpack(bufferGroups, flats.slice(groups.length));
  return model.forward(unpack(groups, flats.slice(0, groups.length)), input, draws, {
    training: false,
    buffers,
    update: () => {},
  });
}

/** The model's attention (B, rows, columns) in evaluation mode, where it has one to show. Call inside `tf.tidy`. */
export function attentionOf(
  { model, groups }: Pick<Problem, 'model' | 'groups'>,
  parameters: readonly tf.Tensor1D[],
  input: ModelInput,
): tf.Tensor3D | undefined {
  return model.attention?.(unpack(groups, parameters), input);
}

/** Forward and backward pass of each term in turn; the activations of one are freed before the next begins. */
function differentiateTerms(
  problem: Problem,
  { parameters, buffers: before }: { readonly parameters: Parameters; readonly buffers: Parameters },
  batch: BatchTensors,
  share: number,
  onPhase: (phase: 'forward' | 'backward') => void,
) {
  let buffers = before;
  const names = Object.keys(parameters);
  const inputs = Object.values(parameters);
  const logits: Partial<Record<Branch, tf.Tensor2D>> = {};
  const losses: Partial<Record<Branch, tf.Scalar>> = {};
  const forward = (named: Parameters, branch: Branch, update: ForwardMode['update']) =>
    problem.model.forward(named, batch.input, batch.draws[branch] ?? {}, { training: true, buffers, update });
  const terms = problem.method.terms.map((term): TermGradient => {
    const fresh: Record<string, tf.Tensor> = {};
    const gradient = tf.tidy(() => {
      onPhase('forward');
      const constants = Object.fromEntries(
        (term.teachers ?? []).map((branch) => [
          branch,
          logits[branch] ?? tf.tidy(() => forward(parameters, branch, () => {})),
        ]),
      );
      const { value, grads } = tf.valueAndGrads((...tensors: tf.Tensor[]) => {
        const named = Object.fromEntries(names.map((name, i) => [name, tensors[i] as tf.Tensor]));
        const result = term.loss({
          forward: (branch) =>
            forward(named, branch, (name, value) => {
              // Only the term's own branch moves the statistics, whatever else it looks at.
              if (branch === term.branch) fresh[name] = tf.keep(value);
            }),
          target: batch.target,
          criterion: problem.criterion,
          constants,
        });
        logits[term.branch] = tf.keep(result.logits);
        losses[term.branch] = tf.keep(result.loss);
        const weighted = tf.mul<tf.Scalar>(result.loss, share);
        onPhase('backward');
        return weighted;
      })(inputs);
      value.dispose();
      return pack(problem.groups, Object.fromEntries(names.map((name, i) => [name, grads[i] as tf.Tensor])));
    });
    buffers = { ...buffers, ...adopt(fresh) };
    return { branch: term.branch, gradient };
  });
  return { terms, buffers, outcome: { losses: adopt(losses), logits: adopt(logits) } };
}

/** Gives kept tensors back to the surrounding tidy, which frees them unless they are returned. */
function adopt<T extends Partial<Record<string, tf.Tensor>>>(kept: T): T {
  return Object.fromEntries(
    Object.entries(kept as Record<string, tf.Tensor>).map(([name, tensor]) => {
      const owned = tf.clone(tensor);
      tensor.dispose();
      return [name, owned];
    }),
  ) as T;
}

function addTerm(a: TermGradient, b: TermGradient): TermGradient {
  const gradient = a.gradient.map((x, g) => sumAll([x, b.gradient[g] as tf.Tensor1D]));
  tf.dispose([...a.gradient, ...b.gradient]);
  return { ...a, gradient };
}

/** Products of gradients with each other, summed over the groups. */
function gramMatrix(gradients: readonly (readonly tf.Tensor1D[])[]): tf.Tensor2D {
  const product = (a: readonly tf.Tensor1D[], b: readonly tf.Tensor1D[]) =>
    sumAll(a.map((x, g) => tf.tidy(() => tf.sum<tf.Scalar>(tf.mul(x, b[g] as tf.Tensor1D)))));
  const halves = gradients.map((a, i) => gradients.slice(i).map((b) => product(a, b))); // ⟨gᵢ, gⱼ⟩ for j ≥ i
  const entries = gradients.flatMap((_, i) =>
    gradients.map((_, j) => halves[Math.min(i, j)]?.[Math.abs(i - j)] as tf.Tensor),
  );
  return tf.reshape(tf.stack(entries), [gradients.length, gradients.length]);
}

function update(
  { groups, optimizer, clipNorm, ema }: Problem,
  state: TrainState,
  total: readonly tf.Tensor1D[],
  totalNorm: tf.Scalar,
  scalars: Readonly<Record<string, tf.Scalar>>,
  buffers: readonly tf.Tensor1D[],
): TrainState {
  const factor = clipNorm ? clipFactor(clipNorm, totalNorm) : undefined;
  const gradientNorm = factor ? tf.mul<tf.Scalar>(totalNorm, factor) : totalNorm;
  const updates = groups.map((group, g) =>
    optimizer.update({
      group,
      parameter: state.parameters[g] as tf.Tensor1D,
      gradient: factor ? tf.mul(total[g] as tf.Tensor1D, factor) : (total[g] as tf.Tensor1D),
      gradientNorm,
      slots: state.slots[g] ?? [],
      scalars,
    }),
  );
  const parameters = updates.map((update) => update.parameter);
  return {
    parameters,
    slots: updates.map((update) => update.slots),
    buffers,
    ema: state.ema?.map((old, g) => movingAverage(old, [...parameters, ...buffers][g] as tf.Tensor1D, ema ?? 0)),
  };
}

/** `next` where the condition holds, else `old`: by values, since a graph cannot branch. */
function choose(condition: tf.Scalar, next: TrainState, old: TrainState): TrainState {
  const all = (fresh: readonly tf.Tensor1D[], before: readonly tf.Tensor1D[]) =>
    fresh.map((tensor, i) => tf.where<tf.Tensor1D>(condition, tensor, before[i] as tf.Tensor1D));
  return {
    parameters: all(next.parameters, old.parameters),
    slots: next.slots.map((slots, g) => all(slots, old.slots[g] ?? [])),
    buffers: all(next.buffers, old.buffers),
    ema: next.ema && all(next.ema, old.ema ?? []),
  };
}

/** What a gradient is multiplied with so that its norm is at most `limit`, as PyTorch's clip_grad_norm_ has it. */
export function clipFactor(limit: number, norm: tf.Scalar): tf.Scalar {
  return tf.minimum<tf.Scalar>(1, tf.div(limit, tf.add(norm, 1e-6)));
}

/** decay · old + (1 − decay) · new. */
export function movingAverage(old: tf.Tensor1D, fresh: tf.Tensor1D, decay: number): tf.Tensor1D {
  return tf.add(tf.mul(old, decay), tf.mul(fresh, 1 - decay));
}

/** Σ weight · tensor; a single tensor has all the weight. What it makes on the way is freed: it is as large as the model. */
function weightedSum(tensors: readonly tf.Tensor1D[], weights: readonly tf.Scalar[]): tf.Tensor1D {
  if (weights.length === 0) return sumAll(tensors);
  return tf.tidy(() => sumAll(tensors.map((tensor, i) => tf.mul<tf.Tensor1D>(tensor, weights[i] as tf.Scalar))));
}

/** wᵀ G w; without weights the sum of G. */
function quadraticForm(gram: tf.Tensor2D, weights: readonly tf.Scalar[]): tf.Scalar {
  if (weights.length === 0) return tf.sum(gram);
  const column = tf.reshape<tf.Rank.R2>(tf.stack([...weights]), [weights.length, 1]);
  return tf.sum(tf.mul(gram, tf.matMul(column, column, false, true)));
}

function sumAll<T extends tf.Tensor>(tensors: readonly T[]): T {
  return tensors.reduce((sum, tensor) => tf.add<T>(sum, tensor));
}
