/** Which checkpoint a run goes on from. */
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { checkpointFiles } from '../../src/store/checkpoints.ts';
import { encodeSafetensors, readMetadata } from '../../src/store/safetensors.ts';
import { temporaryFolder } from './temporaryFolder.ts';

/** A run folder with checkpoints by name and step. */
function folderWith(steps: Readonly<Record<string, number>>): string {
  const folder = temporaryFolder();
  fs.mkdirSync(path.join(folder, 'checkpoints'));
  for (const [name, step] of Object.entries(steps)) {
    const tensors = new Map([['w', { dtype: 'F32', shape: [1], data: Float32Array.of(1) }]] as const);
    fs.writeFileSync(path.join(folder, 'checkpoints', name), encodeSafetensors(tensors, { step: String(step) }));
  }
  return folder;
}

const names = (folder: string) => checkpointFiles(folder).map((file) => path.basename(file, '.safetensors'));

describe('the checkpoints of a run, the newest first', () => {
  test('are ordered by step, whatever they are called', () => {
    const folder = folderWith({
      'step-000000008.safetensors': 8,
      'best.safetensors': 24,
      'step-1000000000.safetensors': 1_000_000_000,
      'step-000000016.safetensors': 16,
    });
    expect(names(folder)).toEqual(['step-1000000000', 'best', 'step-000000016', 'step-000000008']);
    expect(checkpointFiles(folder)[0]).toBe('checkpoints/step-1000000000.safetensors');
  });
  test('of one step: the numbered one, which nothing writes over', () => {
    expect(names(folderWith({ 'best.safetensors': 16, 'step-000000016.safetensors': 16 }))).toEqual([
      'step-000000016',
      'best',
    ]);
  });
  test('are among them where they are damaged', () => {
    const folder = folderWith({
      'best.safetensors': 24,
      'step-000000016.safetensors': 16,
      'step-000000032.safetensors': 32,
    });
    for (const name of ['best', 'step-000000032']) {
      fs.truncateSync(path.join(folder, 'checkpoints', `${name}.safetensors`), 4);
    }
    expect(names(folder)).toEqual(['step-000000032', 'step-000000016', 'best']);
  });
  test('are none but what has been written to its end', () => {
    const folder = folderWith({ 'step-000000016.safetensors.7.tmp': 16 });
    expect(checkpointFiles(folder)).toEqual([]);
    expect(checkpointFiles(temporaryFolder())).toEqual([]);
  });
});

test.each([
  ['nothing', Buffer.alloc(0)],
  ['a length alone', Buffer.from([9, 0, 0, 0, 0, 0, 0, 0])],
  ['a length that no file has', Buffer.alloc(16, 0xff)],
  ['no JSON', Buffer.concat([Buffer.from([2, 0, 0, 0, 0, 0, 0, 0]), Buffer.from('{"')])],
])('the metadata of a damaged file are none: %s', (_what, bytes) => {
  const file = path.join(temporaryFolder(), 'f.safetensors');
  fs.writeFileSync(file, bytes);
  expect(readMetadata(file)).toBeUndefined();
});
