/** Rows of a benchmark: a JSON object a line for programs, or a line of text for people. */

/** Share of the cores from which on a figure is not to be trusted. */
const QUIET = 0.05;

/**
 * @param {boolean} json
 * @returns {(row: any) => void}
 */
export function print(json) {
  return (row) => {
    console.log(json ? JSON.stringify(row) : textOf(row));
    if (!json && row.foreign > QUIET) {
      console.log(`    other processes took ${percent(row.foreign)} of the cores meanwhile: measure again`);
    }
  };
}

function textOf(row) {
  switch (row.row) {
    case 'machine':
      return `${row.cpu}, ${row.cores} cores, ${gigabytes(row.memoryBytes)}; Linux ${row.kernel}, Node ${row.node}, libtensorflow ${row.libtensorflow}, ${row.pytorch ? `PyTorch ${row.pytorch}` : 'no PyTorch to compare with'}`;
    case 'method':
      return `${label(row)} MaskSub step / baseline step: ${row.ours.toFixed(2)}${row.pytorch ? `, PyTorch ${row.pytorch.toFixed(2)}` : ''}`;
    case 'statistics':
      return `${label(row)} gradient statistics: ${percent(row.share)} of the step (${ms(row.withMs)} with, ${ms(row.withoutMs)} without; by round ${row.byRound.map(percent).join(', ')})`;
    case 'pair':
      return `${label(row)} a step of both runs: two processes ${ms(row.processes)}, one interleaved ${ms(row.interleaved)}`;
    case 'editor':
      return `${row.what.padEnd(34)} ${ms(row.ms)} (${row.values.map((value) => value.toFixed(0)).join(', ')}), goal ≤ ${row.goalMs} ms: ${row.ms <= row.goalMs ? 'met' : 'missed'}`;
    case 'events':
      return `${row.count} step events were painted`;
    default: {
      const side = ({ ms: time, cpuMs, peakBytes }) =>
        `${ms(time)} (CPU ${ms(cpuMs)}, peak ${(peakBytes / 1e6).toFixed(0)} MB)`;
      const theirs = row.pytorch
        ? `; PyTorch ${side(row.pytorch)}; ratio ${row.ratio.time.toFixed(2)} time, ${row.ratio.memory.toFixed(2)} memory`
        : '';
      return `${label(row)} ${row.method.padEnd(8)} ours ${side(row.ours)}${theirs}`;
    }
  }
}

const label = ({ work, threads }) =>
  `${work}${threads ? `, ${threads} thread${threads > 1 ? 's' : ''}` : ''}:`.padEnd(22);
const ms = (value) => `${value.toFixed(value < 100 ? 1 : 0)} ms`;
const percent = (share) => `${(100 * share).toFixed(1)} %`;
const gigabytes = (bytes) => `${(bytes / 1e9).toFixed(1)} GB`;
