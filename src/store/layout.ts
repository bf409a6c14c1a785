/** The run folder: names of its files. */

export const runFiles = {
  config: 'config.json',
  data: 'data.json',
  weights: 'weights.json',
  events: 'events.jsonl',
  summary: 'summary.json',
  lock: 'run.lock',
  control: 'control',
  checkpoints: 'checkpoints',
  samples: 'samples',
} as const;
