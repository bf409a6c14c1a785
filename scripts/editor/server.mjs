/** Starts the editor server on the loopback address, with a profile of its own and the packaged extension installed. */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { editorServer } from '../setup/editor.mjs';
import { execute, SetupError } from '../setup/step.mjs';
import { endGroup } from './processes.mjs';

const host = '127.0.0.1';

/** A chat pane would take the focus, and nothing may be looked up on the network. */
const quietSettings = {
  'chat.disableAIFeatures': true,
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'workbench.startupEditor': 'none',
  'workbench.tips.enabled': false,
  'git.enabled': false,
  'extensions.autoCheckUpdates': false,
  'extensions.autoUpdate': false,
  'extensions.ignoreRecommendations': true,
  'telemetry.telemetryLevel': 'off',
};

/**
 * Writes the profile's settings.
 *
 * @param {string} data the server's data folder
 * @param {Record<string, unknown>} [settings] added to those that keep the editor quiet
 */
export function writeSettings(data, settings = {}) {
  for (const folder of ['User', 'Machine']) fs.mkdirSync(path.join(data, 'data', folder), { recursive: true });
  const text = JSON.stringify({ ...quietSettings, ...settings }, null, 2);
  fs.writeFileSync(path.join(data, 'data', 'User', 'settings.json'), text);
}

/**
 * Installs a packaged extension for the servers that use this data folder.
 *
 * @param {string} data
 * @param {string} file a .vsix
 */
export async function installExtension(data, file) {
  const folders = ['--user-data-dir', path.join(data, 'data'), '--extensions-dir', path.join(data, 'extensions')];
  const env = { ...process.env, EXTENSIONS_GALLERY: '{}' };
  await execute(editorServer.node, [editorServer.commandLine, ...folders, '--install-extension', file, '--force'], {
    env,
  });
}

/**
 * Starts the server and waits until it answers. It is the leader of a process group, which `stop` ends.
 *
 * @param {object} options
 * @param {string} options.data the server's data folder
 * @param {string} options.workspace the folder that the editor opens
 * @param {string} [options.token] what a browser must know; without one, anybody on this machine may connect
 * @param {boolean} [options.trust] false: ask whether the folder is to be trusted. Default: every folder is
 * @param {readonly string[]} [options.args]
 * @param {NodeJS.ProcessEnv} [options.env]
 */
export async function startEditorServer({ data, workspace, token, trust = true, args = [], env = process.env }) {
  const port = await freePort();
  const tokenFile = path.join(data, 'token');
  if (token) fs.writeFileSync(tokenFile, token, { mode: 0o600 });
  const log = fs.openSync(path.join(data, 'server.log'), 'w');
  const options = [
    ...['--host', host, '--port', String(port)],
    ...(token ? ['--connection-token-file', tokenFile] : ['--without-connection-token']),
    ...(trust ? ['--disable-workspace-trust'] : []),
    ...['--accept-server-license-terms', '--telemetry-level', 'off'],
    ...['--server-data-dir', data, '--extensions-dir', path.join(data, 'extensions'), '--default-folder', workspace],
    ...args,
  ];
  const child = spawn(editorServer.node, [editorServer.server, ...options], {
    detached: true,
    stdio: ['ignore', log, log],
    env: { ...env, EXTENSIONS_GALLERY: '{}' },
  });
  fs.closeSync(log);
  const { pid } = child;
  if (pid === undefined) throw new SetupError(`The editor server could not be started with ${editorServer.node}.`);
  const origin = `http://${host}:${port}/`;
  // The whole group: the server keeps extension hosts of clients that are gone for hours.
  const stop = () => endGroup(pid);
  try {
    await answers(origin, child, path.join(data, 'server.log'));
  } catch (error) {
    await stop();
    throw error;
  }
  return { origin, port, url: token ? `${origin}?tkn=${token}` : origin, pid, stop };
}

/** True where something answers at this address within a second, whatever it says. */
export async function isAnswering(url) {
  try {
    await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(1000) });
    return true;
  } catch {
    return false;
  }
}

async function answers(url, child, log) {
  const deadline = Date.now() + 30_000;
  while (!(await isAnswering(url))) {
    if (child.exitCode !== null || Date.now() > deadline) {
      const lines = fs.readFileSync(log, 'utf8').trim().split('\n').slice(-10).join('\n');
      throw new SetupError(`The editor server does not answer at ${url}. It said:\n${lines}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once('error', reject);
    server.listen(0, host, () => {
      const { port } = /** @type {net.AddressInfo} */ (server.address());
      server.close(() => resolve(port));
    });
  });
}
