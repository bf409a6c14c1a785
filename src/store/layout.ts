/** The run folder: names of its files. */

export const runFiles = {
  config: 'config.json',
  events: 'events.jsonl',
  summary: 'summary.json',
  lock: 'run.lock',
  control: 'control',
  checkpoints: 'checkpoints',
} as const;

/** The checkpoint after `step` completed optimizer steps; names sort by step. */
export function checkpointName(step: number): string {
  return `step-${String(step).padStart(9, '0')}.safetensors`;
}
