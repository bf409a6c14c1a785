/** A config file: read, changed by `--set` and `--method`, checked, with each problem at its line and column. */
import fs from 'node:fs';
import {
  findNodeAtLocation,
  getNodeValue,
  type Node,
  type ParseError,
  parseTree,
  printParseErrorCode,
} from 'jsonc-parser';
import { type Config, type Recipe, resolveConfig } from '../core/config.ts';
import type { ConfigProblem } from '../core/configProblems.ts';
import { UserError } from '../core/errors.ts';
import { withoutRunKeys } from '../core/methodConfig.ts';
import { explainFileError } from './files.ts';

/** A problem of a config with its place; lines and columns count from 1, the end is behind the last character. */
export interface LocatedProblem {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
  readonly message: string;
  readonly suggestion?: string;
  /** True where the editor's own JSON support marks it too. */
  readonly inSchema: boolean;
}

export interface ReadConfigOptions {
  /** The text, where it is not that of the file: an editor's, or standard input. */
  readonly text?: string;
  /** `dotted.key=value`; the value is JSON, else a text. */
  readonly set?: readonly string[];
  /** The training method instead of the one that is written, which goes with all its options. */
  readonly method?: string;
}

export type ConfigFileResult =
  | { readonly config: Config; readonly input: unknown }
  | { readonly problems: LocatedProblem[] };

/**
 * Reads and checks a config. Throws a `UserError` where the file cannot be read or an item of `set` is none; what is wrong inside
 * comes back as problems.
 */
export function readConfigFile(
  file: string,
  recipes: Readonly<Record<string, Recipe>>,
  options: ReadConfigOptions = {},
): ConfigFileResult {
  const text = (options.text ?? readText(file)).replace(/^\uFEFF/, ' '); // a blank keeps the offsets
  const place = placesIn(file, text);
  const errors: ParseError[] = [];
  const tree = parseTree(text, errors, { allowTrailingComma: true });
  const first = errors[0];
  if (!tree || first) {
    // Only the first: those after it mostly follow from it.
    const { offset, length } = first ?? { offset: 0, length: 0 };
    return { problems: [{ ...place(offset, length), message: syntaxMessage(first), inSchema: true }] };
  }
  const duplicates = duplicateKeys(tree);
  if (duplicates.length > 0) {
    return {
      problems: duplicates.map((key) => ({
        ...place(key.offset, key.length),
        message: `The key ${text.slice(key.offset, key.offset + key.length)} is there twice; keep one.`,
        inSchema: true,
      })),
    };
  }
  const changes = [
    ...(options.method === undefined
      ? []
      : [{ path: ['method'], value: { name: options.method }, said: `--method ${options.method}` }]),
    ...(options.set ?? []).map(parseSet),
  ];
  const input = changes.reduce<unknown>(
    (value, change) => withValue(value, change.path, change.value),
    withoutRunKeys(getNodeValue(tree)),
  );
  const result = resolveConfig(input, recipes);
  if ('config' in result) return { config: result.config, input };
  return {
    problems: result.problems.map(({ path, atKey, message, suggestion, inSchema }) => {
      const change = changes.findLast((candidate) => candidate.path.every((key, i) => key === path[i]));
      const node = nodeAt(tree, path, atKey);
      const where = { ...place(node.offset, node.length), message: change ? `${message} (${change.said})` : message };
      // What a --set brings in is in no editor's text.
      return { ...where, inSchema: inSchema && !change, ...(suggestion === undefined ? {} : { suggestion }) };
    }),
  };
}

/** `file:line:column: message`, as terminals make links of. */
export function formatProblem(problem: LocatedProblem): string {
  return `${problem.file}:${problem.line}:${problem.column}: ${problem.message}`;
}

function readText(file: string): string {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch (error) {
    throw explainFileError(file, error);
  }
}

function syntaxMessage(error: ParseError | undefined): string {
  if (!error) return 'The file is empty; a config is an object, { … }.';
  const name = printParseErrorCode(error.error);
  return `Not JSON: ${syntaxMessages[name] ?? name}.`;
}

const syntaxMessages: Readonly<Record<string, string>> = {
  InvalidSymbol: 'this is no value; texts stand in double quotes',
  InvalidNumberFormat: 'this is no number',
  PropertyNameExpected: 'a key in double quotes is expected here',
  ValueExpected: 'a value is expected here',
  ColonExpected: 'a colon is expected here',
  CommaExpected: 'a comma is expected before this',
  CloseBraceExpected: 'a closing brace is missing',
  CloseBracketExpected: 'a closing bracket is missing',
  EndOfFileExpected: 'nothing may follow the closing brace',
  InvalidCommentToken: 'this comment is wrong',
  UnexpectedEndOfComment: 'this comment has no end',
  UnexpectedEndOfString: 'this text has no closing quote',
  UnexpectedEndOfNumber: 'this number is cut off',
  InvalidUnicode: 'this \\u escape is wrong',
  InvalidEscapeCharacter: 'this escape is wrong; a backslash is written \\\\',
  InvalidCharacter: 'this character may not stand in a text',
};

/** The second and later keys of the same name in an object. */
function duplicateKeys(node: Node): Node[] {
  const seen = new Set<unknown>();
  return (node.children ?? []).flatMap((child) => {
    const key = child.type === 'property' ? child.children?.[0] : undefined;
    const own = key && seen.has(key.value) ? [key] : [];
    if (key) seen.add(key.value);
    return [...own, ...duplicateKeys(child)];
  });
}

interface Change {
  readonly path: readonly string[];
  readonly value: unknown;
  /** As it was said on the command line. */
  readonly said: string;
}

function parseSet(item: string): Change {
  const equals = item.indexOf('=');
  const path = item.slice(0, Math.max(0, equals)).split('.');
  if (path.some((key) => key === '')) {
    throw new UserError(`--set ${item}: expected key=value.`, { hint: 'For example: --set train.epochs=2.' });
  }
  return { path, value: jsonOrText(item.slice(equals + 1)), said: `--set ${item}` };
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text; // a text without its quotes
  }
}

/** A copy with the value at a path; what is on the way and no object gives way to one. */
function withValue(target: unknown, path: readonly string[], value: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  const object = typeof target === 'object' && target !== null && !Array.isArray(target) ? target : {};
  const old = Object.hasOwn(object, key) ? (object as Record<string, unknown>)[key] : undefined;
  return { ...object, [key]: withValue(old, rest, value) };
}

/** The node to mark: the value or key at the path; where something is missing, the key of the innermost group that is there. */
function nodeAt(tree: Node, path: ConfigProblem['path'], atKey: boolean): { offset: number; length: number } {
  for (let length = path.length; length > 0; length--) {
    const node = findNodeAtLocation(tree, path.slice(0, length));
    if (!node) continue;
    const key = node.parent?.type === 'property' ? node.parent.children?.[0] : undefined;
    return length === path.length && !atKey ? node : (key ?? node);
  }
  return { offset: tree.offset, length: 1 };
}

/** Turns offsets into lines and columns. */
function placesIn(file: string, text: string) {
  const starts = [0, ...[...text.matchAll(/\r\n|\r|\n/g)].map((match) => match.index + match[0].length)];
  const position = (offset: number) => {
    const line = starts.findLastIndex((start) => start <= offset);
    return { line: line + 1, column: offset - (starts[line] ?? 0) + 1 };
  };
  return (offset: number, length: number) => {
    const end = position(offset + length);
    return { file, ...position(offset), endLine: end.line, endColumn: end.column };
  };
}
