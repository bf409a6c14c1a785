/** Makes elements: text goes in as text, never as markup. */

type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

/** An element with attributes (`true`: empty, `false` or undefined: left out) and children. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) made.setAttribute(name, value === true ? '' : String(value));
  }
  made.append(...children);
  return made;
}

/** Replaces what a place holds only where it differs, so that a selection or a tooltip there survives. */
export function fill(place: Element, ...children: (Node | string)[]): void {
  const next = document.createElement('div');
  next.append(...children);
  if (next.innerHTML !== place.innerHTML) place.replaceChildren(...next.childNodes);
}

/** A button that a sign or a short word names for the eye, and a sentence for the tooltip and the ear. */
export function button(text: string, about: string, click: () => void): HTMLButtonElement {
  const made = element('button', { type: 'button', title: about, 'aria-label': about }, text);
  made.addEventListener('click', click);
  return made;
}

/** The same text again would cost a layout, and be spoken again. */
export function setText(place: Element, text: string): void {
  if (place.textContent !== text) place.textContent = text;
}
