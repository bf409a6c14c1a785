/** A recorded executor that hands over to the eager one where something cannot be recorded: the run goes on and says why. */
import { UserError } from '../../core/errors.ts';
import { eagerExecutor } from './eager.ts';
import type { Executor, StepReport } from './executor.ts';
import { RecordingError } from './recorded/trace.ts';
import type { Problem } from './step.ts';

/** `recorded` until a recording fails; then an eager executor that takes over its state, for good. Eager has float32 only. */
export function withFallback(problem: Problem, recorded: Executor, precision: 'float32' | 'bfloat16'): Executor {
  let current = recorded;
  const notices: string[] = [];
  let earlier: StepReport[] = [];

  /** Does it, and where it cannot be recorded does it again on the eager executor. A recording that fails has changed nothing. */
  async function attempt<T>(use: (executor: Executor) => Promise<T>): Promise<T> {
    try {
      return await use(current);
    } catch (error) {
      if (!(error instanceof RecordingError) || current !== recorded) throw error;
      if (precision !== 'float32') {
        throw new UserError(`The step cannot be recorded in ${precision}. ${error.message}`, {
          hint: 'Set run.precision to "float32".',
        });
      }
      const snapshot = await recorded.snapshot();
      const eager = eagerExecutor(problem, snapshot.parameters);
      await eager.restore(snapshot);
      earlier = await recorded.reports();
      await recorded.dispose();
      current = eager;
      notices.push(`The step cannot be recorded and runs op by op from here on. ${error.message}`);
      return use(current);
    }
  }

  return {
    get name() {
      return current.name;
    },
    step: (batches, scalars) => attempt((executor) => executor.step(batches, scalars)),
    observe: (batches, scalars) => attempt((executor) => executor.observe(batches, scalars)),
    inspect: (batches, scalars) => attempt((executor) => executor.inspect(batches, scalars)),
    evaluate: (images, draws, weights) => attempt((executor) => executor.evaluate(images, draws, weights)),
    attention: (input) => attempt((executor) => executor.attention(input)),
    memoryOf: (batches, scalars) => attempt(async (executor) => executor.memoryOf?.(batches, scalars)),
    reports: async () => [...earlier.splice(0), ...(await current.reports())],
    snapshot: () => current.snapshot(),
    restore: (snapshot) => current.restore(snapshot),
    dispose: () => current.dispose(),
    notices: () => [...notices.splice(0), ...current.notices()],
  };
}
