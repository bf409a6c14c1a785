/** The stack machine that reads pickles: its values, its table of names, and the bounds that it keeps to. */
import { UserError } from '../core/errors.ts';

/** What stands for a name of Python. */
export interface PickleGlobal {
  /** The value of a call; without it the name only stands for itself. */
  readonly call?: (args: readonly unknown[]) => unknown;
  /** Takes the state of an object that `call` made; without it such an object has none. */
  readonly build?: (made: object, state: unknown) => void;
}

/** A kind of pickle. */
export interface PickleFormat {
  /** What such a file is, with its article. */
  readonly content: string;
  /** What to do about a file that names something else. */
  readonly hint: string;
  /** By `module.name`. */
  readonly globals: ReadonlyMap<string, PickleGlobal>;
  /** The object that lies elsewhere under this id. */
  readonly persistent?: (id: unknown) => unknown;
}

/** A name of the table where it was not called: a class or function as a value. */
export class PickleName {
  readonly name: string;
  readonly call: PickleGlobal['call'];
  readonly build: PickleGlobal['build'];

  constructor(name: string, { call, build }: PickleGlobal) {
    this.name = name;
    this.call = call;
    this.build = build;
  }
}

/** What a pickle says makes no sense; reading turns it into a `UserError` with file and byte. */
export class Malformed extends Error {
  /** By default that of the opcode. */
  readonly at: number | undefined;

  constructor(what: string, at?: number) {
    super(what);
    this.at = at;
  }
}

/**
 * Far above what the largest published checkpoints need. Nothing here recurses and every value costs an opcode, so they bound
 * time and memory whatever a file says.
 */
export const limits = { bytes: 2 ** 28, opcodes: 4_000_000, stack: 1_000_000, memo: 1_000_000 };

/** `opcode`, the one that runs, is for messages. */
export class Machine {
  at: number;
  opcode = '';
  readonly stack: unknown[] = [];
  /** Lengths of the stack. */
  readonly marks: number[] = [];
  readonly memo = new Map<number, unknown>();
  private readonly makers = new WeakMap<object, PickleName>();
  private readonly names = new Map<string, PickleName>();
  /** What calls copied of their arguments so far: a short file can name a long argument a million times. */
  private copied = 0;
  private readonly view: DataView;
  private readonly bytes: Uint8Array;
  private readonly file: string;
  private readonly format: PickleFormat;

  constructor(bytes: Uint8Array, file: string, format: PickleFormat, at: number) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.bytes = bytes;
    this.file = file;
    this.format = format;
    this.at = at;
  }

  /** Moves on by `length` bytes, and returns where they begin. */
  skip(length: number, where = this.opcode): number {
    const begin = this.at;
    if (length > this.bytes.length - begin) {
      throw new Malformed(
        `the file ends here, within ${where}; ${length} bytes would end at byte ${begin + length}`,
        this.bytes.length,
      );
    }
    this.at += length;
    return begin;
  }

  unsigned(size: 1 | 2 | 4 | 8, where?: string): number {
    const at = this.skip(size, where);
    if (size === 1) return this.view.getUint8(at);
    if (size === 2) return this.view.getUint16(at, true);
    if (size === 4) return this.view.getUint32(at, true);
    return Number(this.view.getBigUint64(at, true));
  }

  int32 = () => this.view.getInt32(this.skip(4), true);
  float64 = () => this.view.getFloat64(this.skip(8), false);

  /** As many bytes as the length before them says. */
  counted(size: 1 | 4 | 8): Uint8Array {
    const length = this.unsigned(size);
    const at = this.skip(length);
    return this.bytes.subarray(at, at + length);
  }

  /** The bytes up to the next line feed. */
  line(): Uint8Array {
    const begin = this.at;
    const end = this.bytes.indexOf(0x0a, begin);
    if (end < 0) throw new Malformed(`the file ends here, within the line of ${this.opcode}`, this.bytes.length);
    this.at = end + 1;
    return this.bytes.subarray(begin, end);
  }

  push(value: unknown): void {
    if (this.stack.length >= limits.stack)
      throw new Malformed(`there are more than ${limits.stack} values on the stack`);
    this.stack.push(value);
  }

  pop(): unknown {
    if (this.stack.length <= (this.marks.at(-1) ?? 0)) throw new Malformed(`${this.opcode} finds no value`);
    return this.stack.pop();
  }

  top(): unknown {
    const value = this.pop();
    this.stack.push(value);
    return value;
  }

  /** All values above the last mark. */
  popMarked(): unknown[] {
    const mark = this.marks.pop();
    if (mark === undefined) throw new Malformed(`${this.opcode} finds no mark`);
    return this.stack.splice(mark);
  }

  remember(index: number): void {
    if (this.memo.size >= limits.memo) throw new Malformed(`there are more than ${limits.memo} values to remember`);
    this.memo.set(index, this.top());
  }

  recall(index: number): void {
    if (!this.memo.has(index)) throw new Malformed(`${this.opcode} asks for value ${index}, which was not remembered`);
    this.push(this.memo.get(index));
  }

  look(module: string, name: string): PickleName {
    const key = `${module}.${name}`;
    const known = this.names.get(key);
    if (known) return known;
    const global = this.format.globals.get(key);
    if (!global) {
      const shown = key.replace(/[^ -~]/g, '?').slice(0, 120);
      const message = `${this.file} names ${shown}, which is no part of ${this.format.content}: it could run code.`;
      throw new UserError(`${message} Nothing was executed.`, { hint: this.format.hint });
    }
    const found = new PickleName(key, global);
    this.names.set(key, found);
    return found;
  }

  call(callee: unknown, args: unknown): void {
    if (!(callee instanceof PickleName)) throw new Malformed(`${this.opcode} calls what is no known name`);
    if (!callee.call) throw new Malformed(`${this.opcode} calls ${callee.name}, which is only a name here`);
    if (!Array.isArray(args)) throw new Malformed(`${this.opcode} calls ${callee.name} without a tuple of arguments`);
    for (const arg of args) this.copied += typeof arg === 'string' ? arg.length / 64 : lengthOf(arg);
    if (this.copied > limits.opcodes) throw new Malformed('its calls use the same values again and again');
    const made = callee.call(args);
    if (typeof made === 'object' && made !== null) this.makers.set(made, callee);
    this.push(made);
  }

  build(made: unknown, state: unknown): void {
    const maker = typeof made === 'object' && made !== null ? this.makers.get(made) : undefined;
    if (!maker?.build)
      throw new Malformed(`${this.opcode} gives a state to ${maker?.name ?? 'what no known name made'}`);
    maker.build(made as object, state);
  }

  persistent(id: unknown): void {
    if (!this.format.persistent) throw new Malformed(`${this.opcode} names an object outside the pickle`);
    this.push(this.format.persistent(id));
  }
}

export const lengthOf = (value: unknown) =>
  Array.isArray(value) ? value.length : value instanceof Map || value instanceof Set ? value.size : 0;
