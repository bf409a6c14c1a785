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
      return `${label(row)} MaskSub step / baseline step: ${row.ours.toFixed(2)}${row.pytorch ? `, PyTorch ${row.pytorch.toFixed(2)}` : ''}${row.compiled ? `, compiled ${row.compiled.toFixed(2)}` : ''}`;
    case 'skipped':
      return `${label(row)} not measured: ${row.reason}`;
    case 'recording':
    case 'recording-cached':
      return `${label(row)} ${row.executor}, to the end of the first step ${row.row === 'recording' ? 'with an empty cache' : 'with a filled cache'}: ${ms(row.ms)}; peak ${megabytes(row.peakBytes)}, ${row.peakRatio.toFixed(2)} of what training takes then`;
    case 'memory-flat':
      return `${label(row)} ${row.executor}, resident memory over ${row.steps} steps: ${megabytes(row.before)}, ${megabytes(row.after)}: ${percent(row.growth)} growth`;
    case 'statistics':
      return `${label(row)} gradient statistics: ${percent(row.share)} of the step (${ms(row.withMs)} with, ${ms(row.withoutMs)} without; by round ${row.byRound.map(percent).join(', ')})`;
    case 'pair':
      return `${label(row)} a step of both runs: two processes ${ms(row.processes)}, one interleaved ${ms(row.interleaved)}`;
    case 'editor':
      return `${row.what.padEnd(34)} ${ms(row.ms)} (${row.values.map((value) => value.toFixed(0)).join(', ')}), goal ≤ ${row.goalMs} ms: ${row.ms <= row.goalMs ? 'met' : 'missed'}`;
    case 'dashboard': {
      const goal = Number.isFinite(row.goal)
        ? `, goal ${row.unit === 'frames/s' ? '≥' : '≤'} ${row.goal}: ${row.met ? 'met' : 'missed'}`
        : '';
      return `${row.what.padEnd(44)} ${short(row.value)} ${row.unit} (${row.values.map(short).join(', ')})${goal}`;
    }
    case 'events':
      return `${row.count} step events were painted`;
    default: {
      const side = ({ ms: time, cpuMs, peakBytes, anonymousBytes, deviceBytes }) =>
        `${ms(time)} (CPU ${ms(cpuMs)}, peak ${megabytes(peakBytes)}, anonymous ${megabytes(anonymousBytes)}${deviceBytes ? `, GPU ${megabytes(deviceBytes)}` : ''})`;
      const { pytorch, compiled, notCompared, notCompiled, ratio } = row;
      return [
        `${label(row)} ${row.method.padEnd(8)} ${row.executor} ${side(row.ours)}`,
        ...(pytorch ? [`PyTorch ${side(pytorch)}`] : []),
        ...(compiled ? [`compiled ${side(compiled)}`] : []),
        ...(notCompared ? [`PyTorch not measured (${notCompared})`] : []),
        ...(notCompiled ? [`torch.compile fails (${notCompiled})`] : []),
        ...(ratio
          ? [
              `ratio ${Object.entries(ratio)
                .map(([quantity, value]) => `${value.toFixed(2)} ${quantity}`)
                .join(', ')}`,
            ]
          : []),
      ].join('; ');
    }
  }
}

const label = ({ work, precision, threads }) =>
  `${[work, ...(precision ? [precision] : []), ...(threads ? [`${threads} thread${threads > 1 ? 's' : ''}`] : [])].join(', ')}:`.padEnd(
    22,
  );
const megabytes = (bytes) => `${(bytes / 1e6).toFixed(0)} MB`;
const ms = (value) => `${value.toFixed(value < 100 ? 1 : 0)} ms`;
const percent = (share) => `${(100 * share).toFixed(1)} %`;
const short = (value) => (value < 10 ? value.toFixed(3) : value.toFixed(0));
const gigabytes = (bytes) => `${(bytes / 1e9).toFixed(1)} GB`;
