/** `Fork run…` and `Reproduce run`: a new experiment out of a run folder, from a checkpoint with changes or from the beginning as it was. */
import fs from 'node:fs';
import path from 'node:path';
import * as vscode from 'vscode';
import { UserError } from '../core/errors.ts';
import { newExperimentId } from '../core/experiment.ts';
import { flattenConfig } from '../core/flatten.ts';
import { t } from '../core/l10n.ts';
import { checkpointsOf } from '../store/checkpoints.ts';
import { runFiles } from '../store/layout.ts';
import type { RunListing } from '../store/runReader.ts';
import { chooseRun } from './chooseRuns.ts';
import { handleOf } from './experiments.ts';
import { begin } from './lead.ts';
import type { Services } from './services.ts';
import { isTrusted } from './trust.ts';

/** Goes on from a checkpoint: the newest up to that step, else the one that a person picks; with the changes that they make. */
export async function forkRun(services: Services, argument: unknown, step: unknown): Promise<void> {
  if (!(await isTrusted())) return;
  const run = await chooseRun(services, argument, {
    placeHolder: t('Run to go on from'),
    fits: ({ folder }) => checkpointsOf(folder).length > 0,
    none: t('No run here has a checkpoint to go on from. A run writes one every few epochs and when it is stopped.'),
  });
  if (!run) return;
  const at = await chooseStep(run, typeof step === 'number' ? step : undefined);
  if (at === undefined) return;
  const changes = await chooseChanges(run, at);
  if (!changes) return;
  const set = changes.flatMap((change) => ['--set', change]);
  const method = changes.find((change) => change.startsWith('method.name='))?.slice('method.name='.length);
  await beginFrom(services, { ...run, method: method ?? run.method }, `${run.name}-fork`, [
    'fork',
    run.folder,
    '--at',
    String(at),
    ...set,
  ]);
}

/** Trains the run again from its folder; the report says whether it came out the same. */
export async function reproduceRun(services: Services, argument: unknown): Promise<void> {
  if (!(await isTrusted())) return;
  const run = await chooseRun(services, argument, { placeHolder: t('Run to make again') });
  if (run) await beginFrom(services, run, `${run.name}-again`, ['reproduce', run.folder]);
}

/** Starts what comes of a run, and shows it beside that run and its pair: a branch of their curves. */
async function beginFrom(services: Services, run: RunListing, name: string, args: readonly string[]): Promise<void> {
  const out = path.dirname(run.folder);
  const id = newExperimentId(name, new Date());
  const { pair: _pair, ...its } = handleOf(run);
  const handle = { ...its, id: `${id}-s${run.seed}-${run.method}`, name, experiment: id, lost: false };
  const isOfPair = (one: RunListing) => one.folder === run.folder || (run.pair !== undefined && one.pair === run.pair);
  const beside = services.runs.experiments.flatMap(({ runs }) => runs.filter(isOfPair)).map((one) => handleOf(one).id);
  const folder = vscode.workspace.getWorkspaceFolder(vscode.Uri.file(run.folder));
  await begin(services, {
    id,
    name,
    out,
    args: [...args, '--out', out, '--id', id],
    cwd: folder?.uri.fsPath ?? out,
    handles: [{ ...handle, role: run.method === 'baseline' ? 'baseline' : 'method' }],
    beside,
  });
}

async function chooseStep(run: RunListing, wanted: number | undefined): Promise<number | undefined> {
  const steps = [...new Set(checkpointsOf(run.folder).map(({ step }) => step))];
  const [only] = steps;
  // A chart's point is rarely a checkpoint: the newest before it has seen nothing of what came after.
  const before = wanted === undefined ? undefined : steps.find((step) => step <= wanted);
  if (before !== undefined) return before;
  if (wanted === undefined && steps.length === 1) return only;
  const items = steps.map((step) => ({ label: t('Step {0}', step), step }));
  return (await vscode.window.showQuickPick(items, { placeHolder: t('Checkpoint to go on from') }))?.step;
}

/** Changes as `key=value`, one at a time; nothing where a person gave up, and none where the run shall go on as it is. */
async function chooseChanges(run: RunListing, step: number): Promise<string[] | undefined> {
  const keys = keysOf(run);
  const changes = new Map<string, string>();
  for (;;) {
    const made = [...changes].map(([key, value]) => `${key}=${value}`);
    const start = {
      label: `$(play) ${t('Start the fork')}`,
      detail: made.length > 0 ? made.join(', ') : t('with nothing changed'),
      key: undefined,
    };
    const items = keys.map(([key, value]) => ({ label: key, description: changes.get(key) ?? value, key }));
    const picked = await vscode.window.showQuickPick([start, ...items], {
      title: t('Fork {0} at step {1}', path.basename(run.folder), step),
      placeHolder: t('Key of the config to change, or start'),
      matchOnDescription: true,
    });
    if (!picked) return undefined;
    if (picked.key === undefined) return made;
    const { key } = picked;
    const value = await vscode.window.showInputBox({
      title: key,
      value: changes.get(key) ?? picked.description,
      prompt: t('New value, as it stands in a config; a text needs no quotes.'),
      validateInput: (text) => (text.trim() === '' ? t('Type a value.') : undefined),
    });
    if (value !== undefined) changes.set(key, value.trim());
  }
}

/** The keys of the run's config with their values, those of the method first: they are what a fork is mostly for. */
function keysOf(run: RunListing): [string, string][] {
  const file = path.join(run.folder, runFiles.config);
  const groups = ['method', 'train', 'augment', 'run', 'data'];
  try {
    const all = Object.entries(flattenConfig(JSON.parse(fs.readFileSync(file, 'utf8'))));
    return groups.flatMap((group) =>
      all.filter(([key]) => key.startsWith(`${group}.`)).map(([key, value]): [string, string] => [key, String(value)]),
    );
  } catch (cause) {
    throw new UserError(t('{0} cannot be read, so that nothing can be changed in it.', file), { cause });
  }
}
