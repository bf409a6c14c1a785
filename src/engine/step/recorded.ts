/**
 * The recorded executor: the whole step as one graph. The step is recorded once for each form of its inputs and from then on run with one
 * call; parameters, optimizer slots and moving average are variables of the session and leave it only for a snapshot.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { Branch } from '../methods/method.ts';
import type { StepScalars } from '../optim/optimizer.ts';
import { type ParameterGroup, unpackValues } from '../parameters.ts';
import type { Executor, HostBatch, HostDraws, HostModelInput, Inspection, StepLogits, StepReport } from './executor.ts';
import type { Feed, GraphRuntime, GraphSession } from './graphRuntime.ts';
import { batchTensors, drawTensors, type HostInput, inputTensors, type MakeTensor, scalarTensors } from './inputs.ts';
import { isOutOfMemory } from './memoryNeed.ts';
import { type Compiled, compileGraph } from './recorded/compile.ts';
import type { Node, Value } from './recorded/graph.ts';
import { RecordingError, record, type Trace } from './recorded/trace.ts';
import { readState, type Variable, variableGraph, variablesOf, writeState } from './recorded/variables.ts';
import { type ReportSource, reportOf, reportTensor } from './report.ts';
import { attentionOf, evaluateModel, type Problem, type StepOutcome, type TrainState, trainStep } from './step.ts';

/** Recordings that a session holds before it is opened anew: a graph never shrinks. */
const MOST_RECORDINGS = 24;

/** A computation of the session, with the names of its placeholders. */
interface Recording extends Compiled {
  readonly prefix: string;
}

/** An executor for `problem` that starts from `initial`; optimizer slots are zero and the moving average starts there too. */
export async function recordedExecutor(
  problem: Problem,
  initial: ReadonlyMap<string, Float32Array>,
  runtime: GraphRuntime,
  precision: 'float32' | 'bfloat16' = 'float32',
): Promise<Executor> {
  const { groups, bufferGroups, method } = problem;
  const variables = variablesOf(problem);
  const stateBytes = variables.reduce((sum, { group }) => sum + group.size * Float32Array.BYTES_PER_ELEMENT, 0);
  let session = openSession(runtime, variables);
  let recordings = new Map<string, Recording>();
  const proven = new Set<string>(); // prefixes of recordings that have run
  let pending: ReportSource[] = [];
  await writeState(session, variables, { parameters: initial, buffers: initial, slots: new Map(), ema: initial });

  /** The recording for inputs of this form, made where there is none yet. */
  async function recordingFor(
    kind: string,
    inputs: readonly HostInput[],
    compute: (trace: Trace, make: MakeTensor) => Recorded,
  ): Promise<Recording> {
    const key = [kind, ...inputs.map(({ name, shape }) => `${name} ${shape}`)].join('|');
    const known = recordings.get(key);
    if (known) return known;
    if (recordings.size >= MOST_RECORDINGS) await reopen();
    const prefix = `${kind}${recordings.size}/`;
    try {
      const compiled = compileRecording(runtime, prefix, precision, compute);
      session.extend(compiled.bytes);
      const recording = { ...compiled, prefix };
      recordings.set(key, recording);
      return recording;
    } catch (cause) {
      if (cause instanceof RecordingError) throw cause;
      throw new RecordingError(`TensorFlow refuses it: ${(cause as Error).message}`, { cause });
    }
  }

  async function reopen(): Promise<void> {
    const snapshot = await readState(session, variables, problem);
    session.close();
    session = openSession(runtime, variables);
    recordings = new Map();
    proven.clear();
    await writeState(session, variables, snapshot);
  }

  async function run({ prefix, fetches, target }: Recording, inputs: readonly HostInput[]) {
    const feeds = inputs.map(({ name, ...input }): Feed => ({ ...input, node: `${prefix}${name}` }));
    const values = await session.run(feeds, [...fetches.values()], target ? [target] : []).catch((cause: Error) => {
      // Kernels are made before the first op runs: what TensorFlow refuses then has changed nothing.
      if (proven.has(prefix) || isOutOfMemory(cause)) throw cause;
      throw new RecordingError(`TensorFlow refuses it: ${cause.message}`, { cause });
    });
    proven.add(prefix);
    return new Map([...fetches.keys()].map((name, i) => [name, values[i] as Float32Array]));
  }

  async function stepRecording(batches: readonly HostBatch[], scalars: StepScalars, inspected: boolean) {
    const inputs = collectInputs((make) => {
      batchTensors(batches, make);
      scalarTensors(scalars, make);
    });
    const recording = await recordingFor(inspected ? 'inspect' : 'train', inputs, (trace, make) =>
      recordStep(problem, trace, make, batches, scalars, inspected),
    );
    return { inputs, recording };
  }

  async function step(batches: readonly HostBatch[], scalars: StepScalars, inspected: boolean) {
    const { inputs, recording } = await stepRecording(batches, scalars, inspected);
    const results = await run(recording, inputs);
    pending.push({ numbers: results.get('report') as Float32Array, batches: batches.length, scalars });
    return results;
  }

  const logitsOf = (results: ReadonlyMap<string, Float32Array>, batches: number): StepLogits =>
    Array.from({ length: batches }, (_, i) =>
      Object.fromEntries(method.terms.map(({ branch }) => [branch, results.get(logitsName(i, branch))])),
    );

  return {
    name: 'recorded',
    async step(batches, scalars) {
      await step(batches, scalars, false);
    },
    async observe(batches, scalars): Promise<StepLogits> {
      return logitsOf(await step(batches, scalars, false), batches.length);
    },
    async inspect(batches, scalars): Promise<Inspection> {
      const results = await step(batches, scalars, true);
      const byName = (prefix: string) =>
        unpackValues(
          groups,
          groups.map((_, g) => results.get(`${prefix}/${g}`) as Float32Array),
        );
      return {
        terms: Object.fromEntries(method.terms.map(({ branch }) => [branch, byName(branch)])),
        total: byName('total'),
        logits: logitsOf(results, batches.length),
      };
    },
    async memoryOf(batches, scalars) {
      const { recording } = await stepRecording(batches, scalars, false);
      return recording.peakBytes + stateBytes;
    },
    async reports(): Promise<StepReport[]> {
      const reports = pending.map((source) => reportOf(problem, source));
      pending = [];
      return reports;
    },
    async evaluate(input: HostModelInput, draws: HostDraws, weights: 'parameters' | 'ema'): Promise<Float32Array> {
      const inputs = collectInputs((make) => {
        inputTensors(input, make);
        drawTensors(draws, input.shape[0], make, 'draws/');
      });
      const from = weights === 'ema' && problem.ema !== undefined ? 'ema' : 'parameters';
      const recording = await recordingFor(`evaluate-${from}`, inputs, (trace, make) => {
        const flats =
          from === 'ema'
            ? valuesOf(trace, 'ema', [...groups, ...bufferGroups])
            : [...valuesOf(trace, 'parameters', groups), ...valuesOf(trace, 'buffers', bufferGroups)];
        const drawn = drawTensors(draws, input.shape[0], make, 'draws/');
        const logits = evaluateModel(problem, flats, inputTensors(input, make), drawn);
        return { results: new Map([['logits', logits]]), updates: new Map() };
      });
      return (await run(recording, inputs)).get('logits') as Float32Array;
    },
    async attention(input): Promise<Float32Array | undefined> {
      if (!problem.model.attention) return undefined;
      const inputs = collectInputs((make) => inputTensors(input, make));
      const recording = await recordingFor('attention', inputs, (trace, make) => {
        const shown = attentionOf(problem, valuesOf(trace, 'parameters', groups), inputTensors(input, make));
        return { results: new Map(shown ? [['attention', shown]] : []), updates: new Map() };
      });
      return (await run(recording, inputs)).get('attention');
    },
    snapshot: () => readState(session, variables, problem),
    restore: (snapshot) => writeState(session, variables, snapshot),
    async dispose() {
      session.close();
      pending = [];
    },
    notices: () => [],
  };
}

/** What the variables of a kind hold, a flat tensor for each group. */
function valuesOf(trace: Trace, kind: string, groups: readonly ParameterGroup[]): tf.Tensor1D[] {
  return groups.map(({ size }, g) => trace.variable(`${kind}.${g}`, [size]) as tf.Tensor1D);
}

interface Recorded {
  readonly results: ReadonlyMap<string, tf.Tensor>;
  /** New values by variable. */
  readonly updates: ReadonlyMap<string, tf.Tensor>;
}

function compileRecording(
  runtime: GraphRuntime,
  prefix: string,
  precision: 'float32' | 'bfloat16',
  compute: (trace: Trace, make: MakeTensor) => Recorded,
): Compiled {
  const { infer, close } = runtime.inference();
  try {
    const { nodes, result } = record(prefix, infer, (trace) =>
      tf.tidy(() => {
        const { results, updates } = compute(trace, ({ name, dtype, shape }) => trace.placeholder(name, dtype, shape));
        const recordedOf = (tensors: ReadonlyMap<string, tf.Tensor>) =>
          new Map([...tensors].map(([name, tensor]): [string, Value] => [name, trace.valueOf(tensor)]));
        return { results: recordedOf(results), updates: recordedOf(updates) } as never;
      }),
    ) as { nodes: Node[]; result: { results: Map<string, Value>; updates: Map<string, Value> } };
    return compileGraph(prefix, { nodes, ...result }, { precision, fused: runtime.fused });
  } finally {
    close();
  }
}

function recordStep(
  problem: Problem,
  trace: Trace,
  make: MakeTensor,
  batches: readonly HostBatch[],
  scalars: StepScalars,
  inspected: boolean,
): Recorded {
  const { groups, bufferGroups, optimizer, method, ema } = problem;
  const slots = optimizer.slots.map((slot) => valuesOf(trace, `optimizer.${slot}`, groups));
  const state: TrainState = {
    parameters: valuesOf(trace, 'parameters', groups),
    slots: groups.map((_, g) => slots.map((slot) => slot[g] as tf.Tensor1D)),
    buffers: valuesOf(trace, 'buffers', bufferGroups),
    ema: ema === undefined ? undefined : valuesOf(trace, 'ema', [...groups, ...bufferGroups]),
  };
  const tensors = batchTensors(batches, make);
  const { state: next, outcome } = trainStep(problem, state, tensors, scalarTensors(scalars, make), trace.nextPhase);
  const updates = new Map<string, tf.Tensor>();
  groups.forEach((_, g) => {
    updates.set(`parameters.${g}`, next.parameters[g] as tf.Tensor);
    optimizer.slots.forEach((slot, s) => {
      updates.set(`optimizer.${slot}.${g}`, next.slots[g]?.[s] as tf.Tensor);
    });
  });
  for (const [g, buffers] of next.buffers.entries()) updates.set(`buffers.${g}`, buffers);
  for (const [g, average] of (next.ema ?? []).entries()) updates.set(`ema.${g}`, average);
  const results = new Map<string, tf.Tensor>([['report', reportTensor(outcome, tensors)]]);
  outcome.batches.forEach(({ logits }, i) => {
    for (const { branch } of method.terms) results.set(logitsName(i, branch), logits[branch] as tf.Tensor);
  });
  if (inspected) addGradients(results, outcome);
  return { results, updates };
}

function addGradients(results: Map<string, tf.Tensor>, outcome: StepOutcome): void {
  outcome.total.forEach((gradient, g) => {
    results.set(`total/${g}`, gradient);
    for (const term of outcome.terms) results.set(`${term.branch}/${g}`, term.gradient[g] as tf.Tensor);
  });
}

const logitsName = (batch: number, branch: Branch) => `${batch}/${branch}`;

/** What a step is fed, in the order in which its tensors are made. */
function collectInputs(build: (make: MakeTensor) => void): HostInput[] {
  const inputs: HostInput[] = [];
  build((input) => {
    inputs.push(input);
    return undefined as unknown as tf.Tensor;
  });
  return inputs;
}

function openSession(runtime: GraphRuntime, variables: readonly Variable[]): GraphSession {
  const session = runtime.open();
  session.extend(variableGraph(variables));
  return session;
}
