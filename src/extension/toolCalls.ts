/** What the language-model tools do, and what a person is asked before. Errors say what to do next, for the model to read. */
import path from 'node:path';
import * as vscode from 'vscode';
import * as z from 'zod';
import { describeError, UserError } from '../core/errors.ts';
import { t } from '../core/l10n.ts';
import { isOver } from '../core/run.ts';
import type { RunListing } from '../store/runReader.ts';
import { findConfigs } from './chooseConfig.ts';
import { checkConfig, type ResolvedConfig } from './configCheck.ts';
import { describeCost, earlierCosts } from './costEstimate.ts';
import { expectedRuns } from './experiments.ts';
import { briefOf, compareBrief } from './runBrief.ts';
import { readOutline } from './runOutline.ts';
import type { Services } from './services.ts';
import { launch, saved } from './start.ts';
import { stopRun } from './stop.ts';
import { Confirmations, chosenToStop } from './stopChoice.ts';

interface Tool {
  prepare(services: Services, input: unknown): Promise<vscode.PreparedToolInvocation>;
  invoke(services: Services, input: unknown): Promise<string>;
}

const startInput = z.object({ config: z.string().min(1), set: z.array(z.string()).default([]) });
const runInput = z.object({ run: z.string().min(1).optional() });
const runsInput = z.object({ runs: z.array(z.string()).max(24).optional() });

const confirmations = new Confirmations<RunListing>();

export const tools = {
  start_run: {
    async prepare(services, input) {
      const { config, document, set } = await checked(services, input);
      await services.runs.refresh();
      const costs = earlierCosts(config, allRuns(services));
      const name = path.basename(document.fileName);
      const changes = set.length > 0 ? ` ${t('Changes: {0}.', set.join(', '))}` : '';
      return {
        invocationMessage: t('Starting {0}', name),
        confirmationMessages: {
          title: t('Start {0}?', name),
          message: `${describeCost(config, costs)}${changes}`,
        },
      };
    },
    async invoke(services, input) {
      const { config, document, folder, set } = await checked(services, input);
      await saved(document);
      const id = await launch(services, document, config, folder, set);
      const runs = expectedRuns(id, config).map((run) => run.id);
      return `Started experiment ${id} with the runs ${runs.join(', ')}. They train in the background; the dashboard is open. Call get_run_summary with a run's id for its progress, and compare_runs at the end. Do not wait by calling again and again: tell the user that it runs.`;
    },
  },
  stop_run: {
    async prepare(services, input) {
      const { run: name } = parsed(runInput, input);
      const run = chosenToStop(await livingRuns(services), name, (one) => experimentIdOf(services, one));
      confirmations.ask(name, run);
      return {
        invocationMessage: t('Stopping {0}', run.name),
        confirmationMessages: {
          title: t('Stop {0}?', run.name),
          message: t('The run and its pair end with a checkpoint, from which they can go on later.'),
        },
      };
    },
    async invoke(services, input) {
      const { run: name } = parsed(runInput, input);
      const run = confirmations.take(name, await livingRuns(services));
      await stopRun(services, run);
      return `Stopped ${run.id} and its pair, with a checkpoint each. get_run_summary tells what they came to.`;
    },
  },
  get_run_summary: {
    async prepare() {
      return { invocationMessage: t('Reading the run') };
    },
    async invoke(services, input) {
      const { run } = parsed(runInput, input);
      const chosen = await found(services, run === undefined ? undefined : [run]);
      const outlines = await Promise.all(chosen.slice(0, 6).map(({ folder }) => readOutline(folder)));
      const more =
        chosen.length > outlines.length ? [`(${chosen.length - outlines.length} more runs of it are left out.)`] : [];
      return [...outlines.map(briefOf), ...more].join('\n\n');
    },
  },
  compare_runs: {
    async prepare() {
      return { invocationMessage: t('Comparing runs') };
    },
    async invoke(services, input) {
      const { runs } = parsed(runsInput, input);
      const chosen = await found(services, runs);
      if (chosen.length < 2) {
        throw new Error(
          `There is one run only (${chosen[0]?.id}), and two are needed. Name at least two of: ${known(services)}.`,
        );
      }
      return compareBrief(await Promise.all(chosen.slice(0, 24).map(({ folder }) => readOutline(folder))));
    },
  },
} satisfies Record<string, Tool>;

function parsed<T>(schema: z.ZodType<T>, input: unknown): T {
  const result = schema.safeParse(input ?? {});
  if (result.success) return result.data;
  throw new Error(`The input does not fit the tool's schema: ${z.prettifyError(result.error)}`);
}

/** The config of the input, checked with its changes. */
async function checked(
  services: Services,
  input: unknown,
): Promise<{ config: ResolvedConfig; document: vscode.TextDocument; folder: vscode.WorkspaceFolder; set: string[] }> {
  if (!vscode.workspace.isTrusted) {
    throw new Error('This workspace is not trusted, so nothing may be started. Ask the user to trust it first.');
  }
  const { config: name, set } = parsed(startInput, input);
  const file = (await findConfigs()).find(
    ({ fsPath }) => fsPath === name || vscode.workspace.asRelativePath(fsPath) === name,
  );
  const folder = file && vscode.workspace.getWorkspaceFolder(file);
  if (!file || !folder) {
    const names = (await findConfigs()).map((one) => vscode.workspace.asRelativePath(one));
    const offer =
      names.length > 0
        ? `Configs here: ${names.slice(0, 20).join(', ')}.`
        : 'There is none here; the command "MaskSub: New experiment" makes one.';
    throw new Error(`"${name}" is no config of this workspace. ${offer}`);
  }
  const document = await vscode.workspace.openTextDocument(file);
  const answer = await checkConfig(services.runner, document, { set });
  if ('problems' in answer) {
    const problems = answer.problems.slice(0, 5).map(({ line, message }) => `line ${line}: ${message}`);
    throw new Error(`${name} has problems; correct them and call again. ${problems.join(' ')}`);
  }
  return { config: answer.config, document, folder, set };
}

async function livingRuns(services: Services): Promise<RunListing[]> {
  await services.runs.refresh();
  return allRuns(services).filter((candidate) => !isOver(candidate));
}

/** The named runs, or all of the newest experiment. */
async function found(services: Services, names: readonly string[] | undefined): Promise<readonly RunListing[]> {
  await services.runs.refresh();
  const [newest] = services.runs.experiments;
  if (!newest) throw new Error('There are no runs in this workspace yet; start one with start_run.');
  if (!names || names.length === 0) return newest.runs;
  return names.flatMap((name) => {
    const experiment = services.runs.experiments.find(({ id }) => id === name);
    const run = allRuns(services).find(({ id, folder }) => id === name || path.basename(folder) === name);
    if (!experiment && !run) throw new Error(`There is no run "${name}". Runs here, newest first: ${known(services)}.`);
    return experiment?.runs ?? (run ? [run] : []);
  });
}

const allRuns = ({ runs }: Services) => runs.experiments.flatMap((experiment) => experiment.runs);
const experimentIdOf = ({ runs }: Services, run: RunListing) =>
  runs.experiments.find((experiment) => experiment.runs.includes(run))?.id;
const known = (services: Services) =>
  allRuns(services)
    .slice(0, 20)
    .map(({ id }) => id)
    .join(', ');

/** A model reads only the message of an error: the hint of a `UserError` goes into it. */
export async function explained<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw error instanceof UserError ? new Error(describeError(error), { cause: error }) : error;
  }
}
