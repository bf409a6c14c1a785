/** Where a step went wrong whose loss or gradient is not finite: in which branch, and which layer it shows in first. */
import type { Branch } from './methods/method.ts';
import type { Executor, HostBatch, Snapshot, StepReport } from './step/executor.ts';
import type { Problem } from './step/step.ts';

/** A step that has changed nothing, and so can be looked at again. */
export interface BadStep {
  readonly batches: readonly HostBatch[];
  readonly scalars: Readonly<Record<string, number>>;
  readonly report: StepReport;
  /** What it started from, and what the executor holds. */
  readonly snapshot: Snapshot;
}

/** In words: "The <part> at step 7 is not finite: <origin>." */
export interface Explanation {
  readonly part: string;
  readonly origin: string;
}

/**
 * Follows a loss through the forward pass and a gradient through the backward pass. The executor's state is the same afterwards, and
 * the report of the step that is made for it is taken away.
 */
export async function explainNonFinite(executor: Executor, problem: Problem, bad: BadStep): Promise<Explanation> {
  const { what, branch } = nonFinitePart(bad.report, problem);
  const part = `${what} of the ${branch} branch`;
  if (!bad.batches.every(({ input }) => input.kind === 'text' || isFiniteAll(input.values))) {
    return { part, origin: 'the images are not finite themselves' };
  }
  const { logits, terms } = await executor.inspect(bad.batches, bad.scalars);
  await executor.reports();
  const micro = logits.findIndex((of) => !isFiniteAll(of[branch] ?? []));
  if (micro >= 0) {
    const layer = await firstLayerForward(executor, problem, bad.snapshot, bad.batches[micro] as HostBatch, branch);
    return { part, origin: `layer "${layer}" is the first whose output is not` };
  }
  if (what === 'loss') return { part, origin: 'the logits are, so it comes from the loss itself' };
  const gradients = terms[branch];
  const isBad = (names: readonly string[]) => names.some((name) => !isFiniteAll(gradients?.get(name) ?? []));
  const layer = [...layersOf(problem)].findLast(([, names]) => isBad(names))?.[0];
  return {
    part,
    origin: layer
      ? `on the way back, layer "${layer}" is the first whose gradient is not`
      : 'its norm is too large for 32 bits',
  };
}

/** The first loss that is not finite, else the first gradient; a gradient whose parts are all finite counts as the first branch's. */
function nonFinitePart({ loss, grad }: StepReport, { method }: Problem): { what: 'loss' | 'gradient'; branch: Branch } {
  const branches = method.terms.map((term) => term.branch);
  const badLoss = branches.find((branch) => !Number.isFinite(loss.branches[branch]));
  if (badLoss) return { what: 'loss', branch: badLoss };
  const badGradient = branches.find((branch) => !Number.isFinite(grad.branches[branch]));
  return { what: 'gradient', branch: badGradient ?? (branches[0] as Branch) };
}

/**
 * A value that is not finite stays so through every later layer, even one whose weights are all zero. So with zeros in the later
 * layers, the output tells whether the earlier ones are to blame; the first layer with which it is not finite is found by halving.
 */
async function firstLayerForward(
  executor: Executor,
  problem: Problem,
  snapshot: Snapshot,
  { input, draws }: HostBatch,
  branch: Branch,
): Promise<string> {
  const layers = [...layersOf(problem)];
  const isFiniteWith = async (count: number) => {
    const later = new Set(layers.slice(count).flatMap(([, names]) => names));
    const parameters = new Map(
      [...snapshot.parameters].map(([name, values]) => [
        name,
        later.has(name) ? new Float32Array(values.length) : values,
      ]),
    );
    await executor.restore({ ...snapshot, parameters });
    return isFiniteAll(await executor.evaluate(input, draws[branch] ?? {}, 'parameters'));
  };
  let [good, bad] = [0, layers.length];
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    if (await isFiniteWith(middle)) good = middle;
    else bad = middle;
  }
  await executor.restore(snapshot);
  return layers[good]?.[0] ?? '';
}

/** Names of the parameters of each layer, in forward order. */
function layersOf({ model }: Problem): Map<string, string[]> {
  const layers = new Map<string, string[]>();
  for (const { layer, name } of model.parameters) layers.set(layer, [...(layers.get(layer) ?? []), name]);
  return layers;
}

export function isFiniteSnapshot({ parameters, buffers, slots, ema }: Snapshot): boolean {
  return [parameters, buffers, ...slots.values(), ema ?? new Map<string, Float32Array>()].every((values) =>
    [...values.values()].every(isFiniteAll),
  );
}

function isFiniteAll(values: Float32Array | readonly number[]): boolean {
  return values.every(Number.isFinite);
}
