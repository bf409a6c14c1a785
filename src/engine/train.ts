/** The one training loop: an async generator of events. It knows no process, no file and no clock but those it is given. */
import type { Config } from '../core/config.ts';
import { UserError } from '../core/errors.ts';
import type { EndState, EngineEvent, Role, Summary } from '../core/events.ts';
import { lengthRatio } from '../core/maskRatio.ts';
import { encodeProgress, noProgress, type Progress } from '../core/progress.ts';
import { learningRateAt, scheduledValue } from '../core/schedules.ts';
import { Batches } from './batches.ts';
import { validate } from './evaluate.ts';
import { firstBatches } from './firstBatches.ts';
import type { Fork } from './fork.ts';
import { layerStatistics } from './layerStatistics.ts';
import type { Method } from './methods/method.ts';
import type { Model } from './models/model.ts';
import { type BadStep, explainNonFinite, isFiniteSnapshot } from './nonFinite.ts';
import { initialValues, sizeOf } from './parameters.ts';
import { buildProblem, trainingFlops } from './problem.ts';
import { isSampledEpoch, type RecordedSamples, SampleRecorder } from './samples.ts';
import type { ChosenExecutor, HostBatch, Inspection, Snapshot, StepLogits, StepReport } from './step/executor.ts';
import { memoryProblem, withMemoryAdvice } from './step/memoryNeed.ts';
import { type Problem, stepScalars } from './step/step.ts';
import { mainLoss, stepFigures } from './stepEvent.ts';
import type { TrainingData } from './trainingData.ts';

/** What the loop asks of the process around it. */
export interface Surroundings {
  /** Monotonic seconds. */
  readonly now: () => number;
  readonly date: () => string;
  readonly cpuSeconds: () => number;
  /** Resident memory now and at its peak, and what the process could still get, in bytes. */
  readonly memory: () => { readonly now: number; readonly peak: number; readonly available: number };
  /** Gives back memory that nothing refers to any more. */
  readonly collectGarbage?: () => void;
  /** `sha256:` and the hash over all parts in order. */
  readonly hash: (parts: Iterable<ArrayBufferView> | AsyncIterable<ArrayBufferView>) => Promise<string>;
  /** Lets the process do its other work, and says whether to stop. */
  readonly breathe: () => Promise<boolean>;
  /** What runs the steps, starting from these weights. The loop disposes of it. */
  readonly executorFor: (problem: Problem, initial: ReadonlyMap<string, Float32Array>) => Promise<ChosenExecutor>;
  /** Writes a checkpoint and returns its path relative to the run folder. */
  readonly saveCheckpoint: (
    name: string,
    snapshot: Snapshot,
    model: Model,
    metadata: Readonly<Record<string, string>>,
  ) => string;
  /** Writes what an epoch recorded of its samples and returns its path relative to the run folder. Absent: nothing is recorded. */
  readonly saveSamples?: (recorded: RecordedSamples) => string;
}

/** Who this run is, and on what it computes. */
export interface Identity {
  readonly role: Role;
  readonly pair: string | undefined;
  /** Counts resumes. */
  readonly attempt: number;
  readonly backend: string;
  readonly backendReason: string;
  /** Set where the run goes on from the checkpoint of another. */
  readonly fork?: Pick<Fork, 'run' | 'step'> | undefined;
}

/** Where a run goes on: the content of a checkpoint, and its file relative to the run folder. */
export interface Resume {
  readonly snapshot: Snapshot;
  readonly progress: Progress;
  readonly file: string;
}

/**
 * Trains as `config` says, from the start or from where `resume` says: then with the same batches and numbers as if it had never been
 * interrupted. `start` holds the weights to start from, of every parameter and buffer in their order; without it they are drawn.
 * Ends with exactly one `end` event, whatever happens, unless a bug throws.
 */
export async function* train(
  config: Config,
  data: TrainingData,
  identity: Identity,
  around: Surroundings,
  resume?: Resume,
  start?: ReadonlyMap<string, Float32Array>,
): AsyncGenerator<EngineEvent, Summary | undefined> {
  const began = around.now();
  const problem = buildProblem(config, data);
  const { model, method } = problem;
  const batches = new Batches(config, data, model, method);
  const stepsPerEpoch = Math.floor(batches.perEpoch / config.train.accumulate);
  if (stepsPerEpoch < 1) {
    const there = Math.min(config.data.trainOn ?? data.train.count, data.train.count);
    throw new UserError(
      `A step needs ${config.train.batchSize * config.train.accumulate} training samples, there are ${there}.`,
      { hint: 'Lower train.batchSize or train.accumulate.' },
    );
  }
  const { fork } = identity;
  let initial: ReadonlyMap<string, Float32Array> | undefined = start ?? initialValues(model, config.train.seed);
  start = undefined; // `initial` alone holds them
  const initHash = await around.hash(initial.values());
  const totalSteps = stepsPerEpoch * config.train.epochs;
  const validateOn = Math.min(config.data.validateOn ?? data.validation.count, data.validation.count);
  const stepImages = config.train.batchSize * config.train.accumulate;
  const stepFlops = stepImages * trainingFlops(problem, lengthRatio(config));
  const learningRateOf = (step: number) => learningRateAt(step, stepsPerEpoch, config.train);
  const scalarsOf = (step: number) => {
    const subWeight = scheduledValue(config.method.subWeight, (step - 1) / stepsPerEpoch, config.train.epochs);
    return stepScalars(problem, step, learningRateOf(step), subWeight);
  };

  const progress: Progress = { ...(resume?.progress ?? noProgress()) };
  const earlier = progress.cost;
  let newestFile = resume?.file;
  let numberedStep = -1;

  let order: { readonly epoch: number; readonly samples: Int32Array } = { epoch: -1, samples: new Int32Array() };
  /** The batches of a step, counted from 1; none after the last. */
  const draw = async (step: number): Promise<HostBatch[]> => {
    if (step > totalSteps) return [];
    const epoch = Math.floor((step - 1) / stepsPerEpoch);
    if (order.epoch !== epoch) order = { epoch, samples: batches.order(epoch) };
    const { accumulate } = config.train;
    const first = ((step - 1) % stepsPerEpoch) * accumulate;
    const { samples } = order;
    return Promise.all(Array.from({ length: accumulate }, (_, j) => batches.batch(epoch, first + j, samples)));
  };

  const { executor, reason } = await around.executorFor(problem, initial);
  initial = undefined; // as large as the model, and in the executor now
  around.collectGarbage?.();
  try {
    if (resume) await executor.restore(resume.snapshot);
    let drawn = await draw(progress.step + 1);
    const need = drawn.length > 0 ? await executor.memoryOf?.(drawn, scalarsOf(1)) : undefined;
    const unrecorded = executor.notices();
    const fromStep = resume ? { fromStep: progress.step } : {};
    resume = undefined; // or a copy of all weights would stay for the whole run
    yield {
      type: 'start',
      name: config.name,
      ...(identity.pair ? { pair: identity.pair } : {}),
      role: identity.role,
      method: config.method.name,
      model: config.model.name,
      dataset: data.name,
      parameters: model.parameters.reduce((sum, spec) => sum + sizeOf(spec), 0),
      seed: config.train.seed,
      initHash,
      batchHash: await around.hash(firstBatches(batches)),
      dataHash: data.hash,
      backend: identity.backend,
      backendReason: identity.backendReason,
      executor: executor.name,
      executorReason: unrecorded.join(' ') || reason,
      precision: config.run.precision,
      epochs: config.train.epochs,
      steps: totalSteps,
      ...fromStep,
      ...constantWeight(config, method),
      ...(fork ? { forkOf: { run: fork.run, step: fork.step } } : {}),
      ...(need ? { stepMemoryBytes: need } : {}),
      at: around.date(),
    };

    let logged = { step: progress.step, at: around.now() };
    let waited = 0; // for samples, in seconds, since then
    for (const message of unrecorded) yield { type: 'warning', message };
    const tooMuch = need && memoryProblem(config.train.batchSize, need, around.memory().available);
    if (tooMuch) yield { type: 'warning', message: tooMuch };
    while (progress.epochs < config.train.epochs) {
      const epoch = progress.epochs + 1;
      const isSampled = around.saveSamples !== undefined && isSampledEpoch(config, epoch);
      const recorder = isSampled ? new SampleRecorder(config, data, problem) : undefined;
      while (progress.step < epoch * stepsPerEpoch) {
        const step = progress.step + 1;
        const learningRate = learningRateOf(step);
        const scalars = scalarsOf(step);
        const [withLayers, withLogits] = [step % config.run.layersEvery === 0, recorder?.wantsMore ?? false];
        const running: Promise<Inspection | StepLogits | undefined> = withLayers
          ? executor.inspect(drawn, scalars)
          : withLogits
            ? executor.observe(drawn, scalars)
            : executor.step(drawn, scalars).then(() => undefined);
        // The samples of the next step are read meanwhile; where they cannot be, this one still counts.
        const next = draw(step + 1);
        next.catch(() => {});
        const read = await running.catch((error: unknown) => {
          throw withMemoryAdvice(error, config.train.batchSize, need, around.memory().peak);
        });
        const alone = around.now();
        await next.catch(() => {});
        waited += around.now() - alone;
        const [report] = (await executor.reports()) as [StepReport];
        for (const message of executor.notices()) yield { type: 'warning', message };

        if (!report.finite || step === 1 || step % config.run.logEvery === 0 || step === totalSteps) {
          const at = around.now();
          yield {
            ...stepFigures(report),
            step,
            epoch: step / stepsPerEpoch,
            images: step * stepImages,
            learningRate,
            imagesPerSecond: ((step - logged.step) * stepImages) / (at - logged.at),
            dataWait: waited / (at - logged.at),
            memoryBytes: around.memory().now,
            flops: step * stepFlops,
          };
          logged = { step, at };
          waited = 0;
        }
        if (!report.finite) return yield* fail(step, { batches: drawn, scalars, report });
        progress.step = step;
        progress.sums = {
          loss: progress.sums.loss + mainLoss(report),
          correct: progress.sums.correct + report.correct,
        };
        const [inspection, logits] = read && 'logits' in read ? [read, read.logits] : [undefined, read];
        if (inspection) yield { type: 'layers', step, grad: layerStatistics(inspection, method, model) };
        if (withLogits && logits) await recorder?.addStep(step, drawn, logits, executor);
        drawn = await next;
        if (await around.breathe()) return yield* stop();
      }

      const { loss, correct } = progress.sums;
      progress.train = { loss: loss / stepsPerEpoch, top1: correct / (stepsPerEpoch * stepImages) };
      const isLast = epoch === config.train.epochs;
      const validates = isLast || epoch % config.data.validateEvery === 0;
      const validation = validates
        ? await validate(
            executor,
            batches,
            data,
            isLast ? data.validation.count : validateOn,
            around.breathe,
            (batch) => recorder?.addValidation(batch),
          )
        : undefined;
      if (validates && !validation) return yield* stop();
      logged = { step: progress.step, at: around.now() }; // validation is no training time
      waited = 0;
      yield {
        type: 'epoch',
        epoch,
        step: progress.step,
        train: progress.train,
        ...(validation ? { validation } : {}),
      };
      const file = recorder && around.saveSamples?.(recorder.finish(epoch, progress.step));
      if (file) yield { type: 'samples', epoch, step: progress.step, file };
      progress.epochs = epoch;
      progress.sums = { loss: 0, correct: 0 };
      if (validation) {
        progress.final = validation;
        if (!progress.best || validation.top1 > progress.best.top1) {
          progress.best = { epoch, top1: validation.top1 };
          yield await checkpoint('best');
        }
      }
      if (epoch % config.run.checkpointEvery === 0) yield await numbered();
    }
    if (numberedStep !== totalSteps) yield await numbered();
    return yield* end('finished', `Finished after ${config.train.epochs} epochs.`);
  } catch (error) {
    // A sample that cannot be read ends the run, but not before its weights are kept, as far as they can be.
    const isNew = progress.step > 0 && numberedStep !== progress.step;
    const kept = isNew && error instanceof UserError ? await numbered().catch(() => undefined) : undefined;
    if (kept) yield kept;
    throw error;
  } finally {
    await executor.dispose();
  }

  async function* stop(): AsyncGenerator<EngineEvent, Summary> {
    if (numberedStep !== progress.step) yield await numbered();
    return yield* end('stopped', `Stopped at step ${progress.step} of ${totalSteps}.`);
  }

  /** Ends the run at a step that was not finite and so has changed nothing: the state before it is kept. */
  async function* fail(step: number, bad: Omit<BadStep, 'snapshot'>): AsyncGenerator<EngineEvent, Summary> {
    const snapshot = await executor.snapshot();
    const { part, origin } = await explainNonFinite(executor, problem, { ...bad, snapshot });
    const isGood = isFiniteSnapshot(snapshot);
    if (isGood && numberedStep !== progress.step) yield await numbered();
    const kept = isGood
      ? `The weights before that step are in ${newestFile}.`
      : `The step before had left weights that are not finite; ${newestFile ? `the last good ones are in ${newestFile}` : 'there is no checkpoint from before'}.`;
    return yield* end(
      'failed',
      `The ${part} at step ${step} is not finite: ${origin}. ${kept} Lower train.learningRate or set train.clipNorm.`,
    );
  }

  async function checkpoint(name: string): Promise<EngineEvent> {
    const { step } = progress;
    const metadata = {
      step: String(step),
      attempt: String(identity.attempt),
      model: config.model.name,
      method: config.method.name,
      progress: encodeProgress({ ...progress, cost: costSoFar() }),
    };
    newestFile = around.saveCheckpoint(name, await executor.snapshot(), model, metadata);
    return { type: 'checkpoint', step, file: newestFile };
  }

  function numbered(): Promise<EngineEvent> {
    numberedStep = progress.step;
    return checkpoint(`step-${String(progress.step).padStart(9, '0')}`);
  }

  function costSoFar(): Progress['cost'] {
    return {
      seconds: earlier.seconds + around.now() - began,
      cpuSeconds: earlier.cpuSeconds + around.cpuSeconds(),
      peakMemoryBytes: Math.max(earlier.peakMemoryBytes, around.memory().peak),
    };
  }

  function* end(state: EndState, message: string): Generator<EngineEvent, Summary> {
    const { step, final, best, train } = progress;
    const summary: Summary = {
      state,
      steps: step,
      epochs: step / stepsPerEpoch,
      executor: executor.name,
      precision: config.run.precision,
      ...(final ? { final } : {}),
      ...(best ? { best } : {}),
      ...(train ? { train } : {}),
      cost: { ...costSoFar(), images: step * stepImages, flops: step * stepFlops },
    };
    yield { type: 'end', state, message, summary };
    return summary;
  }
}

/** Weight of the second term, where training does not change it. */
function constantWeight({ method: { subWeight } }: Config, { terms }: Method): { subWeight?: number } {
  const [, second] = terms;
  return second && typeof subWeight === 'number' ? { subWeight: second.weight(subWeight) } : {};
}
