/** WordPiece tokens are those of transformers' BertTokenizer, on real lines and nasty ones; wrong tokenizers are named. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { readTokenizer, type TextTokenizer } from '../../src/data/tokenizer.ts';
import { temporaryFolder } from '../store/temporaryFolder.ts';
import { pythonWith } from '../support/python.ts';
import { failure } from './failure.ts';

const special = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'];

function vocabularyFile(tokens: readonly string[], folder = temporaryFolder()): string {
  const file = path.join(folder, 'vocab.txt');
  fs.writeFileSync(file, `${tokens.join('\n')}\n`);
  return file;
}

/** The tokens themselves; their ids are places in the vocabulary. */
function tokensOf(
  tokenizer: TextTokenizer,
  vocabulary: readonly string[],
  length: number,
  text: string,
  pair?: string,
) {
  const [ids, types] = [new Int32Array(length).fill(9), new Int32Array(length).fill(9)];
  const { tokens, isCut } = tokenizer.encode(text, pair, ids, types);
  return { tokens: [...ids].map((id) => vocabulary[id]).join(' '), types: [...types].join(''), count: tokens, isCut };
}

describe('a vocabulary', () => {
  const vocabulary = [...special, 'cafe', 'Café', 'Cafe', 'ta', '##ble', '!', 'a', 'b'];

  test('splits words into its longest pieces, and pads', async () => {
    const tokenizer = await readTokenizer(vocabularyFile(vocabulary));
    expect(tokenizer).toMatchObject({ vocabulary: 13, maskToken: 4 });
    expect(tokensOf(tokenizer, vocabulary, 9, 'Café!  TABLE xyz')).toEqual({
      tokens: '[CLS] cafe ! ta ##ble [UNK] [SEP] [PAD] [PAD]',
      types: '000000000',
      count: 7,
      isCut: false,
    });
  });

  test('keeps case and accents on demand, or where the configuration beside it says so', async () => {
    const file = vocabularyFile(vocabulary);
    const kept = (tokenizer: TextTokenizer) => tokensOf(tokenizer, vocabulary, 4, 'Café Cafe').tokens;
    expect(kept(await readTokenizer(file, false))).toBe('[CLS] Café Cafe [SEP]');
    fs.writeFileSync(path.join(path.dirname(file), 'tokenizer_config.json'), '{"do_lower_case": false}');
    expect(kept(await readTokenizer(path.dirname(file)))).toBe('[CLS] Café Cafe [SEP]');
    expect(kept(await readTokenizer(file, true))).toBe('[CLS] cafe cafe [SEP]');
  });

  test.each([
    [9, 'a a a', 'b b', '[CLS] a a a [SEP] b b [SEP] [PAD]', '000001110', 8, false],
    [7, 'a a a', 'b b', '[CLS] a a [SEP] b b [SEP]', '0000111', 7, true],
    [6, 'a a a', 'b b', '[CLS] a a [SEP] b [SEP]', '000011', 6, true],
    [6, 'a', 'b b b b', '[CLS] a [SEP] b b [SEP]', '000111', 6, true],
    [5, 'a a a a', 'b b b b', '[CLS] a [SEP] b [SEP]', '00011', 5, true],
  ] as const)('of a pair, the longer text is cut (to %i)', async (length, text, pair, tokens, types, count, isCut) => {
    const tokenizer = await readTokenizer(vocabularyFile(vocabulary));
    expect(tokensOf(tokenizer, vocabulary, length, text, pair)).toEqual({ tokens, types, count, isCut });
  });
});

describe('a wrong tokenizer', () => {
  test('is missing', async () => {
    const folder = temporaryFolder();
    for (const place of [folder, path.join(folder, 'none'), path.join(folder, 'vocab.txt')]) {
      const { message, hint } = await failure(readTokenizer(place));
      expect(message).toBe(`No tokenizer in ${place}: expected tokenizer.json or vocab.txt.`);
      expect(hint).toContain('"tokenizer"');
    }
  });

  test.each(special)('lacks %s', async (token) => {
    const file = vocabularyFile([...special.filter((other) => other !== token), 'a']);
    expect((await failure(readTokenizer(file))).message).toBe(`${file}: the vocabulary has no ${token}.`);
  });

  test.each([
    ['{', 'this is no JSON'],
    ['[]', 'expected a JSON object'],
    ['{"do_lower_case": true}', 'this is no tokenizer.json'],
    ['{"model": {"type": "BPE", "vocab": {}}, "added_tokens": []}', 'expected a WordPiece tokenizer, found BPE'],
    [
      '{"model": {"type": "WordPiece", "continuing_subword_prefix": "##", "vocab": {"a": "x"}}, "added_tokens": []}',
      'the vocabulary has ids that are no whole numbers from 0',
    ],
  ])('is no BERT tokenizer: %s', async (text, what) => {
    const file = path.join(temporaryFolder(), 'tokenizer.json');
    fs.writeFileSync(file, text);
    expect((await failure(readTokenizer(file))).message).toContain(`${file}: ${what}`);
  });

  test('is in another encoding', async () => {
    const file = path.join(temporaryFolder(), 'vocab.txt');
    fs.writeFileSync(file, Buffer.from([0x61, 0xe4, 0x0a]));
    expect((await failure(readTokenizer(file))).message).toBe(`${file}: the file is not in UTF-8.`);
  });
});

/** What tokenizers stumble over. */
const nastyLines = [
  'Äpfel, Öl und Übermut — naïve café, Ångström, İstanbul, ıIiİ',
  'e\u0301 é n\u0303 ñ A\u030a Å ﬁ ﬃ ① Ⅷ ㎏ ½ ǆ ß ẞ SS'.normalize('NFC'),
  'e\u0301 é n\u0303 ñ A\u030a Å ﬁ ﬃ ① Ⅷ ㎏ ½ ǆ ß ẞ SS'.normalize('NFD'),
  'ΟΔΥΣΣΕΥΣ ΣΑΣ ΟΔΟΣ. σας Σ ΑΣ',
  '我喜欢机器学习。模型很好！ 中文English混合 ２０２６年',
  '𠀀𠮷野家 a𠀀b 𫝀 𫠠 𫢸 𬺡 丽 豈',
  '今日はいい天気ですね。カタカナ ｶﾀｶﾅ がぎぐ パピプ',
  '한국어 문장입니다. 각 가',
  'Привет, мир! Ёлка и йод ЖЁЛТЫЙ',
  'مرحبا بالعالم، كَيْفَ؟ ١٢٣ ۝ ٪',
  'שָׁלוֹם עולם',
  'नमस्ते दुनिया। हिन्दी ক্ষ தமிழ் ไทยภาษา ຂອບໃຈ',
  '😀 👩‍👩‍👧‍👦 🏳️‍🌈 👍🏽 🇩🇪 🤩 🫠 🪿 a😀b ☎️ ©®™',
  'zero\u200bwidth joi\u200dner non\u200cjoiner word\u2060joiner \ufeffbom soft\u00adhyphen',
  'control \u0000\u0001\u0007\b\u000b\u000c\u001b[31mred\u001b[0m \u007f \u0085 \u009f end',
  'tab\tand\ttabs\t\t, no\u00a0break, thin\u2009space, ideographic\u3000space, line\u2028separator\u2029paragraph',
  'rtl \u202eoverride\u202c \u2066isolate\u2069 \u061c mark',
  'replacement \ufffd char, private \ue000 \u{f0000}, noncharacter \ufdd0 \uffff \u{1ffff}',
  `long ${'x'.repeat(99)} ${'x'.repeat(100)} ${'x'.repeat(101)} ${'é'.repeat(100)} ${'😀'.repeat(100)} ${'ab'.repeat(300)}`,
  `${'a,'.repeat(300)}${'!'.repeat(120)}`,
  'The [MASK] sat on the [MASK][MASK] mat [CLS] [SEP] [PAD] [UNK]',
  'x[MASK]y [mask] [Mask] [ MASK ] [MASK [[MASK]] ##able ## # [SEP',
  '[MA\u200dSK] [M\u00c5SK] [MAS\u0000K] ［ＭＡＳＫ］',
  '[MA\u200dSK]',
  "don't can't it's O'Neill’s “quoted” ‘single’ «guillemets» „low‟ …dots… —dash–es‒",
  'https://example.com/a_b?c=d&e=f#g user@example.org C:\\path\\file.txt ~/x $VAR $ {x} `code` <tag/> | ^ +=',
  '1,234.56 3.14e-10 0x1F 50% $100 €200 £5 ¥9 ₿ 10² 5′ 6″ N° №',
  '',
  ' ',
  '\t\r\n ',
  '\u200b',
  '.',
  'a',
  '   leading and trailing   ',
  'CamelCase snake_case kebab-case UPPER lower MiXeD',
  'ﷺ ㍿ ℡ Ω Ω K K Å',
  'ᏣᎳᎩ ꭰ Ꭰ ა Ა ⴀ 𐐀𐐨 𞤀𞤢 ꙀꙁⱠ',
  'a\u0300\u0301\u0302\u0303b q\u0307\u0323 \u0301lone \u20dd \u0488 \u093e',
  '⸢half⸣ ⸺ ⹁ ⹊ ︐ ﹐ ！ ＂ ｟ ｠ · ・ ‧ ¿ ¡ § ¶ ٭ ༺ ᠀ 。',
  '\u{1f1e6}\u0301 \u{e0067} \ufe0f\ufe0e ️ Z̸̡̢a̷l̴g̵o̶',
];

/** Lines of what is installed: many languages, code, addresses, emoji. */
function realLines(count: number): string[] {
  const root = path.resolve(import.meta.dirname, '../../node_modules');
  const packages = fs.readdirSync(root).toSorted();
  const folders = packages.flatMap((name) =>
    name.startsWith('@')
      ? fs
          .readdirSync(path.join(root, name))
          .toSorted()
          .map((part) => path.join(name, part))
      : [name],
  );
  const lines = folders.flatMap((folder) => {
    const file = path.join(root, folder, 'README.md');
    const text = fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : '';
    return text.split('\n').filter((line) => line.trim().length > 3);
  });
  // Of every package some, those first that have more than ASCII.
  const other = lines.filter((line) => /[^ -~\t\r]/.test(line)).slice(0, count / 2);
  const step = Math.max(1, Math.floor(lines.length / (count - other.length)));
  return [...other, ...lines.filter((_, i) => i % step === 0)].slice(0, count);
}

/** Frequent words, all characters, and pieces of words. */
function vocabularyOf(lines: readonly string[]): string[] {
  const counts = new Map<string, number>();
  const add = (token: string) => counts.set(token, (counts.get(token) ?? 0) + 1);
  for (const line of lines.flatMap((line) => [
    line,
    line
      .normalize('NFD')
      .replace(/\p{Mn}/gu, '')
      .toLowerCase(),
  ])) {
    for (const word of line.match(/[\p{L}\p{M}\p{N}]+/gu) ?? []) {
      add(word);
      const characters = [...word];
      for (const size of [2, 3]) if (characters.length > size) add(`##${characters.slice(-size).join('')}`);
    }
  }
  const frequent = [...counts].filter(([token, count]) => count > 2 && token.length < 20).map(([token]) => token);
  // Some characters stay out, for [UNK].
  const characters = [...new Set(lines.join(''))].filter((character) => /\S/u.test(character) && character !== 'q');
  return [...new Set([...special, ...frequent, ...characters, ...characters.map((character) => `##${character}`)])];
}

const python = pythonWith('transformers', 'tokenizers');

describe.skipIf('missing' in python)(`transformers' tokens${'missing' in python ? `: ${python.missing}` : ''}`, () => {
  interface Case {
    readonly lowercase: boolean;
    readonly length: number;
    readonly texts: readonly string[];
    readonly pairs: readonly string[] | null;
  }

  function reference(
    vocabulary: string,
    cases: readonly Case[],
    save?: string,
  ): { ids: number[][]; types: number[][] }[] {
    if ('missing' in python) throw new Error(python.missing);
    const input = JSON.stringify({ vocabulary, cases, ...(save && { save }) });
    const options = { input, encoding: 'utf8', timeout: 100_000, maxBuffer: 2 ** 28 } as const;
    const { status, stdout, stderr } = spawnSync(python.command, ['scripts/reference/tokens.py'], options);
    expect(status, stderr).toBe(0);
    return JSON.parse(stdout);
  }

  async function expectSame(
    tokenizer: TextTokenizer,
    { length, texts, pairs }: Case,
    expected: { ids: number[][]; types: number[][] },
  ) {
    const different: unknown[] = [];
    for (const [i, text] of texts.entries()) {
      const [ids, types] = [new Int32Array(length), new Int32Array(length)];
      const { tokens } = tokenizer.encode(text, pairs?.[i], ids, types);
      const [found, foundTypes] = [[...ids.subarray(0, tokens)], [...types.subarray(0, tokens)]];
      const same = found.join() === expected.ids[i]?.join() && foundTypes.join() === expected.types[i]?.join();
      if (!same) different.push({ text, pair: pairs?.[i], found, expected: expected.ids[i] });
    }
    expect(different).toEqual([]);
    expect(expected.ids.length).toBe(texts.length);
  }

  test('of 1,000 real lines and nasty ones', async () => {
    const lines = [...nastyLines, ...realLines(1000)];
    expect(lines.length).toBe(nastyLines.length + 1000);
    const pairs = lines.toReversed();
    const file = vocabularyFile(vocabularyOf(lines));
    const cases = [true, false].flatMap((lowercase) => [
      { lowercase, length: 512, texts: lines, pairs: null },
      { lowercase, length: 16, texts: lines, pairs: null },
      { lowercase, length: 24, texts: lines, pairs },
      { lowercase, length: 16, texts: lines, pairs },
    ]);
    const saved = temporaryFolder();
    const expected = reference(file, cases, saved);
    const used = new Set(expected.flatMap(({ ids }) => ids.flat()));
    expect(used.size, 'tokens that came up').toBeGreaterThan(1000);
    for (const [i, given] of cases.entries()) {
      await expectSame(await readTokenizer(file, given.lowercase), given, expected[i] ?? { ids: [], types: [] });
      await expectSame(await readTokenizer(saved, given.lowercase), given, expected[i] ?? { ids: [], types: [] });
    }
  });

  test('of every character', async () => {
    // Of an "a", the character and a "b": removed, a blank, a word of its own, or a part of the word.
    const vocabulary = [...special, 'a', 'b', 'ab'];
    const characters = Array.from({ length: 0x30000 }, (_, code) => code).filter(
      (code) => code < 0xd800 || code > 0xdfff,
    );
    const texts: string[] = [];
    for (let at = 0; at < characters.length; at += 500) {
      texts.push(
        characters
          .slice(at, at + 500)
          .map((code) => `a${String.fromCodePoint(code)}b`)
          .join(' x '),
      );
    }
    const file = vocabularyFile(vocabulary);
    const cases = [true, false].map((lowercase) => ({ lowercase, length: 4000, texts, pairs: null }));
    const expected = reference(file, cases);
    for (const [i, given] of cases.entries()) {
      await expectSame(await readTokenizer(file, given.lowercase), given, expected[i] ?? { ids: [], types: [] });
    }
  });
});
