/** Messages to the dashboard as text: VS Code sends JSON, which would turn NaN and infinities into null. */

/** JSON in which a number that JSON lacks stands as `{"$number":"NaN"}`. */
export function toWire(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'number' && !Number.isFinite(inner) ? { $number: String(inner) } : inner,
  );
}

/** The value of such a text. */
export function fromWire(text: string): unknown {
  return JSON.parse(text, (_key, inner: unknown) => {
    const name = typeof inner === 'object' && inner !== null ? (inner as { $number?: unknown }).$number : undefined;
    return typeof name === 'string' ? Number(name) : inner;
  });
}
