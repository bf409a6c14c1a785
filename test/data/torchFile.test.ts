/** Checkpoints of torch.save: every tensor is what PyTorch says, lazily; attacks and damage are refused by name. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { openTorchFile, type TorchFile } from '../../src/data/torchFile.ts';
import { temporaryFolder } from '../store/temporaryFolder.ts';
import { pythonWith } from '../support/python.ts';
import { failure } from './failure.ts';

/**
 * What PyTorch 2.13 wrote of {'model': OrderedDict([('head.weight', torch.arange(6.).view(2, 3).t()), ('head.bias',
 * torch.tensor([1., -2.], dtype=torch.float16)), ('steps', torch.tensor(7))]), 'epoch': 3}, gzipped.
 */
const stored = {
  zip: 'H4sIAAAAAAACA6VV30/TQBy/dlu3FRw/RAao6ONIcOwnG4JCFlONNXHMmCy8LKU71say7tobqIkJiQHjm/qiT8ZH/wN903/BFxMT30wkPvkn4F3LSluyDeGy2yXdfX7s7vv5tiwGggBEIuDYGAajQDJkRd2Cc3UJS8nWI00oxcCaZ+ywzxBIVEMEsKnXoYYYWdY1DcpY1Zsmf9+oQwPWb6ky5hE7U0GBRHWA7FWgVE9uQ7WhYBSUsU50krU2VjWTrxlwva1q9RqGTVM3alsZHoUSiWqYwEyyU2pAxNkQXtB0CT+wH/IoXGXInhSKVANklVttFBU5jPhVEYgBkd1DAyIjBvbQ4EuFWjmHUayChqrRjp91VTLRsELElI7AHUnbcPhHLP40GlWiIovRecrL7qIxkdlFF2zOcYziFTRhnYeJYctEkx6+e3qz4fBNWXwZdJHwMRhdInwzMzbPZYymK+hK2yKCLV1W0FUx0E6WxXDkx0H6t06QdJa7Xl8cDDrXl9zQjU0J17agYZJrEUoR5xbTlPHT35/PqRU6uzNOgcIR4+FN1CRNbTQ3YRMLpayvNE405nPUwPI2+sMSCbangRGw7BhYf4KhTotLKC2eRrczNBVjDVIPuzd+TXJEhevpIQZuelIxlxJK189gwGbdWSZfK+RD5g6ZH1aoo/ir/dcT5IeJPo5mvY7SQilxYkdgCXylWlVm9S0RAME+WiterYxQWjrL8a+FD5mph9b3fZ2KRnp6GAKLjgenoAunNZHlqfK3942H/etvGmSOAmD9fRMaKknAU4l2u5paF0rJ/zSSKuYWcsViMVdYmM+ncsVCNp9K53P51HyGPM8tZNLpVDZbyFCXjzde3E0QHwnLJUPNOj7dTWH4mHN/H/ej3Q0g7kF+YUC3NuIncYd4yhtcFvToHH4edxBHPDxvXDxOA/DD3amJeeDjAeDLrh/rToEX+9GPTfux7ur1YseCPmzGj3XX35AH+86F7XLu7rKY9oBHQ6BPwZZFjpvtlHfgmoOM+tbbrL1+DnXiylnJPTjMr/3mCHE2Jmrtt/f+A/23xkVhCAAA',
  legacy:
    'H4sIAAAAAAACA22Ry27TQBSG7bGTNC4tpVzLtUtnE7mhaYmERBeoQhquYTMbZLn2NDPV4PHxjItAqpRNK+AZWLDkMXgdHgGJBcd1U7VSRnPRHP/+/l9npuR7oP792P27fvDr7Vp/Sl798XA/AidkK47jFKW2OtUqPuSlkToHFwVsCb8oaa3iMc8zmeRAvrIAi/ZzwWMjv3AD3hH4IWth0QhdWmhRwjy8ydxCm/rMrxk6n0CH+lU186z1H3XGFbgp2iqeWnQ1wZsy4yXPnsvUBkB6Y/BCtohawZOs/4nLibDgp1aXqejHlZXKBHHJ9yqpstjy3OgyPhwE0ApD1qkjoTKZcGg3vwS7Sif2fVMMoMOWUTPaHEZPtkbb0ebjQRTBwmn6tKigS9uvLQTvqEM9Sk5gkbrUO4Er30QdbMnC8hiusu4s3Z5MDKwItBYzuxeJ2j93u3bBbSPaiobR9gBWRZcSdLleu5BjuEHdY7jZONyycHsMd5reWl4YWLtEf4ldPaffvUQfjjZq+j2ku0i/j/Rer6E+sPBwDI+qUywvdCpgnXr1w3yoH2YOxZ0XnMzrncf7rtOMztlJzk7nqfO77Vwc02e47eDENcX1c+c/X8NQyqUCAAA=',
};

const contentOf = (kind: keyof typeof stored) => gunzipSync(Buffer.from(stored[kind], 'base64'));

function fileOf(content: Uint8Array): string {
  const file = path.join(temporaryFolder(), 'weights.pt');
  fs.writeFileSync(file, content);
  return file;
}

async function opened(file: string): Promise<TorchFile> {
  const torchFile = await openTorchFile(file);
  onTestFinished(() => torchFile.close());
  return torchFile;
}

/** Each tensor's type, shape and values. */
async function valuesIn({ tensors }: TorchFile): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {};
  for (const [name, { dtype, shape, read }] of tensors) found[name] = [dtype, shape, [...(await read())]];
  return found;
}

/** An archive without compression, as torch.save writes it; only the reader of zip files says what must be in it. */
function zipOf(entries: Readonly<Record<string, string | Uint8Array>>, method = 0): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const [name, content] of Object.entries(entries)) {
    const bytes = typeof content === 'string' ? Buffer.from(content, 'latin1') : Buffer.from(content);
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(method, 8);
    local.writeUInt32LE(bytes.length, 18);
    local.writeUInt32LE(bytes.length, 22);
    local.writeUInt16LE(name.length, 26);
    const central = Buffer.alloc(46);
    central.writeUInt32LE(0x02014b50, 0);
    central.writeUInt16LE(method, 10);
    central.writeUInt32LE(bytes.length, 20);
    central.writeUInt32LE(bytes.length, 24);
    central.writeUInt16LE(name.length, 28);
    central.writeUInt32LE(at, 42);
    parts.push(local, Buffer.from(name), bytes);
    directory.push(central, Buffer.from(name));
    at += 30 + name.length + bytes.length;
  }
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(Object.keys(entries).length, 8);
  end.writeUInt16LE(Object.keys(entries).length, 10);
  end.writeUInt32LE(Buffer.concat(directory).length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...parts, ...directory, end]);
}

/** A short text. */
const text = (value: string) => `X${String.fromCharCode(value.length)}\0\0\0${value}`;

interface View {
  readonly shape?: string;
  readonly strides?: string;
  readonly offset?: string;
  /** Elements that the storage is said to have. */
  readonly length?: string;
  readonly type?: string;
}

const int = (value: number) =>
  `J${String.fromCharCode(value & 255, (value >> 8) & 255, (value >> 16) & 255, value >>> 24)}`;

/** A pickle of one tensor `w`, by default of two floats. */
function pickleOf({
  shape = int(2),
  strides = int(1),
  offset = 'K\0',
  length = 'K\x02',
  type = 'Float',
}: View = {}): string {
  const storage = `(${text('storage')}ctorch\n${type}Storage\n${text('0')}${text('cpu')}${length}tQ`;
  const view = `${offset}(${shape}t(${strides}t\x89ccollections\nOrderedDict\n)R`;
  return `\x80\x02}${text('w')}ctorch._utils\n_rebuild_tensor_v2\n(${storage}${view}tRs.`;
}

const archiveOf = (pickle: string, storage: Uint8Array = Buffer.alloc(8)) =>
  fileOf(zipOf({ 'archive/data.pkl': pickle, 'archive/data/0': storage, 'archive/version': '3\n' }));

describe('a file of PyTorch', () => {
  test.each(['zip', 'legacy'] as const)('is read (%s)', async (kind) => {
    const file = await opened(fileOf(contentOf(kind)));
    expect(await valuesIn(file)).toEqual({
      'head.weight': ['float32', [3, 2], [0, 3, 1, 4, 2, 5]],
      'head.bias': ['float16', [2], [1, -2]],
      steps: ['int64', [], [7]],
    });
    expect(file.notes).toEqual(['The weights are those under "model"; not read: "epoch".']);
  });

  test.each(['zip', 'legacy'] as const)('is refused wherever it is cut off (%s)', async (kind) => {
    const content = contentOf(kind);
    const file = fileOf(content);
    for (let length = content.length - 1; length >= 0; length--) {
      fs.truncateSync(file, length);
      const error = await failure(openTorchFile(file));
      expect(error.message).toContain(file);
    }
  });

  test('gives values or an error for a person with any byte changed', async () => {
    for (const kind of ['zip', 'legacy'] as const) {
      const content = contentOf(kind);
      const file = fileOf(content);
      for (let at = 0; at < content.length; at++) {
        // All of the archive's directory, at the end, and enough of the rest.
        if (at % 3 !== 0 && at < content.length - 200) continue;
        const changed = Buffer.from(content);
        changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8));
        fs.writeFileSync(file, changed);
        const torchFile = await openTorchFile(file).catch((error: Error) => {
          expect(error.name, `${kind}, byte ${at}: ${error.stack}`).toBe('UserError');
        });
        for (const { read } of torchFile?.tensors.values() ?? []) {
          await read().catch((error: Error) => expect(error.name, `${kind}, byte ${at}`).toBe('UserError'));
        }
        await torchFile?.close();
      }
    }
  });

  test('only what is read is taken from the disk', async () => {
    const file = archiveOf(pickleOf(), Buffer.from(Float32Array.of(1, 2).buffer));
    const { tensors } = await opened(file);
    const bytes = fs.readFileSync(file);
    const at = bytes.indexOf(Buffer.from(Float32Array.of(1, 2).buffer));
    const descriptor = fs.openSync(file, 'r+');
    fs.writeSync(descriptor, Buffer.from(Float32Array.of(3, 4).buffer), 0, 8, at);
    fs.closeSync(descriptor);
    expect([...((await tensors.get('w')?.read()) ?? [])]).toEqual([3, 4]);
  });
});

describe('a file that could run code', () => {
  test.each([
    ['os.system', "}X\x01\0\0\0wcos\nsystem\n(S'touch MARKER'\ntRs."],
    ['posix.system', '\x80\x04\x8c\x05posix\x8c\x06system\x93X\x06\0\0\0MARKER\x85R.'],
    ['builtins.getattr', 'cbuiltins\ngetattr\n.'],
    ['torch.nn.modules.linear.Linear', 'ctorch.nn.modules.linear\nLinear\n)\x81.'],
  ])('is refused (%s)', async (name, pickle) => {
    const folder = temporaryFolder();
    const file = archiveOf(pickle.replace('MARKER', path.join(folder, 'executed')));
    const error = await failure(openTorchFile(file));
    const refused = `names ${name}, which is no part of a weights file: it could run code. Nothing was executed.`;
    expect(error.message).toBe(`${file} (archive/data.pkl) ${refused}`);
    expect(error.hint).toContain('safetensors');
    expect(fs.readdirSync(folder)).toEqual([]);
  });
});

describe('a tensor that its storage does not have', () => {
  const wants = 'weights.pt: the tensor "w" wants its storage up to byte';
  test.each<[string, View, number, string]>([
    ['more than the storage says', { shape: int(3) }, 100, `${wants} 12, but that has 8 bytes`],
    ['more than the file has', {}, 7, `${wants} 8, but that has 7 bytes`],
    ['an offset beyond', { offset: 'K\x01' }, 8, `${wants} 12, but`],
    ['a stride beyond', { strides: int(2) }, 8, `${wants} 12, but`],
    ['a negative stride', { strides: int(-1) }, 8, 'a tensor with strides has no shape'],
    ['a negative length', { shape: int(-1) }, 8, 'a tensor has no shape'],
    ['strides for fewer dimensions', { strides: '' }, 8, 'not as many strides as dimensions'],
    ['a value repeated without end', { shape: int(2 ** 30), strides: int(0) }, 8, 'has 1073741824 values made of 1'],
    [
      'a size beyond all numbers',
      { shape: int(2 ** 30).repeat(60), strides: int(0).repeat(60) },
      8,
      'values made of 1',
    ],
    ['dimensions beyond all', { shape: int(1).repeat(65), strides: int(1).repeat(65) }, 8, 'a tensor has no shape'],
    ['values of a size of its own', { length: int(2 ** 30), shape: int(2 ** 30) }, 8, `${wants} 4294967296, but`],
  ])('is refused: %s', async (_what, view, bytes, message) => {
    const { message: found } = await failure(openTorchFile(archiveOf(pickleOf(view), Buffer.alloc(bytes))));
    expect(found).toContain(message);
  });

  test('is empty where a dimension is', async () => {
    const huge = `${int(2 ** 30).repeat(60)}${int(0)}`;
    const file = await opened(archiveOf(pickleOf({ shape: huge, strides: huge })));
    expect(await file.tensors.get('w')?.read()).toEqual(new Float32Array());
  });
});

describe('a file of another kind', () => {
  const state = { 'archive/data.pkl': pickleOf(), 'archive/data/0': Buffer.alloc(8) };
  const tar = Buffer.alloc(1024);
  tar.write('ustar', 257);
  test.each<[string, Uint8Array, string, string]>([
    ['empty', Buffer.alloc(0), 'it is empty', 'torch.save'],
    ['a picture', Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), 'it begins with the bytes 89504e47', 'torch.save'],
    ['a tar archive', tar, 'it is a tar archive', 'torch.save'],
    ['safetensors', Buffer.from('\x40\0\0\0\0\0\0\0{"x":{}}', 'latin1'), 'it is a safetensors file', 'safetensors'],
    ['a pickle', Buffer.from('\x80\x02N.', 'latin1'), 'it is a pickle that torch.save did not write', 'state_dict()'],
    ['a zip file', zipOf({ 'readme.txt': 'x' }), 'it is a zip archive without a data.pkl', 'torch.save'],
    [
      'TorchScript',
      zipOf({ ...state, 'archive/constants.pkl': 'N.' }),
      'it is a TorchScript archive',
      'torch.jit.load',
    ],
    [
      'TorchScript',
      zipOf({ ...state, 'archive/code/__torch__.py': '' }),
      'it is a TorchScript archive',
      'torch.jit.load',
    ],
    ['big-endian', zipOf({ ...state, 'archive/byteorder': 'big' }), 'the big end first', 'safetensors'],
    ['compressed', zipOf(state, 8), 'archive/data.pkl is compressed or encrypted', 'torch.save'],
    ['without a storage', zipOf({ 'archive/data.pkl': pickleOf() }), 'lies in the storage 0, which is not in', 'again'],
    ['a number', zipOf({ 'archive/data.pkl': 'K\x01.' }), 'holds no state dict, but something else', 'state_dict()'],
    [
      'no weights',
      zipOf({ 'a/data.pkl': `}${text('epoch')}K\x01s.` }),
      'under "model", "module", "state_dict", "model_state_dict", "model_ema"; found "epoch"',
      'state_dict()',
    ],
    [
      'a tensor by pickle',
      zipOf({ 'a/data.pkl': 'ctorch.storage\n_load_from_bytes\n(tR.' }),
      'by pickle itself',
      'again',
    ],
  ])('is named: %s', async (_what, content, message, hint) => {
    const error = await failure(openTorchFile(fileOf(content)));
    expect(error.message).toContain(message);
    expect(error.hint).toContain(hint);
  });

  test('or is missing, or a folder', async () => {
    const folder = temporaryFolder();
    const missing = path.join(folder, 'x.pt');
    expect((await failure(openTorchFile(missing))).message).toBe(`PyTorch checkpoint not found: ${missing}.`);
    expect((await failure(openTorchFile(folder))).message).toBe(
      `PyTorch checkpoint cannot be read: ${folder} is no file.`,
    );
  });
});

describe('where the weights are', () => {
  const tensor = pickleOf().slice(2, -1); // a dict of w
  const other = tensor.replace(text('w'), text('other'));
  const dict = (entries: Record<string, string>) =>
    `\x80\x02}(${Object.entries(entries)
      .map(([name, value]) => `${text(name)}${value}`)
      .join('')}u.`;

  test.each<[string, Record<string, string>, string[], string[]]>([
    [
      'model before all',
      { model_ema: other, state_dict: other, model: tensor },
      ['w'],
      ['The weights are those under "model"; not read: "model_ema", "state_dict".'],
    ],
    [
      'module',
      { state_dict: other, module: tensor },
      ['w'],
      ['The weights are those under "module"; not read: "state_dict".'],
    ],
    [
      'model_ema as the last',
      { model_ema: tensor, model: 'K\x01' },
      ['w'],
      ['The weights are those under "model_ema"; not read: "model".'],
    ],
    ['state_dict alone', { state_dict: tensor }, ['w'], ['The weights are those under "state_dict".']],
    [
      'with what is no tensor',
      { state_dict: `${tensor}${text('n')}K\x01s` },
      ['w'],
      ['The weights are those under "state_dict".', 'Not tensors, and not read: "n".'],
    ],
    [
      'with a prefix',
      { model: tensor.replace(text('w'), text('module.w')) },
      ['w'],
      ['The weights are those under "model".', 'Each name had "module." in front, which is left out.'],
    ],
  ])('%s', async (_what, entries, names, notes) => {
    const file = await opened(archiveOf(dict(entries)));
    expect([...file.tensors.keys()]).toEqual(names);
    expect(file.notes).toEqual(notes);
  });
});

interface Described {
  readonly dtype: string;
  readonly shape: number[];
  readonly sha256: string;
}

const python = pythonWith('torch', 'numpy');

describe.skipIf('missing' in python)(
  `as PyTorch writes them${'missing' in python ? `: ${python.missing}` : ''}`,
  () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'masksub-torch-'));
    let checkpoints: Record<string, Record<string, Described>> = {};
    let marker = '';

    beforeAll(() => {
      const args = ['-W', 'ignore', 'scripts/reference/pickles.py', folder, 'checkpoints', 'attacks'];
      const { stdout, stderr } = spawnSync('command' in python ? python.command : '', args, { encoding: 'utf8' });
      expect(stdout, stderr).not.toBe('');
      const written = JSON.parse(stdout) as { checkpoints: typeof checkpoints; attacks: string };
      checkpoints = written.checkpoints;
      marker = written.attacks;
      return () => fs.rmSync(folder, { recursive: true });
    }, 180_000);

    test('every tensor has the type, shape and values that PyTorch says', async () => {
      expect(Object.keys(checkpoints)).toHaveLength(13);
      for (const [name, tensors] of Object.entries(checkpoints)) {
        const file = await opened(path.join(folder, name));
        const found: Record<string, Described> = {};
        for (const [key, { dtype, shape, read }] of file.tensors) {
          const sha256 = createHash('sha256')
            .update(new Uint8Array((await read()).buffer))
            .digest('hex');
          found[key] = { dtype, shape: [...shape], sha256 };
        }
        expect(found, name).toEqual(tensors);
      }
    });

    test('the arguments, the optimizer and the rest of a run are not read', async () => {
      for (const name of ['training.pth', 'legacy-training.pth', 'protocol-5.pt']) {
        const { notes } = await opened(path.join(folder, name));
        expect(notes, name).toEqual([
          'The weights are those under "model"; not read: "optimizer", "epoch", "scaler", "args", "best", "history", "steps", ' +
            '"device", "dtype", "size", "rng", "by_name".',
        ]);
      }
      const { notes } = await opened(path.join(folder, 'parallel.pth'));
      expect(notes).toContain('Each name had "module." in front, which is left out.');
    });

    test('a type that is not read hinders no other tensor', async () => {
      const { tensors } = await opened(path.join(folder, 'complex.pt'));
      expect(await tensors.get('x')?.read()).toEqual(Float32Array.of(1, 1));
      const error = await failure(tensors.get('c')?.read() ?? Promise.resolve());
      expect(error.message).toContain('the tensor "c" has values of type complex64, which are not read');
    });

    test.each([
      ['script.pt', 'it is a TorchScript archive, which holds a program'],
      ['module.pt', 'names torch.nn.modules.linear.Linear, which is no part of a weights file'],
      ['nothing.pt', 'holds no state dict: expected tensors by name'],
    ])('%s is refused', async (name, message) => {
      expect((await failure(openTorchFile(path.join(folder, name)))).message).toContain(message);
    });

    test('no attack is executed', async () => {
      const attacks = fs.readdirSync(folder).filter((name) => /^attack-.*\.pt$/.test(name));
      expect(attacks).toHaveLength(12);
      for (const name of attacks) {
        const { message } = await failure(openTorchFile(path.join(folder, name)));
        expect(message).toMatch(
          /names (posix\.system|(builtins|__builtin__)\.(eval|exec|__import__)), which is no part/,
        );
      }
      expect(fs.existsSync(marker)).toBe(false);
    });
  },
);
