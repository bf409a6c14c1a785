/** Pickles: every form that Python writes is read, nothing is ever executed, and no bytes bring it to a hang or a crash. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { UserError } from '../../src/core/errors.ts';
import { unpickle } from '../../src/data/pickle.ts';
import type { PickleFormat } from '../../src/data/pickleMachine.ts';
import { torchPickle } from '../../src/data/torchPickle.ts';
import { temporaryFolder } from '../store/temporaryFolder.ts';
import { pythonWith } from '../support/python.ts';

const bytesOf = (text: string) => Buffer.from(text, 'latin1');

const nothingKnown: PickleFormat = { content: 'a weights file', hint: 'Do this.', globals: new Map() };

const read = (text: string, format = nothingKnown) => unpickle(bytesOf(text), 'x.pkl', format);

function refusal(text: string, format = nothingKnown): UserError {
  const error = errorOf(() => read(text, format));
  expect(error).toBeInstanceOf(UserError);
  return error as UserError;
}

function errorOf(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return undefined;
}

/** Little-endian, eight bytes. */
const u64 = (value: bigint) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes.toString('latin1');
};

describe('values', () => {
  test.each<[string, string, unknown]>([
    ['INT', 'I-12\n.', -12],
    ['INT as truth', '(I00\nI01\nt.', [false, true]],
    ['LONG', 'L9007199254740993L\n.', 9007199254740993n],
    ['BININT', 'J\xfe\xff\xff\xff.', -2],
    ['BININT1, BININT2', 'K\xffM\x00\x02\x86.', [255, 512]],
    ['LONG1', '\x8a\x00\x8a\x02\x00\xff\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x00\x01\x87.', [0, -256, 2n ** 64n]],
    ['LONG4', '\x8b\x01\x00\x00\x00\x80.', -128],
    ['FLOAT', '(F-1.5e3\nFinf\nF-inf\nFnan\nl.', [-1500, Infinity, -Infinity, Number.NaN]],
    ['BINFLOAT', 'G\x3f\xf8\x00\x00\x00\x00\x00\x00.', 1.5],
    ['STRING', `S'a\\x41\\n\\\\\\'\\101"'\n.`, `aA\n\\'A"`],
    ['BINSTRING, SHORT_BINSTRING', 'T\x02\x00\x00\x00\xff\x00U\x01b\x86.', ['\xff\x00', 'b']],
    ['UNICODE', 'V\\u00e9\\U0001f600\xe9\n.', 'é😀é'],
    ['BINUNICODE', 'X\x02\x00\x00\x00\xc3\xa9.', 'é'],
    ['SHORT_BINUNICODE, BINUNICODE8', `\x8c\x01a\x8d${u64(1n)}b\x86.`, ['a', 'b']],
    ['BINBYTES', 'B\x01\x00\x00\x00\x07.', Buffer.of(7)],
    ['SHORT_BINBYTES, BINBYTES8', `C\x01\x07\x8e${u64(1n)}\x08\x86.`, [Buffer.of(7), Buffer.of(8)]],
    ['BYTEARRAY8', `\x96${u64(2n)}\x01\x02.`, Buffer.of(1, 2)],
    ['LIST, APPEND, APPENDS', '(K\x01lK\x02a(K\x03K\x04e.', [1, 2, 3, 4]],
    ['TUPLE1 to 3', 'N\x85\x88\x89\x86)\x87.', [[null], [true, false], []]],
    ['DICT, SETITEM, SETITEMS', '(K\x01K\x02dK\x03K\x04s(K\x05K\x06u.', new Map([[1, 2], [3, 4], [5, 6]])], // biome-ignore format: pairs
    ['EMPTY_SET, ADDITEMS', '\x8f(K\x01K\x01K\x02\x90.', new Set([1, 2])],
    ['FROZENSET', '(K\x01K\x02\x91.', new Set([1, 2])],
    ['POP, POP_MARK, DUP', 'K\x01K\x020(K\x03K\x0412\x86.', [1, 1]],
    ['PUT, GET and their kin', '(K\x01p7\nq\x08r\x09\x00\x00\x00g7\nh\x08j\x09\x00\x00\x00l.', [1, 1, 1, 1]],
    ['MEMOIZE', ']K\x05\x94ah\x00a.', [5, 5]],
    ['PROTO, FRAME', `\x80\x05\x95${u64(2n)}N.`, null],
  ])('%s', (_what, text, expected) => expect(read(text)).toEqual(expected));

  const python = pythonWith('json');
  test.skipIf('missing' in python)('as Python writes them, at every protocol', () => {
    const folder = temporaryFolder();
    const { values } = pickles(folder, 'values') as { values: unknown };
    for (let protocol = 0; protocol <= 5; protocol++) {
      const bytes = fs.readFileSync(path.join(folder, `protocol-${protocol}.pkl`));
      expect(plain(unpickle(bytes, 'x.pkl', nothingKnown)), `protocol ${protocol}`).toEqual(values);
    }
  });

  function pickles(folder: string, part: string): unknown {
    const command = 'command' in python ? python.command : '';
    const { stdout, stderr } = spawnSync(command, ['scripts/reference/pickles.py', folder, part], { encoding: 'utf8' });
    expect(stdout, stderr).not.toBe('');
    return JSON.parse(stdout);
  }

  /** Objects for Maps, as in JSON. */
  function plain(value: unknown): unknown {
    if (Array.isArray(value)) return value.map(plain);
    if (!(value instanceof Map)) return value;
    return Object.fromEntries([...value].map(([key, item]) => [key, plain(item)]));
  }

  test.skipIf('missing' in python)('no attack of Python is executed', () => {
    const folder = temporaryFolder();
    const { attacks } = pickles(folder, 'attacks') as { attacks: string };
    const files = fs.readdirSync(folder).filter((name) => name.endsWith('.pkl'));
    expect(files.length).toBeGreaterThan(10);
    for (const name of files) {
      const error = errorOf(() => unpickle(fs.readFileSync(path.join(folder, name)), name, torchPickle));
      expect(error).toBeInstanceOf(UserError);
      const names =
        /names (posix\.system|(builtins|__builtin__)\.(eval|exec|__import__)), which is no part of a weights file/;
      expect((error as UserError).message).toMatch(names);
    }
    expect(fs.existsSync(attacks)).toBe(false);
  });
});

describe('what could run code', () => {
  test.each([
    ['GLOBAL', "cos\nsystem\n(S'touch MARKER'\ntR.", 'os.system'],
    ['INST', "(S'touch MARKER'\nios\nsystem\n.", 'os.system'],
    ['OBJ', "(cos\nsystem\nS'touch MARKER'\no.", 'os.system'],
    ['NEWOBJ', "cbuiltins\neval\n(S'1'\nt\x81.", 'builtins.eval'],
    ['STACK_GLOBAL', '\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x0dtouch MARKER\x85R.', 'posix.system'],
    // The names are remembered one by one, hidden behind others, and recalled in another order.
    [
      'STACK_GLOBAL by memo',
      '\x80\x04\x8c\x06system\x94\x8c\x05posix\x94]000h\x01h\x00\x93\x8c\x0dtouch MARKER\x85R.',
      'posix.system',
    ],
    ['a name within a known module', 'ctorch\n_utils.os.system\n.', 'torch._utils.os.system'],
    ['a name in disguise', 'c__builtin__\n__proto__\n.', '__builtin__.__proto__'],
  ])('is refused by name (%s)', (_what, text, name) => {
    const folder = temporaryFolder();
    const marker = path.join(folder, 'executed');
    const called = vi.fn();
    const format: PickleFormat = {
      ...torchPickle,
      globals: new Map([...torchPickle.globals, ['a.b', { call: called }]]),
    };
    const error = refusal(
      text.replace('MARKER', marker).replace('\x0dtouch', `${String.fromCharCode(6 + marker.length)}touch`),
      format,
    );
    expect(error.message).toBe(
      `x.pkl names ${name}, which is no part of a weights file: it could run code. Nothing was executed.`,
    );
    expect(error.hint).toContain('safetensors');
    expect(fs.readdirSync(folder)).toEqual([]);
    expect(called).not.toHaveBeenCalled();
  });

  test('a known name is called by what stands for it, and keeps its state there', () => {
    const build = vi.fn();
    const globals = new Map([['a.B', { call: (args: readonly unknown[]) => ({ args }), build }]]);
    expect(read('ca\nB\n(K\x01K\x02tRK\x03b.', { ...nothingKnown, globals })).toEqual({ args: [1, 2] });
    expect(build).toHaveBeenCalledWith({ args: [1, 2] }, 3);
  });

  test.each([
    ['a call of a number', 'K\x01)R.', 'byte 3: REDUCE (0x52) calls what is no known name'],
    ['a call of a name that is none', 'ctorch\nfloat32\n)R.', 'calls torch.float32, which is only a name here'],
    ['a state of a number', 'K\x01K\x02b.', 'BUILD (0x62) gives a state to what no known name made'],
    ['a state of a plain dict', '}}b.', 'BUILD (0x62) gives a state to what no known name made'],
    ['a state of a tensor size', 'ctorch\nSize\n(K\x01t\x85R}b.', 'gives a state to torch.Size'],
    ['keywords', 'ccollections\nOrderedDict\n)}K\x01K\x01s\x92.', 'has arguments by name'],
    ['arguments that are no tuple', 'ccollections\nOrderedDict\nK\x01R.', 'without a tuple of arguments'],
    ['EXT1', '\x82\x01.', 'byte 0: the opcode EXT1 (0x82) needs what is not in the file'],
    ['EXT4', 'N\x84\x01\x00\x00\x00.', 'byte 1: the opcode EXT4 (0x84)'],
    ['NEXT_BUFFER', '\x97.', 'NEXT_BUFFER (0x97)'],
    ['an unknown opcode', 'N0\xff.', 'byte 2: there is no opcode 0xff'],
    ['an unknown protocol', '\x80\x06N.', 'protocol 6; known are 0 to 5'],
    ['an object elsewhere', 'K\x01Q.', 'an id names no storage'],
  ])('%s is refused', (_what, text, message) => expect(refusal(text, torchPickle).message).toContain(message));

  test('an object elsewhere is no part of a pickle without such', () => {
    expect(refusal('Pa\n.').message).toContain('PERSID (0x50) names an object outside the pickle');
  });
});

describe('bombs', () => {
  test('doubling by memo costs what it is in the file', () => {
    const levels = 120; // 2¹²⁰ values, if it were unfolded
    let text = ']\x94';
    for (let i = 0; i < levels; i++) text += `](h${String.fromCharCode(i)}h${String.fromCharCode(i)}e\x94`;
    let value = read(`${text}.`);
    let depth = 0;
    for (; Array.isArray(value) && value.length === 2; depth++) value = value[0];
    expect(depth).toBe(levels);
  });

  test('deep nesting needs no recursion', () => {
    const depth = 200_000;
    let value = read(`${']'.repeat(depth)}${'a'.repeat(depth - 1)}.`);
    let found = 1;
    for (; Array.isArray(value) && value.length === 1; found++) value = value[0];
    expect(found).toBe(depth);
    expect(read(`${'('.repeat(depth)}${'t'.repeat(depth)}.`)).toHaveLength(1);
    expect(read(`]${'q\x00'}h\x00a.`)).toHaveLength(1); // contains itself
  });

  test.each([
    ['the stack', 'N'.repeat(1_000_001), 'more than 1000000 values on the stack'],
    ['the memo', `N${'\x94'.repeat(1_000_001)}`, 'more than 1000000 values to remember'],
    ['the opcodes', 'N0'.repeat(2_000_001), 'more than 4000000 opcodes'],
    [
      'a long argument, again and again',
      `c__builtin__\nset\nq\x00](${'K\x01'.repeat(50_000)}e\x85q\x01${'0h\x00h\x01R'.repeat(100)}`,
      'its calls use the same values again and again',
    ],
  ])('%s is bounded', (_what, text, message) => expect(refusal(text, torchPickle).message).toContain(message));

  test.each([
    ['BINBYTES8', `\x8e${u64(2n ** 60n)}ab.`],
    ['BINUNICODE8', `\x8d${u64(2n ** 64n - 1n)}ab.`],
    ['BYTEARRAY8', `\x96${u64(2n ** 40n)}ab.`],
    ['BINSTRING', 'T\xff\xff\xff\xffab.'],
    ['LONG4', '\x8b\xff\xff\xff\x7fab.'],
    ['FRAME', `\x95${u64(2n ** 40n)}N.`],
  ])('a length that the file does not have (%s)', (name, text) => {
    const { message } = refusal(text);
    expect(message).toContain(`damaged at byte ${text.length}: the file ends here, within ${name}`);
  });

  test('a number of a million digits', () => {
    expect(refusal(`L${'9'.repeat(1e6)}L\n.`).message).toContain('there is no number');
    expect(refusal(`F${'9'.repeat(1e6)}x\n.`).message).toContain('there is no number');
  });
});

describe('damage', () => {
  const good = `\x80\x04\x95${u64(64n)}}(\x8c\x01a\x94](K\x01J\xff\xff\xff\xffG\x3f\xf8\x00\x00\x00\x00\x00\x00e\x8c\x01b\x94C\x03xyz\x8c\x01c(Vuni\nS'str'\nI5\nL7L\nF1.5\nt\x8c\x01dh\x00u.`;

  test('is found wherever the file is cut off', () => {
    expect(read(good)).toBeInstanceOf(Map);
    for (let length = 0; length < good.length; length++) {
      expect(refusal(good.slice(0, length)).message).toMatch(/^x\.pkl: damaged at byte \d+: the file ends here/);
    }
  });

  test.each([
    ['a value missing', '0.', 'byte 0: POP (0x30) finds no value'],
    ['no value at the end', '.', 'STOP (0x2e) finds no value'],
    ['a value below the mark', ']K\x01(a.', 'APPEND (0x61) finds no value'],
    ['no mark', 'K\x01t.', 'TUPLE (0x74) finds no mark'],
    ['a key without a value', '(K\x01d.', 'a key of a dict has no value'],
    ['an append to a number', 'K\x01K\x02a.', 'finds neither a list nor a set'],
    ['an item of a list', ']K\x01K\x02s.', 'finds no dict'],
    ['a value that was not remembered', 'h\x05.', 'asks for value 5'],
    ['a value remembered under no number', 'Np-1\n.', 'no number of a remembered value'],
    ['no quotes', 'Sabc\n.', 'a string has no quotes'],
    ['no number', 'I12a\n.', 'there is no number'],
    ['names that are none', 'K\x01K\x02\x93.', 'STACK_GLOBAL finds no names'],
  ])('%s', (_what, text, message) => expect(refusal(text).message).toContain(message));

  const quiet = (bytes: Uint8Array) => {
    const error = errorOf(() => unpickle(bytes, 'x.pkl', torchPickle));
    if (error !== undefined) expect(error).toBeInstanceOf(UserError);
  };

  test('random bytes give a value or an error for a person', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), quiet), { numRuns: 2000 });
  });

  test('so do random opcodes', () => {
    const opcodes = bytesOf(
      '(012.NIJKMLFGSTUVXBC]lae)t}dsucRiobPQpqrghj\x80\x81\x82\x85\x86\x87\x88\x89\x8a\x8b\x8c\x8f\x90\x91\x92\x93\x94\n\x00\x01',
    );
    const names = [
      'ctorch._utils\n_rebuild_tensor_v2\n',
      'ccollections\nOrderedDict\n',
      'cnumpy\ndtype\n',
      'cargparse\nNamespace\n',
    ];
    const part = fc.oneof(
      fc.constantFrom(...opcodes).map((code) => String.fromCharCode(code)),
      fc.constantFrom(...names, 'X\x02\x00\x00\x00ab', ')', ')R', '\x85R', '}b'),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 40 }), (parts) => quiet(bytesOf(`${parts.join('')}.`))),
      { numRuns: 3000 },
    );
  });

  test('so does every byte changed', () => {
    for (let at = 0; at < good.length; at++) {
      for (const value of [0, 0x2e, 0x30, 0x52, 0x62, 0x7f, 0x80, 0x95, 0xff]) {
        const bytes = bytesOf(good);
        bytes[at] = value;
        quiet(bytes);
      }
    }
  });
});
