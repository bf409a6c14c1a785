/** A config as one flat table, `train.learningRate` → 0.002: what a list of runs shows, sorts and compares. */

export type FlatConfig = Readonly<Record<string, string | number | boolean>>;

/** A text of a config is cut off after this many signs; what is left says how many there were. */
const MOST_SIGNS = 2000;
/** Nobody's config is deeper or longer; a hostile one shall not fill the memory of whoever lists it. */
const MOST_LEVELS = 12;
const MOST_KEYS = 1000;

/**
 * Every value of a config by its dotted key; lists and empty groups as text. The result has no prototype, so that a key like
 * `__proto__` or `constructor` is a key like any other, and one that is missing is missing.
 */
export function flattenConfig(config: unknown): FlatConfig {
  const flat: Record<string, string | number | boolean> = Object.create(null);
  let left = MOST_KEYS;
  const add = (prefix: string, value: unknown, level: number): void => {
    if (left <= 0) return;
    if (isGroup(value) && level < MOST_LEVELS) {
      for (const [key, inner] of Object.entries(value)) add(joined(prefix, key), inner, level + 1);
    } else if (prefix !== '') {
      flat[prefix] = plain(value, level);
      left--;
    }
  };
  add('', config, 0);
  return flat;
}

/** The value of a key, or nothing where the config lacks it: also after the config crossed as JSON and has a prototype again. */
export function configValue(config: FlatConfig, key: string): string | number | boolean | undefined {
  return Object.hasOwn(config, key) ? config[key] : undefined;
}

/** A dot within a key would read as a level. */
function joined(prefix: string, key: string): string {
  const name = cut(/[.\s"]/.test(key) || key === '' ? JSON.stringify(key) : key);
  return prefix === '' ? name : `${prefix}.${name}`;
}

function plain(value: unknown, level: number): string | number | boolean {
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  if (typeof value === 'string') return cut(value);
  return cut(textOf(value, level));
}

/** JSON with spaces, `[0.9, 0.999]`; what lies too deep is an ellipsis. */
function textOf(value: unknown, level: number): string {
  if (Array.isArray(value)) {
    if (level >= MOST_LEVELS) return '[…]';
    const shown: string[] = [];
    let length = 0;
    for (const item of value) {
      const text = textOf(item, level + 1);
      shown.push(text);
      length += text.length + 2;
      if (length > MOST_SIGNS / 2) break;
    }
    const rest = shown.length < value.length ? `, … (${value.length} items)` : '';
    return `[${shown.join(', ')}${rest}]`;
  }
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  if (level >= MOST_LEVELS) return '{…}';
  const pairs = Object.entries(value).slice(0, MOST_KEYS);
  return `{${pairs.map(([key, inner]) => `${JSON.stringify(key)}: ${textOf(inner, level + 1)}`).join(', ')}}`;
}

function cut(text: string): string {
  return text.length <= MOST_SIGNS ? text : `${text.slice(0, MOST_SIGNS)}… (${text.length} signs)`;
}

function isGroup(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length > 0;
}
