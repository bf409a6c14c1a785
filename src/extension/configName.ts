/** The name under which a config's runs are listed, out of its text. */

/** As the resolver makes it where none is written; nothing for a text that is no config, as while it is typed. */
export function nameOfConfig(text: string): string | undefined {
  const config = parsed(text);
  const name = field(config, 'name');
  if (typeof name === 'string') return name;
  const dataset = field(field(config, 'data'), 'dataset');
  const model = field(field(config, 'model'), 'name');
  return typeof dataset === 'string' && typeof model === 'string' ? `${dataset} ${model}` : undefined;
}

/** JSON with comments and trailing commas; without the parser for it, since lines above a config are asked for at each key stroke. */
function parsed(text: string): unknown {
  const keepTexts = (_: string, quoted: string | undefined) => quoted ?? ' ';
  const plain = text
    .replaceAll(/("(?:[^"\\]|\\.)*")|\/\/[^\n]*|\/\*[\s\S]*?\*\//g, keepTexts)
    .replaceAll(/("(?:[^"\\]|\\.)*")|,(?=\s*[}\]])/g, keepTexts);
  try {
    return JSON.parse(plain);
  } catch {
    return undefined; // it is being typed
  }
}

function field(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined;
}
