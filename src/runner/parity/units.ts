/** Single functions: losses, optimizers and ops, each with its gradient. */
import * as tf from '@tensorflow/tfjs-core';
import * as z from 'zod';
import { type Mix, mixImages, mixTargets } from '../../augment/mix.ts';
import { keptTokens } from '../../core/maskRatio.ts';
import type { ParameterSpec } from '../../engine/models/model.ts';
import { batchNorm, batchNormBy } from '../../engine/ops/batchNorm.ts';
import { gelu } from '../../engine/ops/gelu.ts';
import { layerNorm } from '../../engine/ops/layerNorm.ts';
import { type Criterion, criteria } from '../../engine/ops/losses.ts';
import { blockedPairs, relativePositionIndex } from '../../engine/ops/windows.ts';
import { optimizers } from '../../engine/optim/index.ts';
import { groupParameters } from '../../engine/parameters.ts';
import { resizePositions } from '../../engine/resizePositions.ts';
import { clipFactor, movingAverage } from '../../engine/step/step.ts';
import type { TensorFile } from '../../store/safetensors.ts';
import type { Check } from './check.ts';
import { type Comparison, maxAbs } from './comparison.ts';
import { optimizerOf } from './optimizer.ts';
import { channelsLast, floatsOf, imagesOf, numbersOf, type Oracle, optimizerSchema, shapeOf } from './oracle.ts';

export function unitChecks(oracle: Oracle): Check[] {
  const { losses, optim, ops, mix } = oracle.index.units;
  return [
    ...(losses ? lossChecks(oracle.tensors(losses.file), losses) : []),
    ...(optim ? optimizerChecks(oracle.tensors(optim.file), optim) : []),
    ...(optim ? updateChecks(oracle.tensors(optim.file)) : []),
    ...(ops ? opChecks(oracle.tensors(ops.file), ops) : []),
    ...(mix ? mixChecks(oracle.tensors(mix.file), mix) : []),
  ];
}

const unsupported = (name: string, what: string): Check => ({
  name,
  run: { unsupported: `this build has no ${what}` },
});

/** Units: 1e-5 · max(1, largest expected). */
function compare(comparison: Comparison, tensors: TensorFile, name: string, got: tf.Tensor | ArrayLike<number>): void {
  const expected = floatsOf(tensors, name);
  const values = got instanceof tf.Tensor ? got.dataSync() : got;
  comparison.array(name, values, expected, 1e-5 * Math.max(1, maxAbs(expected)));
}

function tensorOf<T extends tf.Tensor>(tensors: TensorFile, name: string): T {
  return tf.tensor(floatsOf(tensors, name), [...shapeOf(tensors, name)]) as T;
}

const mixSchema = z.object({
  kind: z.enum(['mixup', 'cutmix']),
  lam: z.number(),
  box: z.tuple([z.number(), z.number(), z.number(), z.number()]).optional(),
  smoothing: z.number(),
});

/** Mixup and CutMix with given draws: images, targets, and targets above 0. */
function mixChecks(tensors: TensorFile, unit: Record<string, unknown>): Check[] {
  const names = Object.keys(unit).filter((name) => name !== 'file');
  return names.map((name): Check => {
    const { lam, box, smoothing } = mixSchema.parse(unit[name]);
    const [top = 0, bottom = 0, left = 0, right = 0] = box ?? [];
    const mix: Mix = { share: lam, ...(box ? { box: { top, bottom, left, right } } : {}) };
    return {
      name: `units/mix/${name}`,
      run: (comparison) => {
        const images = imagesOf(tensors, 'x');
        const [batch] = images.shape;
        const expected = channelsLast(tensors, `${name}.x`).values;
        comparison.array(`${name}.x`, mixImages(images, mix).values, expected, 1e-5 * Math.max(1, maxAbs(expected)));
        const classes = shapeOf(tensors, `${name}.target`)[1] as number;
        const labels = numbersOf(tensors, 'label');
        const own = Float32Array.from({ length: batch * classes }, (_, i) => {
          const isLabel = labels[Math.floor(i / classes)] === i % classes;
          return (isLabel ? 1 - smoothing : 0) + smoothing / classes;
        });
        const target = mixTargets(own, batch, mix);
        compare(comparison, tensors, `${name}.target`, target);
        compare(
          comparison,
          tensors,
          `${name}.target_gt0`,
          target.map((value) => (value > 0 ? 1 : 0)),
        );
      },
    };
  });
}

/** A criterion with its target, by the name of the fixture. */
function lossChecks(tensors: TensorFile, unit: Record<string, unknown>): Check[] {
  const values = z.record(z.string(), z.number()).parse(unit.values);
  return Object.entries(values).map(([name, expected]): Check => {
    const make = lossOf(name, tensors);
    if (!make) return unsupported(`units/losses/${name}`, `loss ${name}`);
    return {
      name: `units/losses/${name}`,
      run: (comparison) =>
        tf.tidy(() => {
          const { criterion, student, target } = make();
          const { value, grad } = tf.valueAndGrad((logits) => criterion.loss(logits as tf.Tensor2D, target))(
            tensorOf(tensors, student),
          );
          comparison.number(name, value.dataSync()[0] as number, expected, 1e-5 * Math.max(1, Math.abs(expected)));
          compare(comparison, tensors, student === 'logits' ? `grad/${name}` : `grad_sub/${name}`, grad);
        }),
    };
  });
}

interface LossFixture {
  readonly criterion: Criterion;
  readonly student: 'logits' | 'sub_logits';
  readonly target: tf.Tensor2D;
}

function lossOf(name: string, tensors: TensorFile): (() => LossFixture) | undefined {
  const [, kind] = /^(?:masksub_|nostop_)?(ce|bce)_/.exec(name) ?? [];
  if (kind === undefined) return undefined;
  const criterion = criteria[kind as 'ce' | 'bce'];
  if (name.startsWith('nostop_')) {
    // Of the sub-branch's loss: its gradient with respect to the main branch's logits, which are its target.
    const toward: Criterion = {
      ...criterion,
      loss: (main) => criterion.loss(tensorOf(tensors, 'sub_logits'), criterion.activation(main)),
    };
    return () => ({ criterion: toward, student: 'logits', target: tensorOf(tensors, 'logits') });
  }
  if (name.startsWith('masksub_')) {
    return () => ({ criterion, student: 'sub_logits', target: criterion.activation(tensorOf(tensors, 'logits')) });
  }
  const target = targetOf(name.slice(kind.length + 1), tensors);
  return target && (() => ({ criterion, student: 'logits', target: target() }));
}

function targetOf(name: string, tensors: TensorFile): (() => tf.Tensor2D) | undefined {
  const classes = shapeOf(tensors, 'logits')[1] as number;
  const hard = (smoothing: number) => () => {
    const labels = tf.tensor1d(Int32Array.from(numbersOf(tensors, 'label')), 'int32');
    const oneHot = tf.cast(tf.oneHot(labels, classes), 'float32');
    return tf.add(tf.mul(oneHot, 1 - smoothing), smoothing / classes) as tf.Tensor2D;
  };
  const soft = () => tensorOf<tf.Tensor2D>(tensors, 'soft');
  if (name === 'hard') return hard(0);
  if (name === 'soft') return soft;
  if (name.startsWith('smooth')) return hard(Number(name.slice('smooth'.length)));
  if (name.startsWith('thresh')) {
    const threshold = Number(name.slice('thresh'.length));
    return () => tf.cast(tf.greater(soft(), threshold), 'float32');
  }
  return undefined;
}

function optimizerChecks(tensors: TensorFile, unit: Record<string, unknown>): Check[] {
  const specs = z.record(z.string(), optimizerSchema).parse(unit.specs);
  const lr = z.array(z.number()).parse(unit.lr);
  return Object.entries(specs).map(([name, spec]): Check => {
    if (!Object.hasOwn(optimizers, spec.opt)) return unsupported(`units/optim/${name}`, `optimizer ${spec.opt}`);
    return { name: `units/optim/${name}`, run: (comparison) => checkOptimizer(name, spec, lr, tensors, comparison) };
  });
}

/** Five updates of a matrix with weight decay and a vector without. */
function checkOptimizer(
  name: string,
  spec: z.infer<typeof optimizerSchema>,
  learningRates: readonly number[],
  tensors: TensorFile,
  comparison: Comparison,
): void {
  const optimizer = optimizerOf(spec);
  const specs = ['w', 'b'].map((parameter): ParameterSpec => {
    const shape = shapeOf(tensors, parameter);
    return { name: parameter, shape, decay: shape.length > 1, layer: parameter, init: { kind: 'constant', value: 0 } };
  });
  const groups = groupParameters(specs, { depth: 0, layerDecay: 1, separate: true });
  tf.tidy(() => {
    const flat = (name: string) => tf.tensor1d(floatsOf(tensors, name));
    let state = groups.map((group) => ({
      parameter: flat(group.specs[0]?.name ?? ''),
      slots: optimizer.slots.map(() => tf.zeros<tf.Rank.R1>([group.size])) as readonly tf.Tensor1D[],
    }));
    learningRates.forEach((learningRate, step) => {
      const gradients = groups.map((group) => flat(`g${step}.${group.specs[0]?.name}`));
      const gradientNorm = normOf(gradients);
      const scalars = Object.fromEntries(
        Object.entries(optimizer.scalars(step + 1, learningRate)).map(([key, value]) => [key, tf.scalar(value)]),
      );
      state = groups.map((group, g) =>
        optimizer.update({
          group,
          gradient: gradients[g] as tf.Tensor1D,
          gradientNorm,
          scalars,
          ...(state[g] as (typeof state)[number]),
        }),
      );
      groups.forEach((group, g) => {
        compare(comparison, tensors, `${name}.s${step}.${group.specs[0]?.name}`, state[g]?.parameter ?? []);
      });
    });
  });
}

/** Clipping to a global norm, and the moving average over the updates of one optimizer, as the step does them. */
function updateChecks(tensors: TensorFile): Check[] {
  const names = [...tensors.keys()];
  const clips = [...new Set(names.flatMap((name) => /^clip([\d.]+)\.g\d+\.w$/.exec(name)?.[1] ?? []))];
  const run = (name: string, check: (comparison: Comparison) => void): Check => ({
    name: `units/optim/${name}`,
    run: (comparison) => tf.tidy(() => check(comparison)),
  });
  const [, decay, spec] = names.map((name) => /^ema([\d.]+)_of_(\w+)\.w$/.exec(name)).find((match) => match) ?? [];
  return [
    ...clips.map((limit) =>
      run(`clip${limit}`, (comparison) => {
        for (let step = 0; tensors.has(`clip${limit}.g${step}.w`); step++) {
          const gradients = ['w', 'b'].map((name) => tf.tensor1d(floatsOf(tensors, `g${step}.${name}`)));
          const factor = clipFactor(Number(limit), normOf(gradients));
          compare(comparison, tensors, `clip${limit}.g${step}.w`, tf.mul(gradients[0] as tf.Tensor1D, factor));
        }
      }),
    ),
    ...(spec === undefined
      ? []
      : [
          run(`ema${decay}`, (comparison) => {
            let average = tf.tensor1d(floatsOf(tensors, 'w'));
            for (let step = 0; tensors.has(`${spec}.s${step}.w`); step++) {
              average = movingAverage(average, tf.tensor1d(floatsOf(tensors, `${spec}.s${step}.w`)), Number(decay));
            }
            compare(comparison, tensors, `ema${decay}_of_${spec}.w`, average);
          }),
        ]),
  ];
}

/** L2 norm over all tensors together. */
function normOf(gradients: readonly tf.Tensor1D[]): tf.Scalar {
  const squares = gradients.map((gradient) => tf.sum(tf.square(gradient)) as tf.Scalar);
  return tf.sqrt(squares.reduce((a, b) => tf.add(a, b)));
}

function opChecks(tensors: TensorFile, unit: Record<string, unknown>): Check[] {
  const epsilons = [...tensors.keys()].flatMap((name) => /^ln\.y@(.+)$/.exec(name)?.[1] ?? []);
  const swinWindows = [...tensors.keys()].filter((name) => name.startsWith('swin.'));
  const resizes = [...tensors.keys()].flatMap((name) => {
    const [, from, to] = /^pos_bicubic\.(\d+)to(\d+)\.in$/.exec(name) ?? [];
    return from && to ? [[Number(from), Number(to)] as const] : [];
  });
  const keepCounts = z.array(z.tuple([z.number(), z.number(), z.number()])).parse(unit.keep_count ?? []);
  const run = (name: string, check: (comparison: Comparison) => void): Check => ({
    name: `units/ops/${name}`,
    run: (comparison) => tf.tidy(() => check(comparison)),
  });
  return [
    ...epsilons.map((epsilon) =>
      run(`layerNorm@${epsilon}`, (comparison) => checkLayerNorm(epsilon, tensors, comparison)),
    ),
    run('gelu', (comparison) => {
      const { value, grad } = withGradient((x) => gelu(x), tensorOf(tensors, 'gelu.x'));
      compare(comparison, tensors, 'gelu.y', value);
      compare(comparison, tensors, 'gelu.dy_dx', grad);
    }),
    run('softmax', (comparison) => {
      const x = tensorOf<tf.Tensor2D>(tensors, 'softmax.x');
      compare(comparison, tensors, 'softmax.y', criteria.ce.activation(x));
      compare(comparison, tensors, 'log_softmax.y', tf.logSoftmax(x));
    }),
    ...swinWindows.map((name) => run(name, (comparison) => compare(comparison, tensors, name, swinTableOf(name)))),
    ...resizes.map(([from, to]) =>
      run(`positionEmbeddingResize ${from} to ${to}`, (comparison) => {
        const name = `pos_bicubic.${from}to${to}`;
        compare(comparison, tensors, `${name}.out`, resizePositions(floatsOf(tensors, `${name}.in`), from, to));
      }),
    ),
    run('keptTokens', (comparison) => {
      for (const [tokens, ratio, kept] of keepCounts)
        comparison.number(`${tokens} tokens at ${ratio}`, keptTokens(tokens, ratio), kept, 0.5);
    }),
    ...(tensors.has('bn.y') ? [run('batchNorm', (comparison) => checkBatchNorm(tensors, comparison))] : []),
  ];
}

/** `swin.rel_index.win4` or `swin.blocked.res8_win4_shift2`, as our host computes it. */
function swinTableOf(name: string): ArrayLike<number> {
  const [, index] = /rel_index\.win(\d+)$/.exec(name) ?? [];
  if (index) return relativePositionIndex(Number(index));
  const [, side, window, shift] = /blocked\.res(\d+)_win(\d+)_shift(\d+)$/.exec(name) ?? [];
  return blockedPairs({ side: Number(side), window: Number(window), shift: Number(shift) });
}

function checkBatchNorm(tensors: TensorFile, comparison: Comparison): void {
  const vector = (name: string) => tensorOf<tf.Tensor1D>(tensors, `bn.${name}`);
  const [weight, bias] = [vector('weight'), vector('bias')];
  const running = { mean: vector('running_mean'), variance: vector('running_var') };
  const last = (name: string) => {
    const { values, shape } = channelsLast(tensors, `bn.${name}`);
    return tf.tensor4d(values, [...shape]);
  };
  const nearly = (name: string, got: tf.Tensor) => {
    const { values } = channelsLast(tensors, `bn.${name}`);
    comparison.array(`bn.${name}`, got.dataSync(), values, 1e-5 * Math.max(1, maxAbs(values)));
  };
  const train = (x: tf.Tensor) =>
    batchNorm(x, weight, bias, running, ({ mean, variance }) => {
      compare(comparison, tensors, 'bn.running_mean_after', mean);
      compare(comparison, tensors, 'bn.running_var_after', variance);
    });
  const { value, grad } = withGradient(train, last('x'), last('dy'));
  nearly('y', value);
  nearly('dx', grad);
  nearly('y_eval', batchNormBy(last('x'), weight, bias, running));
}

function checkLayerNorm(epsilon: string, tensors: TensorFile, comparison: Comparison): void {
  const [weight, bias] = [tensorOf<tf.Tensor1D>(tensors, 'ln.weight'), tensorOf<tf.Tensor1D>(tensors, 'ln.bias')];
  const norm = (x: tf.Tensor) => layerNorm(x as tf.Tensor2D, weight, bias, Number(epsilon));
  const { value, grad } = withGradient(norm, tensorOf(tensors, 'ln.x'), tensorOf(tensors, 'ln.dy'));
  compare(comparison, tensors, `ln.y@${epsilon}`, value);
  compare(comparison, tensors, `ln.dx@${epsilon}`, grad);
}

/** A function's value, and its gradient with respect to x for the upstream gradient `dy` (ones where absent). */
function withGradient(f: (x: tf.Tensor) => tf.Tensor, x: tf.Tensor, dy?: tf.Tensor) {
  return { value: f(x), grad: tf.grad(f)(x, dy) };
}
