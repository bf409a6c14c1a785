/** A real VS Code with the packaged extension on a fresh workspace, driven through Chromium. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterEach } from 'vitest';
import { installExtension, startEditorServer, writeSettings } from '../../scripts/editor/server.mjs';
import { packageFile } from '../../scripts/package.mjs';
import { findBrowser } from '../../scripts/setup/browser.mjs';
import { endRuns } from './runs.ts';

const pictures = path.resolve('test-results/editor');

export interface EditorOptions {
  /** Files of the workspace: text by name. */
  readonly files?: Readonly<Record<string, string>>;
  /** Writes what else the workspace holds. */
  readonly prepare?: (workspace: string) => void;
  /** False: the folder is not trusted and nobody asks. */
  readonly trust?: boolean;
  /** Arguments of the server. */
  readonly args?: readonly string[];
  /** Environment of the server and of the extension host, beside that of the test. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A server that is up, with the extension installed; no window yet. */
export interface Server {
  readonly origin: string;
  readonly port: number;
  readonly workspace: string;
  /** Where the installed extension lies. */
  readonly extension: string;
  /** Ends the server and every run in the workspace, and removes the files. */
  close(): Promise<void>;
}

/** Starts the server on a workspace with these files. */
export async function openServer(options: EditorOptions = {}): Promise<Server> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'masksub-editor-'));
  const workspace = path.join(folder, 'workspace');
  const data = path.join(folder, 'data');
  fs.mkdirSync(workspace);
  for (const [name, text] of Object.entries(options.files ?? {})) fs.writeFileSync(path.join(workspace, name), text);
  options.prepare?.(workspace);
  const extension = packageFile();
  if (!fs.existsSync(extension)) throw new Error(`${extension} is missing; npm test -- editor makes it`);
  writeSettings(data, {
    'window.autoDetectColorScheme': true,
    'security.workspace.trust.startupPrompt': 'never',
    // Text that arrives all at once is meant as it is.
    'editor.autoIndent': 'none',
    'editor.autoClosingBrackets': 'never',
  });
  await installExtension(data, extension);
  const { MASKSUB_ENGINE = path.resolve('.engine'), ...rest } = process.env;
  const server = await startEditorServer({
    data,
    workspace,
    trust: options.trust ?? true,
    args: options.args ?? [],
    // What vitest sets would change how Node and the extension behave.
    env: { PATH: rest.PATH, HOME: folder, LANG: rest.LANG, MASKSUB_ENGINE, ...options.env },
  });
  const installed = fs.readdirSync(path.join(data, 'extensions')).find((name) => name.startsWith('masksub.'));
  return {
    origin: server.origin,
    port: server.port,
    workspace,
    extension: path.join(data, 'extensions', installed ?? 'missing'),
    async close() {
      await server.stop();
      await endRuns(workspace);
      fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** The Chromium that set-up found. */
export async function openBrowser(): Promise<Browser> {
  const executablePath = findBrowser();
  if (!executablePath) throw new Error('no browser; npm test sets one up');
  return chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
  });
}

/** Leaves a picture of the window, `failed-<test>`, where a test fails. */
export function pictureOnFailure(editor: () => Editor | undefined): void {
  afterEach(async ({ task }) => {
    const name = task.name.toLowerCase().replace(/[^a-z]+/g, '-');
    if (task.result?.state === 'fail') await editor()?.picture(`failed-${name.slice(0, 40)}`);
  });
}

/** An editor window on a server's workspace. */
export class Editor {
  readonly page: Page;
  readonly workspace: string;
  readonly #server: Server;
  readonly #browser: Browser;

  private constructor(server: Server, browser: Browser, page: Page) {
    this.#server = server;
    this.#browser = browser;
    this.page = page;
    this.workspace = server.workspace;
  }

  /** Starts server and browser, and waits until the window stands. `open` names a file of the workspace to show. */
  static async open(options: EditorOptions & { readonly open?: string } = {}): Promise<Editor> {
    const server = await openServer(options);
    const browser = await openBrowser();
    const page = await browser.newPage({ viewport: { width: 1400, height: 900 }, colorScheme: 'dark' });
    const editor = new Editor(server, browser, page);
    const query = new URLSearchParams({ folder: server.workspace });
    await page.goto(`${server.origin}?${query}`);
    await editor.ready();
    if (options.open) await editor.pick(options.open, options.open);
    return editor;
  }

  /** Waits until the window stands, after opening or reloading it. */
  async ready(): Promise<void> {
    await this.page.locator('.monaco-workbench .part.statusbar .statusbar-item').first().waitFor({ timeout: 60_000 });
  }

  /** Reloads the window as a person does, so that the editor may put its state away first. */
  async reload(): Promise<void> {
    const loaded = this.page.waitForEvent('load');
    await this.palette('Developer: Reload Window');
    await loaded;
    await this.ready();
  }

  /** Runs a command by the title that a person sees in the palette. */
  async palette(title: string): Promise<void> {
    await this.pick(`>${title}`, title);
  }

  /**
   * Types into the box that finds commands and files, and takes the row with that text. The list does not refresh when an
   * extension registers late, so it is opened anew until the row is there.
   */
  async pick(typed: string, text: string): Promise<void> {
    const row = this.page.locator('.quick-input-widget .monaco-list-row').filter({ hasText: text }).first();
    for (let attempt = 0; attempt < 10; attempt++) {
      await this.page.keyboard.press('F1');
      const input = this.page.locator('.quick-input-widget .quick-input-box input');
      await input.waitFor();
      await input.fill(typed);
      try {
        await row.waitFor({ timeout: 3000 });
        await row.click();
        return;
      } catch {
        await this.page.keyboard.press('Escape');
      }
    }
    throw new Error(`The editor does not offer "${text}".`);
  }

  /** Puts the text of the active editor aside for this one, without saving it. */
  async typeOver(text: string): Promise<void> {
    await this.page.locator('.editor-group-container.active .monaco-editor .view-lines').first().click();
    await this.page.keyboard.press('Control+A');
    await this.page.keyboard.press('Delete');
    await this.page.keyboard.insertText(text);
  }

  /** The text of a notification that holds these words. */
  async notification(words: string | RegExp): Promise<string> {
    const found = this.page.locator('.notification-list-item, .monaco-dialog-box').filter({ hasText: words }).first();
    await found.waitFor({ timeout: 30_000 });
    return (await found.textContent()) ?? '';
  }

  /** A picture in the dark and in the light theme: `test-results/editor/<name>-dark.png` and `-light.png`. */
  async picture(name: string): Promise<void> {
    fs.mkdirSync(pictures, { recursive: true });
    for (const scheme of ['light', 'dark'] as const) {
      await this.page.emulateMedia({ colorScheme: scheme, forcedColors: 'none' });
      const theme = scheme === 'dark' ? '.monaco-workbench.vs-dark' : '.monaco-workbench.vs';
      await this.page.locator(theme).waitFor();
      // The dashboard takes the new colours over from the frame that holds it; two frames later they are painted.
      await this.page.waitForTimeout(500);
      await this.page.screenshot({ path: path.join(pictures, `${name}-${scheme}.png`) });
    }
  }

  async close(): Promise<void> {
    await this.#browser.close();
    await this.#server.close();
  }
}
