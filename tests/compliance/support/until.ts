// Waits for what must happen by turns of the event loop: a timer would be one more thing that the test leaves behind.

const PATIENCE = 10_000;

/** Waits until the condition is true. */
export async function until(condition: () => unknown): Promise<void> {
  const start = performance.now();
  while (!condition()) {
    if (performance.now() - start > PATIENCE)
      throw new Error(`The condition did not become true within ${PATIENCE} ms: ${condition}`);
    await new Promise(setImmediate);
  }
}
