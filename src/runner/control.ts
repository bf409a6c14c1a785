/** The control socket of a running experiment: one JSON object a line, for the same user only. */
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { UserError } from '../core/errors.ts';
import {
  type ControlAnswer,
  type ControlRequest,
  controlAnswerSchema,
  controlRequestSchema,
} from '../core/messages.ts';

export interface ControlServer {
  readonly address: string;
  close(): void;
}

/** Listens in a fresh folder that only this user can enter; socket paths must be short, so it lies in the temporary folder. */
export async function serveControl(answer: (request: ControlRequest) => ControlAnswer): Promise<ControlServer> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'masksub-')); // mode 0700
  const address = process.platform === 'win32' ? `\\\\.\\pipe\\${path.basename(folder)}` : path.join(folder, 's');
  const server = net.createServer((socket) => {
    socket.on('error', () => socket.destroy()); // the other side left
    createInterface({ input: socket }).on('line', (line) => {
      const request = parseRequest(line);
      socket.write(`${JSON.stringify(request ? answer(request) : { ok: false, state: 'unknown request', step: 0 })}\n`);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(address, resolve);
  });
  server.unref();
  return {
    address,
    close: () => {
      server.close();
      fs.rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Asks a running experiment and waits for its answer. Throws a UserError where nobody answers. */
export function ask(address: string, request: ControlRequest, timeoutMs = 5000): Promise<ControlAnswer> {
  return new Promise((resolve, reject) => {
    const socket = net.createConnection(address);
    const fail = (cause?: unknown) => {
      socket.destroy();
      reject(
        new UserError('The run does not answer on its control socket.', {
          hint: 'It may have just ended; see `masksub show`.',
          cause,
        }),
      );
    };
    socket.setTimeout(timeoutMs, fail);
    socket.once('error', fail);
    createInterface({ input: socket }).once('line', (line) => {
      socket.end();
      const parsed = controlAnswerSchema.safeParse(JSON.parse(line));
      if (parsed.success) resolve(parsed.data);
      else fail(parsed.error);
    });
    socket.write(`${JSON.stringify(request)}\n`);
  });
}

function parseRequest(line: string): ControlRequest | undefined {
  try {
    const parsed = controlRequestSchema.safeParse(JSON.parse(line));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined; // not JSON: answered as an unknown request
  }
}
