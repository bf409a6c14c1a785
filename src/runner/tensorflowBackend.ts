/** tfjs's TensorFlow backend on a binding that is loaded already. A module of its own, so that only who needs it loads its kernels. */
import * as tf from '@tensorflow/tfjs-core';
import { NodeJSKernelBackend } from '@tensorflow/tfjs-node-gpu/dist/nodejs_kernel_backend.js';
import '@tensorflow/tfjs-node-gpu/dist/register_all_kernels.js';

export function registerTensorflow(binding: unknown): void {
  const create = () => new NodeJSKernelBackend(binding as never, '@tensorflow/tfjs-node-gpu');
  tf.registerBackend('tensorflow', create, 3);
}
