/** Training cases: three steps of a tiny model, compared number by number. */
import { UserError } from '../../core/errors.ts';
import { methods } from '../../engine/methods/index.ts';
import type { Branch } from '../../engine/methods/method.ts';
import type { Model } from '../../engine/models/model.ts';
import { vit } from '../../engine/models/vit.ts';
import { criteria } from '../../engine/ops/losses.ts';
import { optimizers } from '../../engine/optim/index.ts';
import { groupParameters } from '../../engine/parameters.ts';
import type { HostBatch, HostDraws, HostImages, Inspection, StepReport } from '../../engine/step/executor.ts';
import type { Problem } from '../../engine/step/step.ts';
import type { Surroundings } from '../../engine/train.ts';
import type { TensorFile } from '../../store/safetensors.ts';
import { type Comparison, fingerprint, maxAbs } from './comparison.ts';
import { optimizerOf } from './optimizer.ts';
import { floatsOf, numbersOf, type Oracle, type OracleCase, type OracleIndex, shapeOf } from './oracle.ts';

type OracleModel = OracleIndex['models'][string];
type Values = ReadonlyMap<string, Float32Array>;

/** Why this build cannot run a case, or nothing. */
export function unsupportedCase(index: OracleIndex, testCase: OracleCase): string | undefined {
  const kind = index.models[testCase.model]?.config.kind ?? 'unknown';
  if (!Object.hasOwn(modelKinds, kind)) return `this build has no ${kind} model`;
  if (!Object.hasOwn(methods, testCase.method)) return `this build has no method ${testCase.method}`;
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
  const problem = problemOf(oracleModel, testCase);
  const initial: Values = new Map(problem.model.parameters.map(({ name }) => [name, floatsOf(modelTensors, name)]));
  const { executor } = await executorFor(problem, initial);
  try {
    for (let step = 0; step < testCase.steps; step++) {
      const batches = Array.from({ length: testCase.accum }, (_, micro) => batchOf(testCase, tensors, step, micro));
      const scalars = problem.optimizer.scalars(step + 1, testCase.lr[step] as number);
      const inspection = await executor.inspect(batches, scalars);
      compareLogits(tensors, inspection, step, comparison);
      if (step === 0) compareGradients(oracleModel, tensors, inspection, comparison);
      const [report] = await executor.reports();
      compareReport(testCase, report, step, comparison);
    }
    const { parameters, ema } = await executor.snapshot();
    const images = imagesOf(tensors, 'm0.x');
    comparison.array(
      'eval.logits',
      await executor.evaluate(images, {}, 'parameters'),
      ...logitsAllowance(tensors, 'eval.logits'),
    );
    compareDeltas('delta.fp', oracleModel, tensors, initial, parameters, comparison);
    compareFull('final.full/', tensors, parameters, comparison);
    if (ema) {
      comparison.array(
        'ema_eval.logits',
        await executor.evaluate(images, {}, 'ema'),
        ...logitsAllowance(tensors, 'ema_eval.logits'),
      );
      compareDeltas('ema_delta.fp', oracleModel, tensors, initial, ema, comparison);
      compareFull('ema.full/', tensors, ema, comparison);
    }
  } finally {
    await executor.dispose();
  }
}

/** Models of the reference by kind. Their drop-path draws are given, so no rate is set here. */
const modelKinds = { vit: vitOf('deit3'), mae: vitOf('mae') } as const;

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
      init: 'truncated-normal',
    });
}

function problemOf(oracleModel: OracleModel, testCase: OracleCase): Problem {
  const model = modelKinds[oracleModel.config.kind as keyof typeof modelKinds](oracleModel.config);
  const unknown = oracleModel.param_order.filter((name) => !model.parameters.some((spec) => spec.name === name));
  if (unknown.length > 0) throw new UserError(`The model has no parameter "${unknown[0]}" of the reference.`);
  const optimizer = optimizerOf(testCase);
  return {
    model,
    method: methods[testCase.method as keyof typeof methods],
    criterion: criteria[testCase.loss],
    optimizer,
    groups: groupParameters(model.parameters, {
      depth: model.depth,
      layerDecay: testCase.layer_decay ?? 1,
      separate: optimizer.separate,
    }),
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
    draws[branch] = {
      ...(keep ? { keep: { indices: Int32Array.from(keep.data), kept: keep.shape[1] as number } } : {}),
      ...(drop ? { drop } : {}),
    };
  }
  return { images: imagesOf(tensors, `m${micro}.x`), target: floatsOf(tensors, `${at}.target`), draws };
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

/** U8 (B, C, H, W) → (x − 128) / 64 as (B, H, W, C). */
function imagesOf(tensors: TensorFile, name: string): HostImages {
  const pixels = numbersOf(tensors, name);
  const [batch, channels, height, width] = shapeOf(tensors, name) as [number, number, number, number];
  const values = new Float32Array(pixels.length);
  let at = 0;
  for (let b = 0; b < batch; b++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        for (let c = 0; c < channels; c++) {
          values[at++] = ((pixels[((b * channels + c) * height + y) * width + x] as number) - 128) / 64;
        }
      }
    }
  }
  return { values, shape: [batch, height, width, channels] };
}

/** Expected logits with what is allowed: 1e-4 · max(1, largest). */
function logitsAllowance(tensors: TensorFile, name: string): [Float32Array, number] {
  const expected = floatsOf(tensors, name);
  return [expected, 1e-4 * Math.max(1, maxAbs(expected))];
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
  comparison: Comparison,
): void {
  const fingerprints: [string, Values][] = [['grads.fp', inspection.total]];
  if (inspection.terms.main && tensors.has('grads_main.fp'))
    fingerprints.push(['grads_main.fp', inspection.terms.main]);
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
    const expected = micro.reduce((sum, losses) => sum + (losses[i] as number), 0) / micro.length;
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
