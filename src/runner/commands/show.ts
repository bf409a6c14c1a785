/** `masksub show`: one run in the terminal. */
import { titleOf } from '../../core/comparison.ts';
import { encodeEvent } from '../../core/events.ts';
import { duration } from '../../core/format.ts';
import { findRun, readRun } from '../../store/runReader.ts';
import { comparisonTable } from '../terminal.ts';

export function show(name: string, options: { out: string; json?: boolean }): void {
  const { id, folder, state, summary } = readRun(findRun(options.out, name));
  const { start, end, epochs, warnings } = state;
  const last = epochs.at(-1);
  if (options.json) {
    const brief = {
      id,
      folder,
      state: state.state,
      start,
      lastEpoch: last,
      lastStep: state.lastStep,
      end,
      summary,
      warnings,
    };
    process.stdout.write(`${encodeEvent(brief)}\n`);
    return;
  }
  const lines = [
    `${id}`,
    `  folder     ${folder}`,
    `  state      ${state.state}${end ? `: ${end.message}` : ''}`,
    ...(start
      ? [
          `  method     ${titleOf(start.method)} (${start.role}${start.pair ? ` of pair ${start.pair}` : ''}), seed ${start.seed}`,
          `  data       ${titleOf(start.dataset)}, ${start.dataHash}`,
          `  model      ${start.model}, ${start.parameters.toLocaleString('en')} parameters`,
          `  backend    ${start.backend}. ${start.backendReason}`,
          `  executor   ${start.executor}. ${start.executorReason}`.trimEnd(),
          `  precision  ${start.precision}`,
          ...(start.attempt > 0 ? [`  attempt    ${start.attempt + 1}, from step ${start.fromStep ?? 0}`] : []),
          `  progress   epoch ${last?.epoch ?? 0} of ${start.epochs}, step ${state.lastStep?.step ?? 0} of ${start.steps}, ${duration(state.t)}`,
          `  weights    ${start.initHash}`,
          `  batches    ${start.batchHash}`,
        ]
      : []),
    ...warnings.map((warning) => `  warning    ${warning}`),
    ...(summary ? ['', comparisonTable([state], undefined)] : []),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}
