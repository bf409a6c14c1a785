/** Which tensors of a file become which parameters of a model, told with every one that fits none. */
import type { Config } from '../core/config.ts';
import { UserError } from '../core/errors.ts';
import { listed } from '../core/format.ts';
import type { StoredTensor } from '../core/storedTensor.ts';
import type { BufferSpec, Model, ParameterSpec } from '../engine/models/model.ts';
import { type Adaptation, adaptationOf } from './layouts/adaptation.ts';
import { classifiers, type Layout, type Rename } from './layouts/layout.ts';

/** A parameter or buffer, and the tensors whose rows one after the other are its values. */
export interface Taken {
  readonly spec: ParameterSpec | BufferSpec;
  readonly sources: readonly Named[];
  readonly adaptation: Adaptation | undefined;
}

export interface Named {
  readonly name: string;
  readonly tensor: StoredTensor;
}

export interface Fit {
  readonly taken: readonly Taken[];
  /** Parameters that start as drawn. */
  readonly drawn: readonly ParameterSpec[];
  /** Names in the file, by what they are. */
  readonly dropped: ReadonlyMap<string, readonly string[]>;
  /** Whether something but buffers was dropped. */
  readonly dropsWeights: boolean;
  /** Classes that the file's classifier tells apart, where it had to go. */
  readonly otherClasses: number | undefined;
}

/** A file's tensors to fit, how they are laid out, and what else is known of it. */
export interface Candidate {
  readonly file: string;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly layout: Layout;
  /** Where it is known what a tensor is, it may be adapted, and the classifier replaced. */
  readonly adaptable: boolean;
  /** Where the file comes from, as a sentence, for one that does not fit. */
  readonly origin: string;
}

/** Throws one `UserError` about all tensors that do not fit. */
export function fitWeights(candidate: Candidate, { name }: Config['model'], model: Model): Fit {
  const { layout, tensors, adaptable } = candidate;
  const specs = new Map([...model.parameters, ...model.buffers].map((spec) => [spec.name, spec]));
  const { sources, dropped, dropsWeights, extra } = sorted(tensors, layout, specs);
  const taken: Taken[] = [];
  const drawn: ParameterSpec[] = [];
  const missing: string[] = [];
  const misshapen: Misfit[] = [];
  const classifier = adaptable ? replacedClassifier(sources, specs, classifiers[name]) : undefined;
  for (const spec of specs.values()) {
    const found = sources.get(spec.name);
    if (classifier?.names.includes(spec.name) && 'init' in spec) {
      drawn.push(spec);
    } else if (!found || found.some((part) => !part)) {
      if (layout.mayLack?.test(spec.name) && !found && 'init' in spec) drawn.push(spec);
      else missing.push(`"${spec.name}" [${spec.shape}]`);
    } else {
      const parts = found as readonly Named[];
      const shape = joinedShape(parts);
      const fits = shape !== undefined && sameShape(shape, spec.shape) && parts.every(({ tensor }) => isFloat(tensor));
      const adaptation = !fits && shape && adaptable ? adaptationOf(name, model, spec, shape) : undefined;
      if (fits || adaptation) taken.push({ spec, sources: parts, adaptation });
      else misshapen.push({ spec, parts });
    }
  }
  if (classifier?.classes) {
    const replaced = classifier.names.flatMap((name) => (sources.get(name) ?? []).flatMap((part) => part?.name ?? []));
    dropped.set('the classifier', replaced);
  }
  if (missing.length + extra.length + misshapen.length > 0)
    throw misfit(candidate, name, { missing, extra, misshapen });
  return { taken, drawn, dropped, dropsWeights, otherClasses: classifier?.classes };
}

type Specs = ReadonlyMap<string, ParameterSpec | BufferSpec>;
/** For each parameter its tensors, in order; a hole where one of several is missing. */
type Sources = ReadonlyMap<string, readonly (Named | undefined)[]>;

/** Every tensor of the file to where the layout's rules want it. */
function sorted(tensors: ReadonlyMap<string, StoredTensor>, { rules }: Layout, specs: Specs) {
  const sources = new Map<string, (Named | undefined)[]>();
  const dropped = new Map<string, string[]>();
  let dropsWeights = false;
  const extra: string[] = [];
  const leaveOut = (what: string, name: string) => dropped.set(what, [...(dropped.get(what) ?? []), name]);
  for (const [name, tensor] of tensors) {
    const rule = rules.find(({ from }) => from.test(name));
    if (rule && 'drop' in rule) {
      leaveOut(rule.drop, name);
      dropsWeights ||= !rule.buffer;
      continue;
    }
    const [index, of] = rule?.part ?? [0, 1];
    const targets = rule ? targetsOf(name, rule, specs) : [];
    const free = targets.filter((target) => !sources.get(target)?.[index]);
    if (targets.length > 0 && free.length === targets.length) {
      for (const target of targets) {
        const parts = sources.get(target) ?? Array.from({ length: of }, () => undefined);
        parts[index] = { name, tensor };
        sources.set(target, parts);
      }
    } else if (rule?.unlessUsed !== undefined) {
      leaveOut(rule.unlessUsed, name);
      dropsWeights = true;
    } else extra.push(`"${name}" ${described(tensor)}`);
  }
  return { sources, dropped, dropsWeights, extra };
}

/** The parameters of the model that a tensor is for. */
function targetsOf(name: string, { from, to }: Rename, specs: Specs): string[] {
  const target = name.replace(from, to);
  if (!target.includes('*')) return specs.has(target) ? [target] : [];
  const [before = '', after = ''] = target.split('*');
  return [...specs.keys()].filter((name) => name.startsWith(before) && name.endsWith(after));
}

/** The classifier's parameters where they start anew: the file has none, or one of the same width for other classes. */
function replacedClassifier(sources: Sources, specs: Specs, at: string) {
  const names = [`${at}.weight`, `${at}.bias`];
  const [weight] = sources.get(`${at}.weight`) ?? [];
  if (!weight) return sources.has(`${at}.bias`) ? undefined : { names, classes: undefined };
  const { shape } = weight.tensor;
  const expected = specs.get(`${at}.weight`)?.shape ?? [];
  const isOther = shape.length === 2 && shape[1] === expected[1] && shape[0] !== expected[0] && isFloat(weight.tensor);
  return isOther ? { names, classes: shape[0] } : undefined;
}

/** The shape of tensors one after the other; nothing where their rows differ. */
function joinedShape(parts: readonly Named[]): readonly number[] | undefined {
  const [first = [], ...others] = parts.map(({ tensor }) => tensor.shape);
  if (others.length === 0) return first;
  const [rows = 0, ...row] = first;
  // Equal parts: the first is for queries, the second for keys, the third for values.
  return others.every((shape) => `${shape}` === `${first}`) ? [rows * parts.length, ...row] : undefined;
}

/** A leading 1 is a matter of taste: CLIP's class token has none. */
const sameShape = (a: readonly number[], b: readonly number[]) => `${withoutOnes(a)}` === `${withoutOnes(b)}`;
function withoutOnes(shape: readonly number[]): readonly number[] {
  const first = shape.findIndex((length) => length !== 1);
  return first < 0 ? [] : shape.slice(first);
}

/** By the names of safetensors, and by PyTorch's. */
const isFloat = ({ dtype }: StoredTensor) => /^(B?F|b?float)(16|32|64)$/.test(dtype);

interface Misfit {
  readonly spec: ParameterSpec | BufferSpec;
  readonly parts: readonly Named[];
}

interface Misfits {
  readonly missing: readonly string[];
  readonly extra: readonly string[];
  readonly misshapen: readonly Misfit[];
}

function misfit({ file, origin }: Candidate, name: string, { missing, extra, misshapen }: Misfits): UserError {
  const shapes = misshapen.map(
    ({ spec, parts }) =>
      `"${spec.name}" [${spec.shape}], found ${parts.map(({ tensor }) => described(tensor)).join(' and ')}`,
  );
  const sentences = [
    ...(origin ? [` ${origin}`] : []),
    ...(missing.length > 0 ? [` Missing (${missing.length}): expected ${listed(missing, LISTED, '; ')}.`] : []),
    ...(extra.length > 0 ? [` Not of this model (${extra.length}): found ${listed(extra, LISTED, '; ')}.`] : []),
    ...(shapes.length > 0 ? [` Of another shape (${shapes.length}): expected ${listed(shapes, LISTED, '; ')}.`] : []),
  ];
  return new UserError(`${file} does not fit the model "${name}" of the config.${sentences.join('')}`, {
    hint:
      keyHint(misshapen) ??
      formHint(missing, misshapen) ??
      'Set the model’s keys to those of the weights, or take other weights.',
  });
}

/** Keys of the model group that a length of a tensor is. */
const keys: readonly (readonly [parameter: RegExp, dimension: number, key: string])[] = [
  [/^patch_embed\.proj\.weight$/, 0, 'width'],
  [/^patch_embed\.proj\.weight$/, 3, 'patchSize'],
  [/\.word_embeddings\.weight$/, 1, 'width'],
  [/\.word_embeddings\.weight$/, 0, 'vocabulary'],
  [/\.position_embeddings\.weight$/, 0, 'positions'],
];

/** What to set a key to, where that makes the difference. */
function keyHint(misshapen: readonly Misfit[]): string | undefined {
  const settings = keys.flatMap(([parameter, dimension, key]) => {
    const found = misshapen.find(({ spec }) => parameter.test(spec.name));
    const [expected, got] = [found?.spec.shape[dimension], found?.parts[0]?.tensor.shape[dimension]];
    return expected === undefined || got === undefined || expected === got ? [] : [`model.${key} to ${got}`];
  });
  return settings.length > 0 ? `Set ${settings.join(' and ')}, as the weights have it, or take others.` : undefined;
}

/** A ViT without layer scale and with a position for its class token, such as timm's own, fits the form of MAE. */
function formHint(missing: readonly string[], misshapen: readonly Misfit[]): string | undefined {
  const isPlain =
    missing.length > 0 &&
    missing.every((name) => /^"blocks\.\d+\.ls[12]\.gamma"/.test(name)) &&
    misshapen.every(({ spec }) => spec.name === 'pos_embed');
  return isPlain ? 'These look like a plain ViT: set model.form to "mae" and model.pool to "token".' : undefined;
}

const described = (tensor: StoredTensor) => `[${tensor.shape}]${isFloat(tensor) ? '' : ` of ${tensor.dtype}`}`;

/** A file of quite another model differs in hundreds of tensors; the first ones tell which it is. */
const LISTED = 12;
