/**
 * `npm start`: sets up, builds, opens a real editor on a sample workspace with this extension, and starts the default experiment
 * there. `npm start -- --headless [arguments of masksub run]` runs the experiment in the terminal only.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { build } from './build.mjs';
import { desktopEditor, openDesktop } from './editor/desktop.mjs';
import { endGroup, isAlive, startTime } from './editor/processes.mjs';
import { installExtension, isAnswering, startEditorServer, writeSettings } from './editor/server.mjs';
import { packageExtension } from './package.mjs';
import { setUpEditor } from './setup/editor.mjs';
import { setUpEngine } from './setup/engine.mjs';
import { setUpImages } from './setup/images.mjs';
import { setUpPackages } from './setup/packages.mjs';
import { execute, fail, root, SetupError, step } from './setup/step.mjs';

const home = process.env.MASKSUB_START_FOLDER ?? path.join(root, '.masksub'); // a test has one of its own
const workspace = path.join(home, 'workspace');
const config = path.join(workspace, 'fashion-vit.masksub.json');
const runs = path.join(workspace, '.masksub', 'runs');
const cli = path.join(root, 'dist', 'cli.js');
const profile = path.join(home, 'editor');
const stateFile = path.join(home, 'start.json');
const env = {
  ...process.env,
  MASKSUB_ENGINE: process.env.MASKSUB_ENGINE ?? path.join(root, '.engine'),
  MASKSUB_OPEN_DASHBOARD: '1',
};

let interrupted = false;
/** Resolves at Ctrl-C or a request to end; what lives then is closed in order. */
const interruption = new Promise((resolve) => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      interrupted = true;
      resolve(undefined);
    });
  }
});

const [mode, ...runArguments] = process.argv.slice(2);
if (mode === undefined) await start().catch(fail);
else if (mode === '--headless') await headless(runArguments).catch(fail);
else {
  fail(
    new SetupError(`Unknown argument ${mode}. Use: npm start, or npm start -- --headless [arguments of masksub run]`),
  );
  process.exitCode = 2;
}

/** Editor and experiment; the editor server stays until Ctrl-C. */
async function start() {
  const living = await livingServer();
  if (living) {
    console.log(`The editor is open already (end it with Ctrl-C in the terminal that started it):\n\n    ${living}\n`);
    return;
  }
  await setUpPackages();
  await setUpEngine();
  await setUpImages();
  const desktop = await desktopEditor();
  if (!desktop) await setUpEditor();
  await build();
  const extension = await packageExtension();
  await prepareWorkspace();
  if (desktop) {
    await step(
      'editor',
      () => undefined,
      () => openDesktop(desktop, { profile, extension, workspace, env }),
    );
    process.exitCode = await run([config, '--out', runs]);
    return;
  }
  const server = await openServer(extension);
  try {
    console.log(`\nOpen this address in a browser (it is valid on this machine only):\n\n    ${server.url}\n`);
    process.exitCode = await run([config, '--out', runs]);
    if (!interrupted) console.log(`\nThe editor stays open until Ctrl-C:\n\n    ${server.url}\n`);
    await interruption;
  } finally {
    await server.stop();
    fs.rmSync(stateFile, { force: true });
  }
}

/** The experiment alone; the exit code is that of the command line. */
async function headless(args) {
  await setUpPackages();
  await setUpEngine();
  await setUpImages();
  await build();
  await prepareWorkspace();
  const ownConfig = args[0]?.startsWith('-') === false || args.some((arg) => /^[^=]*\.masksub\.json$/.test(arg));
  const ownFolder = args.some((arg) => arg === '--out' || arg.startsWith('--out='));
  process.exitCode = await run([
    ...(ownConfig ? [] : [config]),
    ...args,
    ...(ownConfig || ownFolder ? [] : ['--out', runs]),
  ]);
}

/** `masksub run` as the leader of a group of its own, so that ending it ends no more than the experiment. */
function run(args) {
  console.log();
  return new Promise((resolve, reject) => {
    const cwd = process.env.INIT_CWD ?? process.cwd();
    const child = spawn(process.execPath, [cli, 'run', ...args], { cwd, env, detached: true, stdio: 'inherit' });
    interruption.then(() => child.kill('SIGTERM'));
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 1));
  });
}

/** The sample workspace: the template of `masksub new`; what a person changed in it stays. */
async function prepareWorkspace() {
  await step(
    'sample workspace',
    () => (fs.existsSync(config) ? path.relative(root, workspace) : undefined),
    async () => {
      fs.mkdirSync(workspace, { recursive: true });
      fs.writeFileSync(config, await execute(process.execPath, [cli, 'new', '--stdout']));
      return path.relative(root, workspace);
    },
  );
}

async function openServer(extension) {
  writeSettings(profile, { 'masksub.enginePath': env.MASKSUB_ENGINE });
  await installExtension(profile, extension);
  let server;
  await step(
    'editor server starts',
    () => undefined,
    async () => {
      server = await startEditorServer({ data: profile, workspace, token: randomBytes(24).toString('hex'), env });
      const pids = { starter: process.pid, server: server.pid };
      const times = { starterStart: startTime(pids.starter), serverStart: startTime(pids.server) };
      // The address holds the token: nobody else may read it.
      fs.writeFileSync(stateFile, JSON.stringify({ ...pids, ...times, url: server.url }), { mode: 0o600 });
    },
  );
  return server;
}

/** The address of the server that an earlier `npm start` keeps open; a server whose starter was killed is ended. */
async function livingServer() {
  if (!fs.existsSync(stateFile)) return undefined;
  const state = JSON.parse(fs.readFileSync(stateFile, 'utf8'));
  if (!isAlive(state.server, state.serverStart)) return undefined;
  if (isAlive(state.starter, state.starterStart) && (await isAnswering(state.url))) return state.url;
  await endGroup(state.server);
  return undefined;
}
