/** SVG as text: elements with escaped attributes, numbers with two decimals, the same bytes for the same input. */
import { escaped } from '../core/format.ts';

type Attributes = Readonly<Record<string, string | number | undefined>>;

/** An element; its content is markup already. */
export function tag(name: string, attributes: Attributes, ...content: readonly string[]): string {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${typeof value === 'number' ? rounded(value) : legal(String(value))}"`)
    .join('');
  return content.length === 0 ? `<${name}${written}/>` : `<${name}${written}>${content.join('')}</${name}>`;
}

/** A text as content or attribute of XML, without the characters that XML cannot hold. */
export function legal(text: string): string {
  const allowed = [...text].filter((sign) => {
    const code = sign.codePointAt(0) ?? 0;
    const control = code < 0x20 && code !== 0x09 && code !== 0x0a && code !== 0x0d;
    return !control && !(code >= 0xd800 && code <= 0xdfff) && code !== 0xfffe && code !== 0xffff;
  });
  return escaped(allowed.join(''));
}

/** At most two decimals, without those that are 0. */
export function rounded(value: number): string {
  const text = (Math.round(value * 100) / 100).toFixed(2).replace(/\.?0+$/, '');
  return text === '-0' ? '0' : text;
}
