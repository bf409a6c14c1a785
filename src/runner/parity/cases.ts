/** Training cases: three steps of a tiny model, compared number by number. */
import { UserError } from '../../core/errors.ts';
import { methods } from '../../engine/methods/index.ts';
import type { Branch, Method, MethodOptions } from '../../engine/methods/method.ts';
import { bert } from '../../engine/models/bert.ts';
import type { Model } from '../../engine/models/model.ts';
import { resnet } from '../../engine/models/resnet.ts';
import { swin } from '../../engine/models/swin.ts';
import { vit } from '../../engine/models/vit.ts';
import { criteria } from '../../engine/ops/losses.ts';
import { optimizers } from '../../engine/optim/index.ts';
import { groupBuffers, groupParameters } from '../../engine/parameters.ts';
import type { HostBatch, HostDraws, HostModelInput, Inspection, StepReport } from '../../engine/step/executor.ts';
import { type Problem, stepScalars } from '../../engine/step/step.ts';
import type { Surroundings } from '../../engine/train.ts';
import type { TensorFile } from '../../store/safetensors.ts';
import { type Comparison, fingerprint, maxAbs } from './comparison.ts';
import { optimizerOf } from './optimizer.ts';
import { floatsOf, imagesOf, numbersOf, type Oracle, type OracleCase, type OracleIndex, shapeOf } from './oracle.ts';

type OracleModel = OracleIndex['models'][string];
type Values = ReadonlyMap<string, Float32Array>;

/** Why this build cannot run a case, or nothing. */
export function unsupportedCase(index: OracleIndex, testCase: OracleCase): string | undefined {
  const kind = index.models[testCase.model]?.config.kind ?? 'unknown';
  if (!Object.hasOwn(modelKinds, kind)) return `this build has no ${kind} model`;
  if (!Object.hasOwn(methodKinds, testCase.method)) return `this build has no method ${testCase.method}`;
  if (!Object.hasOwn(optimizers, testCase.opt)) return `this build has no optimizer ${testCase.opt}`;
  return undefined;
}

export async function checkCase(
  oracle: Oracle,
  testCase: OracleCase,
  executorFor: Surroundings['executorFor'],
  comparison: Comparison,
): Promise<void> {
  const oracleModel = oracle.index.models[testCase.model] as OracleModel;
  const tensors = oracle.tensors(testCase.file);
  const modelTensors = oracle.tensors(oracleModel.file);
  const problem = problemOf(oracleModel, modelTensors, testCase);
  const { model } = problem;
  const initial: Values = new Map(
    [...model.parameters, ...model.buffers].map(({ name }) => [name, floatsOf(modelTensors, name)]),
  );
  const { executor } = await executorFor(problem, initial);
  try {
    for (let step = 0; step < testCase.steps; step++) {
      const batches = Array.from({ length: testCase.accum }, (_, micro) => batchOf(testCase, tensors, step, micro));
      const scalars = stepScalars(problem, step + 1, testCase.lr[step] as number, SUB_WEIGHT);
      const inspection = await executor.inspect(batches, scalars);
      compareLogits(tensors, inspection, step, comparison);
      if (step === 0) compareGradients(oracleModel, tensors, inspection, mainWeight(problem.method), comparison);
      const [report] = await executor.reports();
      compareReport(testCase, report, step, comparison);
    }
    const { parameters, buffers, ema } = await executor.snapshot();
    const input = inputOf(tensors, 0);
    comparison.array(
      'eval.logits',
      await executor.evaluate(input, {}, 'parameters'),
      ...logitsAllowance(tensors, 'eval.logits'),
    );
    compareDeltas('delta.fp', oracleModel, tensors, initial, parameters, comparison);
    compareFull('final.full/', tensors, new Map([...parameters, ...buffers]), comparison);
    if (ema) {
      comparison.array(
        'ema_eval.logits',
        await executor.evaluate(input, {}, 'ema'),
        ...logitsAllowance(tensors, 'ema_eval.logits'),
      );
      compareDeltas('ema_delta.fp', oracleModel, tensors, initial, ema, comparison);
      compareFull('ema.full/', tensors, ema, comparison);
    }
  } finally {
    await executor.dispose();
  }
}

/** Of every case, as in the paper. */
const SUB_WEIGHT = 0.5;

const paper: MethodOptions = {
  dropRate: 0, // the draws are given
  target: 'soft',
  temperature: 1,
  stopGradient: true,
  cleanView: true,
};

/** Methods of the reference by its names for them. */
const methodKinds = {
  baseline: methods.baseline,
  masksub: () => methods.masksub(paper),
  masksub_nostop: () => methods.masksub({ ...paper, stopGradient: false }),
  dropsub: () => methods.dropsub(paper),
  pathsub: () => methods.pathsub(paper),
  cosub: methods.cosub,
  hardmask_single: () => methods['direct-mask']({ ...paper, cleanView: false }),
  hardmask_dual: () => methods['direct-mask'](paper),
} as const satisfies Record<string, () => Method>;

/** Models of the reference by kind. Their drop-path draws are given, so no rate is set here. */
const modelKinds: Readonly<
  Record<string, (config: Readonly<Record<string, unknown>>, tensors: TensorFile, testCase: OracleCase) => Model>
> = {
  vit: vitOf('deit3'),
  mae: vitOf('mae'),
  swin: (config) =>
    swin({
      imageSize: Number(config.img_size),
      channels: 3,
      classes: Number(config.num_classes),
      patchSize: Number(config.patch_size),
      width: Number(config.embed_dim),
      blocks: numbers(config.depths),
      heads: numbers(config.num_heads),
      window: Number(config.window_size),
      mlpRatio: Number(config.mlp_ratio),
      maskPatch: Number(config.mask_patch),
      dropPath: 0,
    }),
  resnet: (config, tensors) =>
    resnet({
      imageSize: Number(config.img_size),
      channels: 3,
      classes: Number(config.num_classes),
      blocks: numbers(config.layers),
      widths: numbers(config.channels),
      stem: tensors.get('conv1.weight')?.shape[0] ?? 0,
      maskPatch: Number(config.mask_patch),
      dropPath: 0,
    }),
  bert: (config, _tensors, { bert_mask: masking }) =>
    bert({
      classes: Number(config.num_classes),
      vocabulary: Number(config.vocab_size),
      positions: Number(config.max_pos),
      segments: 2,
      length: Number(config.seq_len),
      width: Number(config.hidden),
      depth: Number(config.layers),
      heads: Number(config.heads),
      hidden: Number(config.intermediate),
      dropout: 0,
      masking: masking ?? 'remove',
    }),
};

const numbers = (value: unknown) => (value as readonly unknown[]).map(Number);

function vitOf(form: 'deit3' | 'mae') {
  return (config: Readonly<Record<string, unknown>>): Model =>
    vit({
      form,
      imageSize: Number(config.img_size),
      patchSize: Number(config.patch_size),
      channels: 3,
      classes: Number(config.num_classes),
      width: Number(config.embed_dim),
      depth: Number(config.depth),
      heads: Number(config.num_heads),
      mlpRatio: Number(config.mlp_ratio),
      pool: form === 'mae' ? 'mean' : 'token',
      layerScale: form === 'mae' ? 0 : 1e-4,
      dropPath: 0,
      dropout: 0,
      init: 'truncated-normal',
    });
}

function problemOf(oracleModel: OracleModel, tensors: TensorFile, testCase: OracleCase): Problem {
  const build = modelKinds[oracleModel.config.kind];
  if (!build) throw new UserError(`This build has no ${oracleModel.config.kind} model.`);
  const model = build(oracleModel.config, tensors, testCase);
  const unknown = oracleModel.param_order.filter((name) => !model.parameters.some((spec) => spec.name === name));
  if (unknown.length > 0) throw new UserError(`The model has no parameter "${unknown[0]}" of the reference.`);
  const optimizer = optimizerOf(testCase);
  return {
    model,
    method: methodKinds[testCase.method as keyof typeof methodKinds](),
    criterion: criteria[testCase.loss],
    optimizer,
    groups: groupParameters(model.parameters, {
      depth: model.depth,
      layerDecay: testCase.layer_decay ?? 1,
      separate: optimizer.separate,
    }),
    bufferGroups: groupBuffers(model.buffers),
    clipNorm: testCase.clip,
    ema: testCase.ema_decay,
  };
}

function batchOf(testCase: OracleCase, tensors: TensorFile, step: number, micro: number): HostBatch {
  const at = `s${step}.m${micro}`;
  const draws: Partial<Record<Branch, HostDraws>> = {};
  for (const branch of ['main', 'sub'] as const) {
    const drop = dropOf(testCase, tensors, at, branch);
    const keep = branch === 'sub' ? tensors.get(`${at}.keep_ids`) : undefined;
    const hidden = branch === 'sub' ? tensors.get(`${at}.patch_mask`) : undefined;
    const replaced = branch === 'sub' ? tensors.get(`${at}.replaced_ids`) : undefined;
    draws[branch] = {
      ...(keep ? { keep: { indices: Int32Array.from(keep.data), kept: keep.shape[1] as number } } : {}),
      ...(hidden ? { hidden: Float32Array.from(hidden.data) } : {}),
      ...(replaced ? { ids: Int32Array.from(replaced.data) } : {}),
      ...(drop ? { drop } : {}),
    };
  }
  return { input: inputOf(tensors, micro), target: floatsOf(tensors, `${at}.target`), draws };
}

/** Stored drop-path masks, divided by their keep probability. */
function dropOf(testCase: OracleCase, tensors: TensorFile, at: string, branch: Branch): HostDraws['drop'] {
  const prefix = `${at}.${branch}.drop.`;
  const sites = [...tensors.keys()].filter((name) => name.startsWith(prefix));
  if (sites.length === 0) return undefined;
  return Object.fromEntries(
    sites.map((name) => {
      const site = name.slice(prefix.length);
      const keep = testCase.keep_prob?.[branch]?.[site];
      if (keep === undefined) throw new UserError(`The reference lacks keep_prob of ${branch} ${site}.`);
      return [site, floatsOf(tensors, name).map((kept) => kept / keep)];
    }),
  );
}

function inputOf(tensors: TensorFile, micro: number): HostModelInput {
  const ids = `m${micro}.input_ids`;
  if (!tensors.has(ids)) return imagesOf(tensors, `m${micro}.x`);
  const integers = (name: string) => Int32Array.from(numbersOf(tensors, name));
  const [batch, length] = shapeOf(tensors, ids) as [number, number];
  return {
    kind: 'text',
    ids: integers(ids),
    types: integers(`m${micro}.token_type_ids`),
    present: floatsOf(tensors, `m${micro}.attention_mask`),
    shape: [batch, length],
  };
}

/** Expected logits with what is allowed: 1e-4 · max(1, largest). */
function logitsAllowance(tensors: TensorFile, name: string): [Float32Array, number] {
  const expected = floatsOf(tensors, name);
  return [expected, 1e-4 * Math.max(1, maxAbs(expected))];
}

/** With which the main term goes into the reference's losses. */
function mainWeight({ terms }: Method): number {
  return terms.find(({ branch }) => branch === 'main')?.weight(SUB_WEIGHT) ?? 0;
}

function compareLogits(tensors: TensorFile, inspection: Inspection, step: number, comparison: Comparison): void {
  inspection.logits.forEach((branches, micro) => {
    for (const [branch, logits] of Object.entries(branches)) {
      const name = `s${step}.m${micro}.${branch}.logits`;
      comparison.array(name, logits, ...logitsAllowance(tensors, name));
    }
  });
}

function compareGradients(
  oracleModel: OracleModel,
  tensors: TensorFile,
  inspection: Inspection,
  weight: number,
  comparison: Comparison,
): void {
  const fingerprints: [string, Values][] = [['grads.fp', inspection.total]];
  const { main } = inspection.terms;
  if (main && tensors.has('grads_main.fp')) {
    const weighted = [...main].map(([name, gradient]) => [name, gradient.map((x) => weight * x)] as const);
    fingerprints.push(['grads_main.fp', new Map(weighted)]);
  }
  for (const [name, gradients] of fingerprints) {
    const rows = rowsOf(tensors, name, oracleModel);
    const largest = Math.max(...rows.map((row) => row[0] as number));
    oracleModel.param_order.forEach((parameter, i) => {
      const row = rows[i] as Float32Array;
      const allowed = 1e-4 * Math.max(row[0] as number, 0.01 * largest);
      comparison.array(`${name} of ${parameter}`, fingerprint(gradients.get(parameter) ?? []), row, allowed);
    });
  }
  const norms = [...inspection.total.values()].map((values) => fingerprint(values)[0]);
  for (const name of tensors.keys()) {
    if (!name.startsWith('grads.full/')) continue;
    const expected = floatsOf(tensors, name);
    const allowed = 1e-4 * Math.max(fingerprint(expected)[0], 0.01 * Math.max(...norms));
    comparison.array(name, inspection.total.get(name.slice('grads.full/'.length)) ?? [], expected, allowed);
  }
}

function compareReport(
  testCase: OracleCase,
  report: StepReport | undefined,
  step: number,
  comparison: Comparison,
): void {
  const micro = testCase.losses[step] as number[][];
  testCase.loss_terms.forEach((term, i) => {
    // What a branch of CoSub learns from the labels and from the other one is one loss here, their mean.
    if (term.includes('<-')) return;
    const together = [i, testCase.loss_terms.findIndex((other) => other.startsWith(`${term}<-`))].filter((k) => k >= 0);
    const sums = micro.map((losses) => together.reduce((sum, k) => sum + (losses[k] as number), 0) / together.length);
    const expected = sums.reduce((sum, loss) => sum + loss, 0) / micro.length;
    const got = term === 'total' ? report?.loss.total : report?.loss.branches[term as Branch];
    comparison.number(`losses[${step}] ${term}`, got ?? Number.NaN, expected, 1e-5 * Math.max(1, Math.abs(expected)));
  });
  const norm = testCase.grad_norm[step] as number;
  comparison.number(`grad_norm[${step}]`, report?.grad.total ?? Number.NaN, norm, 1e-4 * norm);
}

function compareDeltas(
  name: string,
  oracleModel: OracleModel,
  tensors: TensorFile,
  initial: Values,
  final: Values,
  comparison: Comparison,
): void {
  const rows = rowsOf(tensors, name, oracleModel);
  const largest = Math.max(...rows.map((row) => row[0] as number));
  oracleModel.param_order.forEach((parameter, i) => {
    const [before, after] = [initial.get(parameter) ?? [], final.get(parameter) ?? []];
    const delta = Float64Array.from(after, (value, k) => value - (before[k] as number));
    const row = rows[i] as Float32Array;
    const allowed = 1e-3 * Math.max(row[0] as number, 0.01 * largest) + 5e-7 * (oracleModel.param_norm[i] as number);
    comparison.array(`${name} of ${parameter}`, fingerprint(delta), row, allowed);
  });
}

function compareFull(prefix: string, tensors: TensorFile, values: Values, comparison: Comparison): void {
  for (const name of tensors.keys()) {
    if (!name.startsWith(prefix)) continue;
    const expected = floatsOf(tensors, name);
    comparison.array(
      name,
      values.get(name.slice(prefix.length)) ?? [],
      expected,
      1e-4 * Math.max(0.1, maxAbs(expected)),
    );
  }
}

/** The rows of a fingerprint tensor, one for each parameter in the reference's order. */
function rowsOf(tensors: TensorFile, name: string, { param_order }: OracleModel): Float32Array[] {
  const values = floatsOf(tensors, name);
  return param_order.map((_, i) => values.subarray(3 * i, 3 * i + 3));
}
