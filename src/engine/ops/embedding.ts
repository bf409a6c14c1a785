/** Looks rows up in a table: token embedding. */
import * as tf from '@tensorflow/tfjs-core';
import { differentiable } from './differentiable.ts';

/**
 * table (V, D), ids (R), int32 → (R, D). A vocabulary is too large for one-hot products. The gradient adds up what
 * falls on the same id, on a processor in a fixed order.
 */
export function lookUp(table: tf.Tensor2D, ids: tf.Tensor1D): tf.Tensor2D {
  const [vocabulary, width] = table.shape;
  return differentiable([table], (table) => ({
    value: rowsOf(table, ids),
    save: [ids],
    gradient: (dy, [ids]) => [
      tf.scatterND(tf.reshape(ids as tf.Tensor1D, [-1, 1]), dy, [vocabulary, width]), // sums repeated ids
    ],
  }));
}

/** What this file needs of tfjs's TensorFlow backend. */
interface TensorFlowBackend {
  readonly binding: { readonly TF_ATTR_INT: number; readonly TF_ATTR_TYPE: number } & Record<DataType, number>;
  executeSingleOutput(op: string, attributes: readonly object[], inputs: readonly tf.Tensor[]): tf.Tensor;
}
type DataType = 'TF_FLOAT' | 'TF_INT32';

/** On TensorFlow tfjs's gather reads the indices back, which cannot be recorded: there the op is called directly. */
function rowsOf(table: tf.Tensor2D, ids: tf.Tensor1D): tf.Tensor2D {
  const backend: object = tf.backend();
  if (!isTensorFlow(backend)) return tf.gather(table, ids);
  const { TF_ATTR_INT, TF_ATTR_TYPE, TF_FLOAT, TF_INT32 } = backend.binding;
  const attributes = [
    { name: 'batch_dims', type: TF_ATTR_INT, value: 0 },
    { name: 'Tparams', type: TF_ATTR_TYPE, value: TF_FLOAT },
    { name: 'Tindices', type: TF_ATTR_TYPE, value: TF_INT32 },
    { name: 'Taxis', type: TF_ATTR_TYPE, value: TF_INT32 },
  ];
  const axis = tf.scalar(0, 'int32');
  const rows = backend.executeSingleOutput('GatherV2', attributes, [table, ids, axis]);
  axis.dispose();
  return rows as tf.Tensor2D;
}

function isTensorFlow(backend: object): backend is TensorFlowBackend {
  return 'binding' in backend && 'executeSingleOutput' in backend;
}
