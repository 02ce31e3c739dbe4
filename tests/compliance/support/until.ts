// Waiting for what must happen, by turns of the event loop: a timer would be one more thing that the test leaves behind.

const PATIENCE = 10_000;

/** Waits until something is so. */
export async function until(what: () => unknown): Promise<void> {
  const start = performance.now();
  while (!what()) {
    if (performance.now() - start > PATIENCE) throw new Error(`In ${PATIENCE} ms it never came to this: ${what}`);
    await new Promise(setImmediate);
  }
}
