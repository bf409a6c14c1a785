/**
 * Python's pickle format, protocols 0 to 5, read by a stack machine that executes nothing: the names in a file are looked up
 * in a table of functions of this project. https://docs.python.org/3/library/pickletools.html
 */
import { damaged } from './dataFile.ts';
import {
  float,
  integer,
  integerOrTruth,
  latin1,
  memoIndex,
  rawUnicode,
  twosComplement,
  unquoted,
  utf8,
} from './pickleLiterals.ts';
import { lengthOf, limits, Machine, Malformed, type PickleFormat } from './pickleMachine.ts';

/**
 * The value of the pickle at `offset`: a Map for a dict, a Set, an array for a list or tuple, a Uint8Array for bytes, a bigint
 * for an integer that a number cannot hold; text of Python 2, which may be bytes, has a character per byte. It may contain
 * itself. Throws a `UserError` where the pickle is damaged, names what `format` does not know, or is too large.
 */
export function unpickle(bytes: Uint8Array, file: string, format: PickleFormat, offset = 0): unknown {
  return unpickleNext(bytes, file, format, offset).value;
}

/** The same, and where the next pickle would begin. */
export function unpickleNext(
  bytes: Uint8Array,
  file: string,
  format: PickleFormat,
  offset: number,
): { readonly value: unknown; readonly end: number } {
  const machine = new Machine(bytes, file, format, offset);
  let start = offset;
  try {
    if (bytes.length > limits.bytes) throw new Malformed(`the pickle is larger than ${limits.bytes} bytes`);
    for (let count = 0; count < limits.opcodes; count++) {
      start = machine.at;
      const code = machine.unsigned(1, 'the pickle');
      const opcode = opcodes.get(code);
      if (!opcode) throw new Malformed(`there is no opcode ${hex(code)}`);
      machine.opcode = opcode.label;
      if (code === stop) return { value: machine.pop(), end: machine.at };
      opcode.run(machine);
    }
    throw new Malformed(`the pickle has more than ${limits.opcodes} opcodes`);
  } catch (error) {
    if (error instanceof Malformed) throw damaged(file, error.at ?? start, error.message);
    throw error;
  }
}

const stop = 0x2e;

interface Opcode {
  /** For messages. */
  readonly label: string;
  readonly run: (machine: Machine) => void;
}

const opcodes: ReadonlyMap<number, Opcode> = new Map(
  (
    [
      ['.', 'STOP', () => undefined],
      ['(', 'MARK', (m) => m.marks.push(m.stack.length)],
      ['0', 'POP', (m) => (m.marks.at(-1) === m.stack.length ? m.marks.pop() : m.pop())],
      ['1', 'POP_MARK', (m) => m.popMarked()],
      ['2', 'DUP', (m) => m.push(m.top())],
      ['N', 'NONE', (m) => m.push(null)],
      ['\x88', 'NEWTRUE', (m) => m.push(true)],
      ['\x89', 'NEWFALSE', (m) => m.push(false)],
      ['I', 'INT', (m) => m.push(integerOrTruth(latin1(m.line())))],
      ['L', 'LONG', (m) => m.push(integer(latin1(m.line()).replace(/L$/, '')))],
      ['J', 'BININT', (m) => m.push(m.int32())],
      ['K', 'BININT1', (m) => m.push(m.unsigned(1))],
      ['M', 'BININT2', (m) => m.push(m.unsigned(2))],
      ['\x8a', 'LONG1', (m) => m.push(twosComplement(m.counted(1)))],
      ['\x8b', 'LONG4', (m) => m.push(twosComplement(m.counted(4)))],
      ['F', 'FLOAT', (m) => m.push(float(latin1(m.line())))],
      ['G', 'BINFLOAT', (m) => m.push(m.float64())],
      ['S', 'STRING', (m) => m.push(unquoted(latin1(m.line())))],
      ['T', 'BINSTRING', (m) => m.push(latin1(m.counted(4)))],
      ['U', 'SHORT_BINSTRING', (m) => m.push(latin1(m.counted(1)))],
      ['V', 'UNICODE', (m) => m.push(rawUnicode(latin1(m.line())))],
      ['X', 'BINUNICODE', (m) => m.push(utf8(m.counted(4)))],
      ['\x8c', 'SHORT_BINUNICODE', (m) => m.push(utf8(m.counted(1)))],
      ['\x8d', 'BINUNICODE8', (m) => m.push(utf8(m.counted(8)))],
      ['B', 'BINBYTES', (m) => m.push(m.counted(4))],
      ['C', 'SHORT_BINBYTES', (m) => m.push(m.counted(1))],
      ['\x8e', 'BINBYTES8', (m) => m.push(m.counted(8))],
      ['\x96', 'BYTEARRAY8', (m) => m.push(m.counted(8))],
      [']', 'EMPTY_LIST', (m) => m.push([])],
      ['l', 'LIST', (m) => m.push(m.popMarked())],
      ['a', 'APPEND', (m) => addItems(m, [m.pop()])],
      ['e', 'APPENDS', (m) => addItems(m, m.popMarked())],
      [')', 'EMPTY_TUPLE', (m) => m.push([])],
      ['t', 'TUPLE', (m) => m.push(m.popMarked())],
      ['\x85', 'TUPLE1', (m) => m.push([m.pop()])],
      ['\x86', 'TUPLE2', (m) => m.push([m.pop(), m.pop()].reverse())],
      ['\x87', 'TUPLE3', (m) => m.push([m.pop(), m.pop(), m.pop()].reverse())],
      ['}', 'EMPTY_DICT', (m) => m.push(new Map())],
      ['d', 'DICT', (m) => m.push(withPairs(new Map(), m.popMarked()))],
      ['s', 'SETITEM', (m) => setPairs(m, [m.pop(), m.pop()].reverse())],
      ['u', 'SETITEMS', (m) => setPairs(m, m.popMarked())],
      ['\x8f', 'EMPTY_SET', (m) => m.push(new Set())],
      ['\x90', 'ADDITEMS', (m) => addItems(m, m.popMarked())],
      ['\x91', 'FROZENSET', (m) => m.push(new Set(m.popMarked()))],
      ['p', 'PUT', (m) => m.remember(memoIndex(latin1(m.line())))],
      ['q', 'BINPUT', (m) => m.remember(m.unsigned(1))],
      ['r', 'LONG_BINPUT', (m) => m.remember(m.unsigned(4))],
      ['\x94', 'MEMOIZE', (m) => m.remember(m.memo.size)],
      ['g', 'GET', (m) => m.recall(memoIndex(latin1(m.line())))],
      ['h', 'BINGET', (m) => m.recall(m.unsigned(1))],
      ['j', 'LONG_BINGET', (m) => m.recall(m.unsigned(4))],
      ['c', 'GLOBAL', (m) => m.push(m.look(utf8(m.line()), utf8(m.line())))],
      ['\x93', 'STACK_GLOBAL', stackGlobal],
      ['R', 'REDUCE', (m) => callLast(m, m.pop())],
      ['\x81', 'NEWOBJ', (m) => callLast(m, m.pop())],
      ['\x92', 'NEWOBJ_EX', callWithKeywords],
      ['i', 'INST', (m) => m.call(m.look(utf8(m.line()), utf8(m.line())), m.popMarked())],
      ['o', 'OBJ', callMarked],
      ['b', 'BUILD', (m) => buildLast(m, m.pop())],
      ['P', 'PERSID', (m) => m.persistent(latin1(m.line()))],
      ['Q', 'BINPERSID', (m) => m.persistent(m.pop())],
      ['\x80', 'PROTO', protocol],
      ['\x95', 'FRAME', frame],
      ['\x82', 'EXT1', notRead],
      ['\x83', 'EXT2', notRead],
      ['\x84', 'EXT4', notRead],
      ['\x97', 'NEXT_BUFFER', notRead],
      ['\x98', 'READONLY_BUFFER', notRead],
    ] as const satisfies readonly (readonly [character: string, name: string, run: (machine: Machine) => unknown])[]
  ).map(([character, name, run]) => [
    character.charCodeAt(0),
    { label: `${name} (${hex(character.charCodeAt(0))})`, run },
  ]),
);

function addItems(machine: Machine, items: readonly unknown[]): void {
  const target = machine.top();
  if (Array.isArray(target)) for (const item of items) target.push(item);
  else if (target instanceof Set) for (const item of items) target.add(item);
  else throw new Malformed(`${machine.opcode} finds neither a list nor a set`);
}

function setPairs(machine: Machine, pairs: readonly unknown[]): void {
  const target = machine.top();
  if (!(target instanceof Map)) throw new Malformed(`${machine.opcode} finds no dict`);
  withPairs(target, pairs);
}

function withPairs(dict: Map<unknown, unknown>, pairs: readonly unknown[]): Map<unknown, unknown> {
  if (pairs.length % 2 !== 0) throw new Malformed('a key of a dict has no value');
  for (let i = 0; i < pairs.length; i += 2) dict.set(pairs[i], pairs[i + 1]);
  return dict;
}

function stackGlobal(machine: Machine): void {
  const name = machine.pop();
  const module = machine.pop();
  if (typeof name !== 'string' || typeof module !== 'string') throw new Malformed('STACK_GLOBAL finds no names');
  machine.push(machine.look(module, name));
}

const callLast = (machine: Machine, args: unknown) => machine.call(machine.pop(), args);

function callWithKeywords(machine: Machine): void {
  if (lengthOf(machine.pop()) > 0) throw new Malformed(`${machine.opcode} has arguments by name, which are not read`);
  callLast(machine, machine.pop());
}

function callMarked(machine: Machine): void {
  const [callee, ...args] = machine.popMarked();
  machine.call(callee, args);
}

const buildLast = (machine: Machine, state: unknown) => machine.build(machine.top(), state);

function protocol(machine: Machine): void {
  const version = machine.unsigned(1);
  if (version > 5) throw new Malformed(`the pickle has protocol ${version}; known are 0 to 5`);
}

/** Frames are for readers that read ahead: only the length must be there. */
function frame(machine: Machine): void {
  const length = machine.unsigned(8);
  const begin = machine.skip(length);
  machine.at = begin;
}

function notRead(machine: Machine): void {
  throw new Malformed(`the opcode ${machine.opcode} needs what is not in the file`);
}

function hex(code: number): string {
  return `0x${code.toString(16).padStart(2, '0')}`;
}
