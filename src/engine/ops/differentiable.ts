/** Ops with a gradient of their own, typed: tfjs's `customGrad` behind a signature that the compiler can check. */
import * as tf from '@tensorflow/tfjs-core';

export interface Differentiable<T extends tf.Tensor> {
  readonly value: T;
  /** Tensors that the gradient needs; everything else made by the forward pass is freed. */
  readonly save: readonly tf.Tensor[];
  /** Gradients with respect to the inputs, in their order. */
  readonly gradient: (dy: T, saved: tf.Tensor[]) => tf.Tensor[];
}

/** Runs `forward` on `inputs` and, where a tape is on, remembers its gradient. */
export function differentiable<In extends readonly tf.Tensor[], Out extends tf.Tensor>(
  inputs: In,
  forward: (...inputs: In) => Differentiable<Out>,
): Out {
  const op = tf.customGrad((...args) => {
    const save = args.pop() as tf.GradSaveFunc;
    const result = forward(...(args as unknown as In));
    save([...result.save]);
    const gradFunc = (dy: Out, saved: tf.Tensor[]) => {
      const gradients = tf.tidy(() => result.gradient(dy, saved));
      // tfjs keeps what an op saved until the whole backward pass is through; nobody asks for it again.
      tf.dispose(saved);
      return gradients;
    };
    return { value: result.value, gradFunc };
  });
  return op(...(inputs as unknown as tf.Tensor[])) as Out;
}
