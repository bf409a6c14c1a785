/** WordPiece tokens, as BERT has them: `tokenizer.json` or `vocab.txt`. Devlin et al. 2019, https://arxiv.org/abs/1810.04805 */
import path from 'node:path';
import { BertNormalizer, BertPreTokenizer, Tokenizer } from '@huggingface/tokenizers';
import { UserError } from '../core/errors.ts';
import { lookAt, readWhole } from './dataFile.ts';

export interface TextTokenizer {
  /** Token ids that a model must know: the largest id, and one. */
  readonly vocabulary: number;
  /** The id of [MASK]. */
  readonly maskToken: number;
  /** Fills `ids` and `types` with a text, or two, cut to their length (of two always the longer one) or padded. */
  encode(text: string, pair: string | undefined, ids: Int32Array, types: Int32Array): EncodedText;
  /** The token of an id; nothing for one that the vocabulary lacks. */
  tokenOf(id: number): string | undefined;
  /** The words of some ids, as a person reads them: pieces joined, without the tokens that are no words. */
  textOf(ids: Int32Array): string;
}

export interface EncodedText {
  /** Without the padding. */
  readonly tokens: number;
  readonly isCut: boolean;
}

/**
 * Reads `tokenizer.json` or `vocab.txt` (one token a line), or the first of them in a folder. `lowercase` also strips accents; left
 * out, it is what the files say, or true.
 */
export async function readTokenizer(place: string, lowercase?: boolean): Promise<TextTokenizer> {
  const file = await fileOf(place);
  const description = file.endsWith('.json')
    ? await readDescription(file, lowercase)
    : await readVocabulary(file, lowercase);
  const known = idsOf(description);
  const missing = specialTokens.filter((token) => !known.has(token));
  if (missing.length > 0) {
    throw new UserError(`${file}: the vocabulary has no ${missing.join(', ')}.`, {
      hint: `A vocabulary of BERT is needed, with ${specialTokens.join(', ')}.`,
    });
  }
  return tokenizerOf(description, known, file);
}

const specialTokens = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'] as const;
/** Those that stand for no part of a text. */
const layoutTokens: ReadonlySet<string> = new Set(['[PAD]', '[CLS]', '[SEP]']);

/** What a tokenizer.json says, as far as it matters here. */
interface Description {
  readonly normalizer: unknown;
  readonly pre_tokenizer: unknown;
  readonly post_processor: unknown;
  readonly decoder: unknown;
  readonly added_tokens: readonly { readonly id: number; readonly content: string }[];
  readonly model: {
    readonly type: 'WordPiece';
    readonly vocab: Readonly<Record<string, number>>;
    readonly unk_token: string;
    readonly continuing_subword_prefix: string;
  };
}

async function fileOf(place: string): Promise<string> {
  const found = await lookAt(place);
  const names = ['tokenizer.json', 'vocab.txt'];
  const candidates = found?.isFolder ? names.map((name) => path.join(place, name)) : [place];
  for (const candidate of candidates) if (await lookAt(candidate)) return candidate;
  throw new UserError(`No tokenizer in ${place}: expected ${names.join(' or ')}.`, {
    hint: 'Name the folder or the file as "tokenizer": it comes with the pretrained model.',
  });
}

async function readDescription(file: string, lowercase: boolean | undefined): Promise<Description> {
  const hint = 'Get the tokenizer.json of a BERT model, or its vocab.txt.';
  const description = parseJson(utf8(await readWhole(file), file), file);
  const { model, normalizer } = description;
  if (!isObject(model) || !isObject(model.vocab) || !Array.isArray(description.added_tokens)) {
    throw new UserError(`${file}: this is no tokenizer.json: expected a "model" with a "vocab", and "added_tokens".`, {
      hint,
    });
  }
  // Old files leave the type out; only WordPiece has this prefix.
  if ((model.type ?? 'WordPiece') !== 'WordPiece' || model.continuing_subword_prefix === undefined) {
    throw new UserError(`${file}: expected a WordPiece tokenizer, found ${model.type ?? 'another one'}.`, { hint });
  }
  if (!Object.values(model.vocab).every((id) => Number.isInteger(id) && Number(id) >= 0)) {
    throw new UserError(`${file}: the vocabulary has ids that are no whole numbers from 0.`, { hint });
  }
  const changed = isObject(normalizer) && lowercase !== undefined ? { ...normalizer, lowercase } : normalizer;
  return { decoder: null, ...description, normalizer: changed } as unknown as Description;
}

/** BERT's own layout around a vocabulary. */
async function readVocabulary(file: string, lowercase: boolean | undefined): Promise<Description> {
  const lines = utf8(await readWhole(file), file)
    .replace(/\r\n?/g, '\n')
    .replace(/\n$/, '')
    .split('\n');
  const vocab = Object.fromEntries(lines.map((token, id) => [token, id])); // of the same token twice, the last counts
  const special = (id: '[CLS]' | '[SEP]', type_id: number) => ({ SpecialToken: { id, type_id } });
  const sequence = (id: 'A' | 'B', type_id: number) => ({ Sequence: { id, type_id } });
  const single = [special('[CLS]', 0), sequence('A', 0), special('[SEP]', 0)];
  return {
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: null,
      lowercase: lowercase ?? (await lowercaseBeside(file)),
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: {
      type: 'TemplateProcessing',
      single,
      pair: [...single, sequence('B', 1), special('[SEP]', 1)],
    },
    decoder: null,
    added_tokens: specialTokens.flatMap((content) => {
      const id = vocab[content];
      return id === undefined ? [] : [{ id, content, special: true }];
    }),
    model: { type: 'WordPiece', vocab, unk_token: '[UNK]', continuing_subword_prefix: '##' },
  };
}

/** What the tokenizer_config.json beside a vocabulary says. */
async function lowercaseBeside(file: string): Promise<boolean> {
  const config = path.join(path.dirname(file), 'tokenizer_config.json');
  if (!(await lookAt(config))) return true;
  return parseJson(utf8(await readWhole(config), config), config).do_lower_case !== false;
}

const idsOf = ({ model, added_tokens }: Description): ReadonlyMap<string, number> =>
  new Map([...Object.entries(model.vocab), ...added_tokens.map(({ content, id }) => [content, id] as const)]);

function tokenizerOf(description: Description, known: ReadonlyMap<string, number>, file: string): TextTokenizer {
  const tokenizer = buildTokenizer(description, file);
  const [pad = 0, unknown = 0, mask = 0] = ['[PAD]', '[UNK]', '[MASK]'].map((token) => known.get(token));
  const layout = (tokens: string[], pair: string[] | null) => {
    const { tokens: all, token_type_ids: types = [] } = tokenizer.post_processor?.(tokens, pair) ?? { tokens };
    return { all, types };
  };
  const added = { single: layout([], null).all.length, pair: layout([], []).all.length };
  if (layout([], null).all.join() !== '[CLS],[SEP]') {
    throw new UserError(
      `${file}: expected the layout "[CLS] text [SEP]", found "${layout(['text'], null).all.join(' ')}".`,
      {
        hint: 'Name the tokenizer of a BERT model.',
      },
    );
  }
  let largest = 0;
  for (const id of known.values()) largest = Math.max(largest, id);
  const byId = new Map(Array.from(known, ([token, id]) => [id, token]));
  return {
    vocabulary: largest + 1,
    maskToken: mask,
    encode(text, pair, ids, types) {
      const first = tokenizer.tokenize(text);
      const second = pair === undefined ? null : tokenizer.tokenize(pair);
      const room = ids.length - (second ? added.pair : added.single);
      const [ofFirst, ofSecond] = cutLengths(first.length, second?.length ?? 0, room);
      const { all, types: segments } = layout(first.slice(0, ofFirst), second?.slice(0, ofSecond) ?? null);
      ids.fill(pad, all.length);
      types.fill(0, all.length);
      for (const [at, token] of all.entries()) {
        ids[at] = tokenizer.token_to_id(token) ?? unknown;
        types[at] = segments[at] ?? 0;
      }
      return { tokens: all.length, isCut: ofFirst + ofSecond < first.length + (second?.length ?? 0) };
    },
    tokenOf: (id) => byId.get(id),
    textOf(ids) {
      const tokens = Array.from(ids, (id) => byId.get(id) ?? '').filter((token) => !layoutTokens.has(token));
      return tokens.join(' ').replaceAll(' ##', '');
    },
  };
}

/** As if the longer text lost a token at a time; where an odd number is left to two longer ones, the second has one more. */
function cutLengths(first: number, second: number, room: number): [number, number] {
  if (first + second <= room) return [first, second];
  if (first > second) return cutLengths(second, first, room).reverse() as [number, number];
  const half = Math.floor(room / 2);
  return first <= half ? [first, room - first] : [half, room - half];
}

function buildTokenizer(description: Description, file: string): Tokenizer {
  let tokenizer: Tokenizer;
  try {
    tokenizer = new Tokenizer(description, {});
  } catch (cause) {
    const what = cause instanceof Error ? cause.message : String(cause);
    throw new UserError(`${file}: this tokenizer cannot be used: ${what}.`, { hint: 'Try its vocab.txt.', cause });
  }
  if (tokenizer.normalizer instanceof BertNormalizer) tokenizer.normalizer = new BertText(tokenizer.normalizer.config);
  if (tokenizer.pre_tokenizer instanceof BertPreTokenizer) tokenizer.pre_tokenizer.pattern = words;
  const { model } = tokenizer;
  if (model) {
    // Most words come again: their pieces are remembered, up to a bound.
    const encode = model.encode.bind(model);
    const known = new Map<string, string[]>();
    model.encode = (given) =>
      given.flatMap((word) => {
        let pieces = known.get(word);
        if (!pieces) {
          pieces = encode([word]);
          if (known.size >= 100_000) known.clear();
          known.set(word, pieces);
        }
        return pieces;
      });
  }
  return tokenizer;
}

/**
 * The normalization of the tokenizers that transformers uses. The package's own knows no ideograph beyond U+FFFF, writes a Σ that ends a
 * word as ς, and has a newer Unicode: there, characters that Unicode got after version 8 are neither marks, format nor punctuation.
 */
class BertText extends BertNormalizer {
  override normalize(text: string): string {
    const { clean_text, handle_chinese_chars, lowercase, strip_accents } = this.config;
    // A blank in front: the package takes a text that reads [MASK] only by now for the token itself.
    if (/^[ -~]*$/.test(text)) return ` ${lowercase ? text.toLowerCase() : text}`;
    if (clean_text) text = text.replace(removed, '').replace(/\s/g, ' ');
    if (handle_chinese_chars) text = text.replace(ideographs, ' $& ');
    if (strip_accents ?? lowercase) text = text.normalize('NFD').replace(marks, '');
    return ` ${lowercase ? text.replaceAll('Σ', 'σ').toLowerCase() : text}`;
  }
}

const escaped = (ranges: string) => ranges.replace(/[\da-f]+/g, '\\u{$&}').replaceAll(' ', '');

/** Ranges with the format characters (Cf), marks (Mn) and punctuation (P) of newer versions, and none of older ones. */
const newFormats = '890-891 8e2 110cd 13430-1343f';
const removed = new RegExp(`[[\\p{Cc}\\p{Cf}\\p{Co}\\p{Cs}\\ufffd]--[\\t\\n\\r${escaped(newFormats)}]]`, 'gv');
const ideographs =
  /[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u{20000}-\u{2a6df}\u{2a700}-\u{2b81f}\u{2b920}-\u{2ceaf}\u{2f800}-\u{2fa1f}]/gu;

const newMarks =
  '7fd 897-8e1 9fe afa-aff b55 c04-c3c d00 d3b-d3c d81 eba ece 180f-1886 1abf-1aeb 1df6-1dfb a82c a8c5 a8ff a9bd 10d24-10f85 ' +
  '11070-11074 110c2 111c9 111cf 1123e-11241 1133b 113bb-1145e 1182f-11f5a 13440-13455 1611e-1612f 16f4f 16fe4 1cf00-1cf46 ' +
  '1e000-1e6f5 1e944-1e94a';
const newPunctuation =
  '61d 9fd-a76 c77-c84 1b4e-1b4f 1b7d-1b7f 2e43-2e5d 10d6e-10f89 113d4-1145d 11660-116b9 1183b-11c71 11ef7-11fff 12ff1-12ff2 ' +
  '16d6d-16fe2 1e5ff 1e95e-1e95f';

// Two signs were marks then, and two were punctuation.
const marks = new RegExp(`[[\\p{Mn}\\u1734\\u{1171e}]--[${escaped(newMarks)}]]`, 'gv');
const punctuation = `[[\\p{P}\\u166d\\u{111c9}!-\\/:-@\\[-\`\\{-~]--[${escaped(newPunctuation)}]]`;
const words = new RegExp(`[^\\s${punctuation}]+|${punctuation}`, 'gv');

function utf8(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new UserError(`${file}: the file is not in UTF-8.`, { hint: 'Get the file again.', cause });
  }
}

function parseJson(text: string, file: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new UserError(`${file}: this is no JSON.`, { hint: 'Get the file again.', cause });
  }
  if (isObject(value)) return value;
  throw new UserError(`${file}: expected a JSON object.`, { hint: 'Get the file again.' });
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
