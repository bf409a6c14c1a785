/** The extension as VS Code sees it: activation and commands. */
import assert from 'node:assert/strict';
import * as vscode from 'vscode';

const commands = ['start', 'newExperiment', 'stop', 'openDashboard', 'showRunFolder', 'checkEnvironment'];

describe('extension', () => {
  it('activates', async () => {
    const extension = vscode.extensions.getExtension('masksub.masksub');
    assert.ok(extension, 'masksub.masksub is not installed');
    await extension.activate();
    assert.equal(extension.isActive, true);
  });

  for (const name of commands) {
    it(`registers masksub.${name}`, async () => {
      assert.ok((await vscode.commands.getCommands(true)).includes(`masksub.${name}`));
    });
  }

  it('registers every command that its package.json contributes', async () => {
    const manifest: unknown = vscode.extensions.getExtension('masksub.masksub')?.packageJSON;
    const contributed = contributedCommands(manifest);
    const registered = await vscode.commands.getCommands(true);
    assert.deepEqual(
      contributed.filter((command) => !registered.includes(command)),
      [],
    );
    assert.ok(contributed.length >= commands.length);
  });
});

function contributedCommands(manifest: unknown): string[] {
  const { contributes } = manifest as { contributes: { commands: { command: string }[] } };
  return contributes.commands.map(({ command }) => command);
}
