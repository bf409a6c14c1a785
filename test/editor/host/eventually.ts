/** Waiting inside the extension host, where services come up in their own time. */

/** The first answer that is not empty; mocha's time limit ends this. */
export async function eventually<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await look();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
