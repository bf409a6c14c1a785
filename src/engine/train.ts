/** The one training loop: an async generator of events. It knows no process, no file and no clock but those it is given. */
import type { Config } from '../core/config.ts';
import { UserError } from '../core/errors.ts';
import type { EndState, EngineEvent, Role, Summary, Validation } from '../core/events.ts';
import { warmupConstant, warmupCosine } from '../core/schedules.ts';
import { Batches, type TrainingData } from './batches.ts';
import { validate } from './evaluate.ts';
import { layerStatistics } from './layerStatistics.ts';
import type { ParameterSpec } from './models/model.ts';
import { initialValues, sizeOf } from './parameters.ts';
import { buildProblem, trainingFlops } from './problem.ts';
import type { ChosenExecutor, HostBatch, Inspection, Snapshot, StepReport } from './step/executor.ts';
import type { Problem } from './step/step.ts';

/** What the loop asks of the process around it. */
export interface Surroundings {
  /** Monotonic seconds. */
  readonly now: () => number;
  readonly date: () => string;
  readonly cpuSeconds: () => number;
  /** Resident memory now and at its peak, in bytes. */
  readonly memory: () => { readonly now: number; readonly peak: number };
  /** `sha256:` and the hash over all parts in order. */
  readonly hash: (parts: Iterable<ArrayBufferView>) => string;
  /** Lets the process do its other work, and says whether to stop. */
  readonly breathe: () => Promise<boolean>;
  /** What runs the steps, starting from these weights. The loop disposes of it. */
  readonly executorFor: (problem: Problem, initial: ReadonlyMap<string, Float32Array>) => Promise<ChosenExecutor>;
  /** Writes a checkpoint and returns its path relative to the run folder. */
  readonly saveCheckpoint: (
    name: string,
    snapshot: Snapshot,
    parameters: readonly ParameterSpec[],
    metadata: Readonly<Record<string, string>>,
  ) => string;
}

/** Who this run is, and on what it computes. */
export interface Identity {
  readonly role: Role;
  readonly pair: string | undefined;
  readonly backend: string;
  readonly backendReason: string;
}

/** Batches whose contents go into `batchHash`. */
const HASHED_BATCHES = 10;

/** Trains as `config` says. Ends with exactly one `end` event, whatever happens, unless a bug throws. */
export async function* train(
  config: Config,
  data: TrainingData,
  identity: Identity,
  around: Surroundings,
): AsyncGenerator<EngineEvent, Summary | undefined> {
  const began = around.now();
  const problem = buildProblem(config, data);
  const { model, method } = problem;
  const batches = new Batches(config, data, model, method);
  const stepsPerEpoch = Math.floor(batches.perEpoch / config.train.accumulate);
  if (stepsPerEpoch < 1) {
    throw new UserError(
      `A step needs ${config.train.batchSize * config.train.accumulate} training images, there are ${data.train.count}.`,
      { hint: 'Lower train.batchSize or train.accumulate.' },
    );
  }
  const initial = initialValues(model.parameters, config.train.seed);
  const totalSteps = stepsPerEpoch * config.train.epochs;
  const validateOn = Math.min(config.data.validateOn ?? data.validation.count, data.validation.count);
  const stepImages = config.train.batchSize * config.train.accumulate;
  const stepFlops = stepImages * trainingFlops(problem, config.method.maskRatio);

  let step = 0;
  let best: Summary['best'];
  let final: Validation | undefined;
  let trained: Summary['train'];
  let lastCheckpoint = -1;
  const scheduled = config.train.schedule === 'cosine' ? warmupCosine : warmupConstant;
  const learningRateOf = (step: number) => scheduled((step - 1) / stepsPerEpoch, config.train);
  const metadata = () => ({ step: String(step), attempt: '0', model: config.model.name, method: config.method.name });
  const checkpoint = async (name: string): Promise<EngineEvent> => ({
    type: 'checkpoint',
    step,
    file: around.saveCheckpoint(name, await executor.snapshot(), model.parameters, metadata()),
  });
  const numbered = async () => {
    lastCheckpoint = step;
    return checkpoint(`step-${String(step).padStart(9, '0')}`);
  };
  const finish = (state: EndState, message: string): { event: EngineEvent; summary: Summary } => {
    const summary: Summary = {
      state,
      steps: step,
      epochs: step / stepsPerEpoch,
      executor: executorName,
      precision: config.run.precision,
      ...(final ? { final } : {}),
      ...(best ? { best } : {}),
      ...(trained ? { train: trained } : {}),
      cost: {
        seconds: around.now() - began,
        cpuSeconds: around.cpuSeconds(),
        images: step * stepImages,
        flops: step * stepFlops,
        peakMemoryBytes: around.memory().peak,
      },
    };
    return { event: { type: 'end', state, message, summary }, summary };
  };

  let order: { readonly epoch: number; readonly samples: Int32Array } = { epoch: -1, samples: new Int32Array() };
  /** The batches of a step, counted from 0. */
  const draw = (step: number): HostBatch[] => {
    const epoch = Math.floor(step / stepsPerEpoch);
    if (order.epoch !== epoch) order = { epoch, samples: batches.order(epoch) };
    const first = (step % stepsPerEpoch) * config.train.accumulate;
    return Array.from({ length: config.train.accumulate }, (_, j) => batches.batch(epoch, first + j, order.samples));
  };

  const { executor, name: executorName, reason: executorReason } = await around.executorFor(problem, initial);
  try {
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
      initHash: around.hash(initial.values()),
      batchHash: around.hash(firstBatches(batches)),
      dataHash: data.hash,
      backend: identity.backend,
      backendReason: identity.backendReason,
      executor: executorName,
      executorReason,
      precision: config.run.precision,
      epochs: config.train.epochs,
      steps: totalSteps,
      at: around.date(),
    };

    let logged = { step: 0, at: around.now() };
    let drawn = draw(0);
    for (let epoch = 0; epoch < config.train.epochs; epoch++) {
      const epochReports: StepReport[] = [];
      for (let i = 0; i < stepsPerEpoch; i++) {
        const scalars = problem.optimizer.scalars(step + 1, learningRateOf(step + 1));
        const withLayers = (step + 1) % config.run.layersEvery === 0;
        const running: Promise<Inspection | undefined> = withLayers
          ? executor.inspect(drawn, scalars)
          : executor.step(drawn, scalars).then(() => undefined);
        const [inspection, next] = await meanwhile(running, () => (step + 1 < totalSteps ? draw(step + 1) : []));
        drawn = next;
        step += 1;
        for (const message of executor.notices()) yield { type: 'warning', message };

        const isLogged = step === 1 || step % config.run.logEvery === 0 || step === totalSteps;
        if (isLogged || i === stepsPerEpoch - 1) {
          const reports = await executor.reports();
          epochReports.push(...reports);
          const bad = reports.findIndex(
            (report) => !Number.isFinite(report.loss.total) || !Number.isFinite(report.grad.total),
          );
          if (isLogged || bad >= 0) {
            const at = around.now();
            const shown = bad >= 0 ? bad : reports.length - 1;
            const shownStep = step - (reports.length - 1 - shown);
            yield {
              ...stepEvent(reports[shown] as StepReport, shownStep, learningRateOf(shownStep)),
              epoch: shownStep / stepsPerEpoch,
              images: shownStep * stepImages,
              imagesPerSecond: ((step - logged.step) * stepImages) / (at - logged.at),
              memoryBytes: around.memory().now,
              flops: shownStep * stepFlops,
            };
            logged = { step, at };
          }
          if (bad >= 0) {
            const badStep = step - (reports.length - 1 - bad);
            const { event, summary } = finish(
              'failed',
              `The ${nonFinite(reports[bad] as StepReport)} at step ${badStep} is not finite. Lower train.learningRate or set train.clipNorm.`,
            );
            yield event;
            return summary;
          }
        }
        if (inspection) yield { type: 'layers', step, grad: layerStatistics(inspection, method, model) };
        if (await around.breathe()) return yield* stop();
      }

      trained = epochMetrics(epochReports, stepImages);
      const isLast = epoch === config.train.epochs - 1;
      const validates = isLast || (epoch + 1) % config.data.validateEvery === 0;
      const validation = validates
        ? await validate(executor, batches, data, isLast ? data.validation.count : validateOn, around.breathe)
        : undefined;
      if (validates && !validation) return yield* stop();
      logged = { step, at: around.now() }; // validation is no training time
      yield { type: 'epoch', epoch: epoch + 1, step, train: trained, ...(validation ? { validation } : {}) };
      if (validation) {
        final = validation;
        if (!best || validation.top1 > best.top1) {
          best = { epoch: epoch + 1, top1: validation.top1 };
          yield await checkpoint('best');
        }
      }
      if (isLast || (epoch + 1) % config.run.checkpointEvery === 0) yield await numbered();
    }
    const { event, summary } = finish('finished', `Finished after ${config.train.epochs} epochs.`);
    yield event;
    return summary;
  } finally {
    await executor.dispose();
  }

  async function* stop(): AsyncGenerator<EngineEvent, Summary> {
    if (lastCheckpoint !== step) yield await numbered();
    const { event, summary } = finish('stopped', `Stopped at step ${step} of ${totalSteps}.`);
    yield event;
    return summary;
  }
}

/** Does something else while a step runs. Both are over when it returns or throws: an executor takes one call at a time. */
async function meanwhile<T, U>(running: Promise<T>, work: () => U): Promise<[T, U]> {
  let done: U;
  try {
    done = work();
  } catch (error) {
    await running.catch(() => {}); // the error of the work comes first
    throw error;
  }
  return [await running, done];
}

/** Images, labels and order of the first batches, as they enter the step. */
function* firstBatches(batches: Batches): Generator<ArrayBufferView> {
  let order = batches.order(0);
  for (let i = 0; i < HASHED_BATCHES; i++) {
    const [epoch, index] = [Math.floor(i / batches.perEpoch), i % batches.perEpoch];
    if (index === 0 && epoch > 0) order = batches.order(epoch);
    const batch: HostBatch = batches.batch(epoch, index, order);
    yield batch.images.values;
    yield batch.target;
  }
}

function stepEvent(report: StepReport, step: number, learningRate: number) {
  const { loss, grad } = report;
  return {
    type: 'step',
    step,
    loss: withBranches(loss.total, loss.branches),
    grad: { ...withBranches(grad.total, grad.branches), ...(grad.cosine === undefined ? {} : { cosine: grad.cosine }) },
    learningRate,
  } as const;
}

/** A method without a main branch reports its only branch as main. */
function withBranches(total: number, branches: StepReport['loss']['branches']) {
  const main = branches.main ?? branches.sub ?? total;
  const sub = branches.main === undefined ? undefined : branches.sub;
  return sub === undefined ? { total, main } : { total, main, sub };
}

function epochMetrics(reports: readonly StepReport[], stepImages: number): { loss: number; top1: number } {
  const sum = (value: (report: StepReport) => number) => reports.reduce((total, report) => total + value(report), 0);
  return {
    loss: sum((report) => report.loss.branches.main ?? report.loss.branches.sub ?? Number.NaN) / reports.length,
    top1: sum((report) => report.correct) / (reports.length * stepImages),
  };
}

/** Which number of a step is not finite, for the message of a failed run. */
function nonFinite({ loss, grad }: StepReport): string {
  for (const [branch, value] of Object.entries(loss.branches))
    if (!Number.isFinite(value)) return `loss of the ${branch} branch`;
  for (const [branch, value] of Object.entries(grad.branches))
    if (!Number.isFinite(value)) return `gradient of the ${branch} branch`;
  return 'gradient';
}
