/** Whether the tensors of a file are those of a model, told with every one that is not. */
import { UserError } from '../core/errors.ts';
import type { Model, ParameterSpec } from '../engine/models/model.ts';
import type { Tensor, TensorFile } from '../store/safetensors.ts';

/** Throws one `UserError` about all tensors that do not fit. `optional`: names that may be missing. */
export function checkFit(
  file: string,
  { name, madeFor }: { readonly name: string; readonly madeFor: string | undefined },
  found: TensorFile,
  { parameters, buffers }: Model,
  optional: ReadonlySet<string>,
): void {
  const specs = new Map([...parameters, ...buffers].map((spec) => [spec.name, spec]));
  const missing: string[] = [];
  const misshapen: string[] = [];
  const heads: { readonly expected: number | undefined; readonly got: number | undefined }[] = [];
  for (const spec of specs.values()) {
    const tensor = found.get(spec.name);
    if (!tensor) {
      if (!optional.has(spec.name)) missing.push(`"${spec.name}" [${spec.shape}]`);
    } else if (tensor.dtype !== 'F32' || `${tensor.shape}` !== `${spec.shape}`) {
      misshapen.push(`"${spec.name}" [${spec.shape}], found ${described(tensor)}`);
      if (isHead(spec, tensor)) heads.push({ expected: spec.shape[0], got: tensor.shape[0] });
    }
  }
  const extra = [...found]
    .filter(([name]) => !specs.has(name))
    .map(([name, tensor]) => `"${name}" ${described(tensor)}`);
  if (missing.length + extra.length + misshapen.length === 0) return;
  const [head] = heads;
  if (head && missing.length + extra.length === 0 && heads.length === misshapen.length) {
    throw new UserError(
      `${file} tells ${head.got} classes apart, the data have ${head.expected}: expected ${listed(misshapen)}.`,
      { hint: 'Take weights for as many classes, or data with as many.' },
    );
  }
  const other = madeFor !== undefined && madeFor !== name ? ` It is of the model "${madeFor}".` : '';
  const sentences = [
    ...(missing.length > 0 ? [` Missing (${missing.length}): expected ${listed(missing)}.`] : []),
    ...(extra.length > 0 ? [` Not of this model (${extra.length}): found ${listed(extra)}.`] : []),
    ...(misshapen.length > 0 ? [` Of another shape (${misshapen.length}): expected ${listed(misshapen)}.`] : []),
  ];
  throw new UserError(`${file} does not fit the model "${name}" of the config.${other}${sentences.join('')}`, {
    hint: 'Set the model’s keys to those of the weights, or take other weights.',
  });
}

/** The classifier, for another number of classes. */
function isHead(spec: Pick<ParameterSpec, 'shape'> & Partial<ParameterSpec>, { dtype, shape }: Tensor): boolean {
  return (
    spec.layer === 'head' && dtype === 'F32' && shape.length > 0 && `${shape.slice(1)}` === `${spec.shape.slice(1)}`
  );
}

const described = ({ dtype, shape }: Tensor) => `[${shape}]${dtype === 'F32' ? '' : ` of ${dtype}`}`;

/** A file of quite another model differs in hundreds of tensors; the first ones tell which it is. */
const LISTED = 12;
const listed = (items: readonly string[]) =>
  [...items.slice(0, LISTED), ...(items.length > LISTED ? [`and ${items.length - LISTED} more`] : [])].join('; ');
