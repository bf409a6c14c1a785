/** Weights to start from: a checkpoint of a run, or what others publish, in their own layout, and a report of what became of it. */
import path from 'node:path';
import type { Config } from '../core/config.ts';
import { UserError } from '../core/errors.ts';
import { listed } from '../core/format.ts';
import type { StoredTensor } from '../core/storedTensor.ts';
import type { Model } from '../engine/models/model.ts';
import { initialValues, sizeOf } from '../engine/parameters.ts';
import { layoutOf } from './layouts/index.ts';
import type { Layout } from './layouts/layout.ts';
import { openWeights } from './weightsFile.ts';
import { type Candidate, type Fit, fitWeights, type Taken } from './weightsFit.ts';

/** Weights of every parameter and buffer in the model's order, what a person should know of them, and what became of the file. */
export interface StartingWeights {
  readonly weights: ReadonlyMap<string, Float32Array>;
  /** The report's sentences, where the file is not simply the model's own weights. */
  readonly warnings: readonly string[];
  readonly report: ImportReport;
}

/** What became of a file of weights. */
export interface ImportReport {
  readonly layout: string;
  /** Parameters and buffers that have their values from the file. */
  readonly matched: number;
  /** Those of them that were fitted to another size, with both sizes. */
  readonly interpolated: readonly string[];
  /** Names in the file that were left out. */
  readonly dropped: readonly string[];
  /** Parameters that start as the seed draws them. */
  readonly initialised: readonly string[];
  /** All that in short. */
  readonly sentences: readonly string[];
}

/**
 * Reads weights to start from: a checkpoint of a run, of which the optimizer and the moving average are left aside, or a state dict in
 * one of the published layouts, from safetensors or PyTorch's own files. Tensors are read one by one. Throws a `UserError` that names every
 * tensor that is missing, of no use, of another shape or not finite.
 */
export async function readWeights(file: string, config: Config, model: Model): Promise<StartingWeights> {
  const opened = await openWeights(file);
  try {
    const candidate = candidateOf(file, opened.tensors, opened.metadata, config.model.name);
    const fit = fitWeights(candidate, config.model, model);
    const values = initialValues({ parameters: fit.drawn, buffers: [] }, config.train.seed);
    for (const taken of fit.taken) values.set(taken.spec.name, await valuesOf(file, taken));
    const weights = new Map<string, Float32Array>();
    for (const { name } of [...model.parameters, ...model.buffers]) weights.set(name, values.get(name) as Float32Array);
    const report = reportOf(candidate, fit, model, opened.notes);
    return { weights, warnings: isPlain(fit, opened.notes) ? [] : report.sentences, report };
  } finally {
    await opened.close();
  }
}

/** Our own names and nothing else: of a run's checkpoint, or where no published layout is recognised. */
const own: Omit<Layout, 'model'> = {
  title: 'MaskSub',
  describes: () => true,
  rules: [
    { from: /^(?:optimizer|ema)\./, drop: 'the optimizer and the moving average', buffer: true },
    { from: /\.num_batches_tracked$/, drop: 'counts of steps', buffer: true },
    { from: /^(.*)$/, to: '$1' },
  ],
  mayLack: /^mask_token$/,
};

function candidateOf(
  file: string,
  stored: ReadonlyMap<string, StoredTensor>,
  metadata: Readonly<Record<string, string>>,
  name: Config['model']['name'],
): Candidate {
  const tensors = withoutWrappers(stored);
  const madeFor = metadata.model;
  const isCheckpoint = metadata.progress !== undefined;
  const layout = isCheckpoint ? undefined : layoutOf(new Map([...tensors].map(([name, { shape }]) => [name, shape])));
  if (layout) {
    const origin = `It is laid out as ${layout.title}.`;
    if (layout.model === name) return { file, tensors, layout, adaptable: true, origin };
    throw new UserError(`${file} does not fit the model "${name}" of the config. ${origin}`, {
      hint: `Set model.name to "${layout.model}", or take other weights.`,
    });
  }
  const ofOther = madeFor !== undefined && madeFor !== name ? `It is of the model "${madeFor}".` : '';
  const origin = isCheckpoint ? ofOther : 'It is in none of the layouts that are known.';
  return { file, tensors, layout: { ...own, model: name }, adaptable: isCheckpoint, origin };
}

/** The names without what PyTorch puts before all of them where a model is trained on several devices or compiled. */
function withoutWrappers(tensors: ReadonlyMap<string, StoredTensor>): ReadonlyMap<string, StoredTensor> {
  const wrapper = /^(?:module\.|_orig_mod\.)+/;
  if (![...tensors.keys()].every((name) => wrapper.test(name))) return tensors;
  return new Map([...tensors].map(([name, tensor]) => [name.replace(wrapper, ''), tensor]));
}

async function valuesOf(file: string, { spec, sources, adaptation }: Taken): Promise<Float32Array> {
  const [first, ...others] = sources;
  if (!first) throw new Error(`Nothing is taken for ${spec.name}.`);
  let values = await finite(file, first.name, first.tensor);
  if (others.length > 0) {
    const all = new Float32Array(values.length * sources.length);
    all.set(values);
    for (const [i, { name, tensor }] of others.entries())
      all.set(await finite(file, name, tensor), (i + 1) * values.length);
    values = all;
  }
  if (adaptation) values = adaptation.apply(values);
  if (values.length !== sizeOf(spec)) throw new Error(`${spec.name} has ${values.length} values.`);
  return values;
}

async function finite(file: string, name: string, tensor: StoredTensor): Promise<Float32Array> {
  const values = await tensor.read();
  for (let at = 0; at < values.length; at++) {
    if (Number.isFinite(values[at])) continue;
    throw new UserError(`${file}: tensor "${name}" holds ${values[at]} at position ${at}.`, {
      hint: 'Take a checkpoint from before the weights went bad.',
    });
  }
  return values;
}

/** The model's own weights, under its own names. */
function isPlain({ taken, drawn, dropsWeights, otherClasses }: Fit, notes: readonly string[]): boolean {
  const asIs = taken.every(
    ({ spec, sources, adaptation }) => !adaptation && sources.length === 1 && sources[0]?.name === spec.name,
  );
  return asIs && !dropsWeights && drawn.length === 0 && otherClasses === undefined && notes.length === 0;
}

function reportOf({ file, layout }: Candidate, fit: Fit, model: Model, notes: readonly string[]): ImportReport {
  const { taken, drawn, dropped, otherClasses } = fit;
  const interpolated = taken.flatMap(({ spec, adaptation }) => (adaptation ? `${spec.name}: ${adaptation.what}` : []));
  const initialised = drawn.map(({ name }) => name);
  const renamed = taken.filter(({ spec, sources }) => sources.some(({ name }) => name !== spec.name)).length;
  const all = model.parameters.length + model.buffers.length;
  const groups = [...dropped].map(([what, names]) => `${what} (${names.length})`);
  const classes = otherClasses === undefined ? '' : `; the file tells ${otherClasses} classes apart`;
  const from = `Weights from ${path.basename(file)}, laid out as ${layout.title}`;
  return {
    layout: layout.title,
    matched: taken.length,
    interpolated,
    dropped: [...dropped.values()].flat(),
    initialised,
    sentences: [
      ...notes,
      `${from}: ${taken.length} of ${all} tensors taken${renamed > 0 ? `, ${renamed} under another name` : ''}.`,
      ...(interpolated.length > 0
        ? [`Fitted to another size (${interpolated.length}): ${listed(interpolated, LISTED)}.`]
        : []),
      ...(groups.length > 0 ? [`Left out: ${groups.join(', ')}.`] : []),
      ...(initialised.length > 0
        ? [`Start as drawn (${initialised.length}): ${listed(initialised, LISTED)}${classes}.`]
        : []),
    ],
  };
}

const LISTED = 4;
