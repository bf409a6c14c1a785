/** What an export writes, whatever its format: a checkpoint of a run, its weights or their moving average, and their model. */
import path from 'node:path';
import type { Config } from '../../core/config.ts';
import { nearestName, UserError } from '../../core/errors.ts';
import type { Model } from '../../engine/models/model.ts';
import { buildProblem } from '../../engine/problem.ts';
import { checkpointFiles } from '../../store/checkpoints.ts';
import { findRun, readRun } from '../../store/runReader.ts';
import { readCheckpoint } from '../checkpoint.ts';
import { readRunConfig } from '../commands/runConfig.ts';
import { type DataFacts, dataFactsOf, readDataFacts } from '../dataFacts.ts';
import { openData } from '../openData.ts';

export interface Choice {
  /** The name of the checkpoint; else the best one, else the newest. */
  readonly checkpoint?: string;
  /** The moving average of the weights. */
  readonly ema?: boolean;
  /** Where the run folders lie. */
  readonly out: string;
}

export interface Chosen {
  readonly run: string;
  readonly config: Config;
  readonly data: DataFacts;
  readonly model: Model;
  /** Of every parameter and buffer, by name. */
  readonly weights: ReadonlyMap<string, Float32Array>;
  readonly kind: 'parameters' | 'ema';
  /** The file, relative to the run folder, and the step after which it was written. */
  readonly checkpoint: string;
  readonly step: number;
}

/** Reads the chosen weights of a run. Throws a `UserError` where they are not there, damaged, or not of the run's config and data. */
export async function choose(name: string, { checkpoint, ema, out }: Choice): Promise<Chosen> {
  const folder = findRun(out, name);
  const { id } = readRun(folder);
  const file = chooseCheckpoint(id, folder, checkpoint);
  const { config, dataHash } = readRunConfig(folder);
  if (ema && config.train.ema === undefined) {
    throw new UserError(`The run ${id} has no moving average of its weights.`, {
      hint: 'Leave out --ema, or train with train.ema.',
    });
  }
  const data = readDataFacts(folder) ?? (await factsOfFiles(config, folder));
  if (data.hash !== dataHash) {
    throw new UserError(
      `The data of ${id} are not those that it was trained on: ${data.hash} instead of ${dataHash}.`,
      {
        hint: 'Put them back as they were.',
      },
    );
  }
  const problem = buildProblem(config, data);
  const { snapshot, progress } = readCheckpoint(folder, file, problem);
  const average = ema ? snapshot.ema : undefined;
  return {
    run: id,
    config,
    data,
    model: problem.model,
    weights: average ?? new Map([...snapshot.parameters, ...snapshot.buffers]),
    kind: average ? 'ema' : 'parameters',
    checkpoint: file,
    step: progress.step,
  };
}

/** Of a run that did not keep them. */
async function factsOfFiles(config: Config, folder: string): Promise<DataFacts> {
  const { data } = await openData(config.data, folder);
  data.close();
  return dataFactsOf(data);
}

/** The file of the checkpoint, relative to the run folder. */
function chooseCheckpoint(id: string, folder: string, wanted: string | undefined): string {
  const files = checkpointFiles(folder);
  const byName = new Map(files.map((file) => [path.basename(file, '.safetensors'), file]));
  const [newest] = files;
  if (newest === undefined) {
    throw new UserError(`The run ${id} has no checkpoint yet.`, {
      hint: 'run.checkpointEvery says how often there is one.',
    });
  }
  if (wanted === undefined) return byName.get('best') ?? newest;
  const found = byName.get(path.basename(wanted, '.safetensors'));
  if (found !== undefined) return found;
  const near = nearestName(wanted, [...byName.keys()]);
  throw new UserError(`The run ${id} has no checkpoint "${wanted}".`, {
    hint: near ? `Did you mean "${near}"?` : `It has: ${[...byName.keys()].join(', ')}.`,
  });
}
