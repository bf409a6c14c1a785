/**
 * What stands in the pickle of a PyTorch checkpoint: tensors as views of storages, and inert values for everything else that
 * published checkpoints hold. https://docs.pytorch.org/docs/stable/notes/serialization.html
 */
import { numpyGlobals, shapeOf } from './numpyPickle.ts';
import { Malformed, type PickleFormat, type PickleGlobal, PickleName } from './pickleMachine.ts';

/** Elements that tensors share, kept outside the pickle. */
export class StorageReference {
  readonly key: string;
  /** Undefined where the tensors say it. */
  readonly dtype: string | undefined;
  /** Elements; bytes without `dtype`. */
  readonly length: number;
  /** Where it begins within what `key` names: legacy files have views of storages. */
  readonly begin: number;

  constructor(key: string, dtype: string | undefined, length: number, begin: number) {
    this.key = key;
    this.dtype = dtype;
    this.length = length;
    this.begin = begin;
  }
}

/** A view of a storage; `offset` and `strides` count elements. */
export class TensorReference {
  readonly storage: StorageReference;
  readonly dtype: string;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];

  constructor(storage: StorageReference, dtype: string, offset: number, shape: number[], strides: number[]) {
    this.storage = storage;
    this.dtype = dtype;
    this.offset = offset;
    this.shape = shape;
    this.strides = strides;
  }
}

/** An object that nothing here looks into, such as the arguments of the run. */
class InertRecord {
  readonly type: string;
  readonly args: readonly unknown[];
  state: unknown;

  constructor(type: string, args: readonly unknown[]) {
    this.type = type;
    this.args = args;
  }
}

const storageTypes: Readonly<Record<string, string>> = {
  Float: 'float32',
  Double: 'float64',
  Half: 'float16',
  BFloat16: 'bfloat16',
  Long: 'int64',
  Int: 'int32',
  Short: 'int16',
  Char: 'int8',
  Byte: 'uint8',
  Bool: 'bool',
  ComplexFloat: 'complex64',
  ComplexDouble: 'complex128',
};

const dtypes =
  'float32 float64 float16 bfloat16 int64 int32 int16 int8 uint8 uint16 uint32 uint64 bool complex64 complex128 ' +
  'float8_e4m3fn float8_e4m3fnuz float8_e5m2 float8_e5m2fnuz';

const plain: PickleGlobal = { call: ([value]) => value };
const onlyName: PickleGlobal = {};
const ignoresState = () => undefined;

const rebuilders: Readonly<Record<string, PickleGlobal>> = {
  'torch._utils._rebuild_tensor': { call: (args) => tensor(args) },
  'torch._utils._rebuild_tensor_v2': { call: (args) => tensor(args) },
  'torch._utils._rebuild_tensor_v3': { call: (args) => tensor(args, args[6]) },
};

const globals = new Map<string, PickleGlobal>([
  ...Object.entries(rebuilders),
  ['torch._tensor._rebuild_from_type_v2', { call: rebuildFromType }],
  ['torch._utils._rebuild_parameter', plain],
  ['torch._utils._rebuild_parameter_with_state', plain],
  ['torch.nn.parameter.Parameter', plain],
  ['torch.nn.Parameter', plain],
  ['torch.Tensor', onlyName],
  ['torch._tensor.Tensor', onlyName],
  ['torch.Size', plain],
  ['torch.device', inert('torch.device')],
  ['torch.storage._load_from_bytes', { call: refuseNestedStorage }],
  ...dtypes.split(' ').map((name): [string, PickleGlobal] => [`torch.${name}`, onlyName]),
  ...['torch.storage.UntypedStorage', 'torch.UntypedStorage'].map((name): [string, PickleGlobal] => [name, onlyName]),
  ...Object.keys(storageTypes).flatMap((name): [string, PickleGlobal][] => [
    [`torch.${name}Storage`, onlyName],
    [`torch.cuda.${name}Storage`, onlyName],
  ]),
  ['collections.OrderedDict', { call: ([pairs]) => dictOf(pairs), build: ignoresState }],
  ['collections.Counter', { call: ([pairs]) => dictOf(pairs), build: ignoresState }],
  ['collections.defaultdict', { call: () => new Map(), build: ignoresState }],
  ['argparse.Namespace', inert('argparse.Namespace')],
  ...['pathlib', 'pathlib._local'].flatMap((module) =>
    ['Path', 'PosixPath', 'WindowsPath', 'PurePath', 'PurePosixPath', 'PureWindowsPath'].map(
      (name): [string, PickleGlobal] => [`${module}.${name}`, inert(`pathlib.${name}`)],
    ),
  ),
  ...['builtins', '__builtin__'].flatMap((module): [string, PickleGlobal][] => [
    [`${module}.set`, { call: ([items]) => new Set(Array.isArray(items) ? items : []) }],
    [`${module}.frozenset`, { call: ([items]) => new Set(Array.isArray(items) ? items : []) }],
    [`${module}.bytearray`, plain],
    ...['object', 'dict', 'list', 'tuple', 'int', 'float', 'str', 'bool'].map((name): [string, PickleGlobal] => [
      `${module}.${name}`,
      onlyName,
    ]),
  ]),
  // How the oldest protocols write an object of a class, which must be in this table, too.
  ...['copyreg', 'copy_reg'].map((module): [string, PickleGlobal] => [`${module}._reconstructor`, inert('object')]),
  ...numpyGlobals,
]);

/** What `torch.save` writes, with the storages elsewhere. */
export const torchPickle = {
  content: 'a weights file',
  hint: 'In PyTorch, load it yourself where you trust it, and save `model.state_dict()` as safetensors.',
  globals,
  persistent,
} satisfies PickleFormat;

function inert(type: string): PickleGlobal {
  return {
    call: (args) => new InertRecord(type, args),
    build: (made, state) => {
      if (made instanceof InertRecord) made.state = state;
    },
  };
}

/** ('storage', type, key, location, length[, view]); a view, of legacy files alone, is (key, begin, length). */
function persistent(id: unknown): StorageReference {
  const [kind, type, key, , length, view]: readonly unknown[] = Array.isArray(id) ? id : [];
  const isStorage = kind === 'storage' && type instanceof PickleName && type.name.endsWith('Storage');
  if (!isStorage || typeof key !== 'string' || !isCount(length)) throw new Malformed('an id names no storage');
  const [, begin, viewLength]: readonly unknown[] = Array.isArray(view) ? view : [key, 0, length];
  if (!isCount(begin) || !isCount(viewLength)) throw new Malformed('an id names no view of a storage');
  const name = type.name.slice(type.name.lastIndexOf('.') + 1, -'Storage'.length);
  return new StorageReference(key, storageTypes[name], viewLength, begin);
}

/** Arguments: storage, offset, shape, strides, and what matters to training alone. */
function tensor([storage, offset, shape, strides]: readonly unknown[], type?: unknown): TensorReference {
  if (!(storage instanceof StorageReference) || !isCount(offset)) throw new Malformed('a tensor has no storage');
  const own = type instanceof PickleName ? type.name.replace(/^torch\./, '') : undefined;
  const dtype = own ?? storage.dtype;
  if (dtype === undefined) throw new Malformed('a tensor has no type');
  const lengths = shapeOf(shape, 'a tensor');
  const steps = shapeOf(strides, 'a tensor with strides');
  if (lengths.length !== steps.length) throw new Malformed('a tensor has not as many strides as dimensions');
  return new TensorReference(storage, dtype, offset, lengths, steps);
}

/** (function, class, arguments, attributes): a tensor of a class of its own, or with attributes; they are left out. */
function rebuildFromType([rebuild, , args]: readonly unknown[]): unknown {
  const call = rebuild instanceof PickleName ? rebuilders[rebuild.name]?.call : undefined;
  if (!call || !Array.isArray(args)) throw new Malformed('a tensor of a class of its own is rebuilt in an unknown way');
  return call(args);
}

function refuseNestedStorage(): never {
  throw new Malformed('a tensor was written by pickle itself, not by torch.save');
}

function dictOf(pairs: unknown): Map<unknown, unknown> {
  if (pairs instanceof Map) return new Map(pairs);
  const dict = new Map<unknown, unknown>();
  for (const pair of Array.isArray(pairs) ? pairs : []) {
    if (!Array.isArray(pair)) throw new Malformed('an OrderedDict is made of what are no pairs');
    dict.set(pair[0], pair[1]);
  }
  return dict;
}

const isCount = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
