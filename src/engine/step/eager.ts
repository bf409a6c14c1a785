/** The eager executor: runs the step op by op on any tfjs backend. The reference for every other executor. */
import * as tf from '@tensorflow/tfjs-core';
import type { Branch } from '../methods/method.ts';
import type { StepScalars } from '../optim/optimizer.ts';
import { packValues, unpackValues } from '../parameters.ts';
import type { Executor, HostBatch, Inspection, Snapshot } from './executor.ts';
import { batchTensors, drawTensors, inputTensors, type MakeTensor, scalarTensors } from './inputs.ts';
import { type ReportSource, reportOf, reportTensor } from './report.ts';
import {
  attentionOf,
  type BatchTensors,
  evaluateModel,
  type Problem,
  type StepOutcome,
  type TrainState,
  trainStep,
} from './step.ts';

/** An executor for `problem` that starts from `initial`; optimizer slots are zero and the moving average starts there too. */
export function eagerExecutor(problem: Problem, initial: ReadonlyMap<string, Float32Array>): Executor {
  const { groups, bufferGroups, optimizer, method } = problem;
  let state = initialState(problem, initial);
  let pending: ReportSource<tf.Tensor1D>[] = [];

  function run<T extends tf.TensorContainer>(
    batches: readonly HostBatch[],
    scalars: StepScalars,
    read: (outcome: StepOutcome, tensors: readonly BatchTensors[]) => T,
  ): T {
    const before = state;
    const [next, result] = tf.tidy(() => {
      const tensors = batchTensors(batches, copied);
      const stepped = trainStep(problem, before, tensors, scalarTensors(scalars, copied));
      const result = read(stepped.outcome, tensors);
      return [stateTensors(stepped.state).map((tensor) => tf.keep(tensor)), result] as [tf.Tensor1D[], T];
    });
    state = stateOf(problem, next);
    tf.dispose(stateTensors(before));
    return result;
  }

  return {
    name: 'eager',
    async step(batches, scalars) {
      const numbers = tf.keep(run(batches, scalars, reportTensor));
      pending.push({ numbers, batches: batches.length, scalars });
    },
    async observe(batches, scalars) {
      const [numbers, logits] = run(batches, scalars, (outcome, tensors) => [
        reportTensor(outcome, tensors),
        outcome.batches.map((batch) => batch.logits as Record<string, tf.Tensor>),
      ]) as [tf.Tensor1D, Record<string, tf.Tensor>[]];
      pending.push({ numbers: tf.keep(numbers), batches: batches.length, scalars });
      const values = logits.map((batch) => mapValues(batch, floats));
      tf.dispose(logits);
      return values;
    },
    async inspect(batches, scalars) {
      const [numbers, terms, total, logits] = run(batches, scalars, (outcome, tensors) => [
        reportTensor(outcome, tensors),
        outcome.terms.map((term) => [...term.gradient]),
        [...outcome.total],
        outcome.batches.map((batch) => batch.logits as Record<string, tf.Tensor>),
      ]) as [tf.Tensor1D, tf.Tensor1D[][], tf.Tensor1D[], Partial<Record<Branch, tf.Tensor2D>>[]];
      pending.push({ numbers: tf.keep(numbers), batches: batches.length, scalars });
      const byName = (flats: readonly tf.Tensor1D[]) => unpackValues(groups, flats.map(floats));
      const inspection: Inspection = {
        terms: Object.fromEntries(method.terms.map((term, i) => [term.branch, byName(terms[i] ?? [])])),
        total: byName(total),
        logits: logits.map((batch) => mapValues(batch as Record<string, tf.Tensor2D>, floats)),
      };
      tf.dispose([terms, total, logits]);
      return inspection;
    },
    async reports() {
      const reports = pending.map((source) => reportOf(problem, { ...source, numbers: floats(source.numbers) }));
      tf.dispose(pending.map(({ numbers }) => numbers));
      pending = [];
      return reports;
    },
    async attention(input) {
      return tf.tidy(() => {
        const shown = attentionOf(problem, state.parameters, inputTensors(input, copied));
        return shown && floats(shown);
      });
    },
    async evaluate(input, draws, weights) {
      return tf.tidy(() => {
        const current = [...state.parameters, ...state.buffers];
        const flats = weights === 'ema' ? (state.ema ?? current) : current;
        const drawn = drawTensors(draws, input.shape[0], copied);
        return floats(evaluateModel(problem, flats, inputTensors(input, copied), drawn));
      });
    },
    snapshot: async () => ({
      parameters: unpackValues(groups, state.parameters.map(floats)),
      buffers: unpackValues(bufferGroups, state.buffers.map(floats)),
      slots: new Map(
        optimizer.slots.map((slot, s) => [
          slot,
          unpackValues(
            groups,
            state.slots.map((slots) => floats(slots[s] as tf.Tensor1D)),
          ),
        ]),
      ),
      ema: state.ema && unpackValues([...groups, ...bufferGroups], state.ema.map(floats)),
    }),
    async restore(snapshot: Snapshot) {
      tf.dispose(stateTensors(state));
      const flats = (values: ReadonlyMap<string, Float32Array>, of = groups) =>
        packValues(of, values).map((flat) => tf.tensor1d(flat));
      const slots = optimizer.slots.map((slot) => flats(snapshot.slots.get(slot) ?? new Map()));
      state = {
        parameters: flats(snapshot.parameters),
        slots: groups.map((_, g) => slots.map((slot) => slot[g] as tf.Tensor1D)),
        buffers: flats(snapshot.buffers, bufferGroups),
        ema: snapshot.ema && flats(snapshot.ema, [...groups, ...bufferGroups]),
      };
    },
    notices: () => [],
    async dispose() {
      tf.dispose([...stateTensors(state), ...pending.map(({ numbers }) => numbers)]);
      pending = [];
    },
  };
}

function initialState(problem: Problem, initial: ReadonlyMap<string, Float32Array>): TrainState {
  const { groups, bufferGroups, optimizer, ema } = problem;
  const flats = packValues([...groups, ...bufferGroups], initial);
  return {
    parameters: flats.slice(0, groups.length).map((flat) => tf.tensor1d(flat)),
    buffers: flats.slice(groups.length).map((flat) => tf.tensor1d(flat.slice())),
    slots: groups.map((group) => optimizer.slots.map(() => tf.zeros([group.size]) as tf.Tensor1D)),
    ema: ema === undefined ? undefined : flats.map((flat) => tf.tensor1d(flat.slice())),
  };
}

/** The tensors of a state in a fixed order; `stateOf` is the way back. */
function stateTensors(state: TrainState): tf.Tensor1D[] {
  return [...state.parameters, ...state.slots.flat(), ...state.buffers, ...(state.ema ?? [])];
}

function stateOf({ groups, bufferGroups, optimizer, ema }: Problem, tensors: readonly tf.Tensor1D[]): TrainState {
  const count = groups.length;
  const slots = optimizer.slots.length;
  const slotsEnd = count + count * slots;
  return {
    parameters: tensors.slice(0, count),
    slots: groups.map((_, g) => tensors.slice(count + g * slots, count + (g + 1) * slots)),
    buffers: tensors.slice(slotsEnd, slotsEnd + bufferGroups.length),
    ema: ema === undefined ? undefined : tensors.slice(slotsEnd + bufferGroups.length),
  };
}

/** A tensor with a copy of a host array. */
const copied: MakeTensor = ({ values, shape, dtype }) => tf.tensor(values, [...shape], dtype);

const floats = (tensor: tf.Tensor) => tensor.dataSync<'float32'>();

function mapValues<T, U>(record: Readonly<Record<string, T>>, f: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, f(value)]));
}
