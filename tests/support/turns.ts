// Waits for what must not happen. No event reports that, so the event loop gets every chance to make it happen.

/** Lets the event loop turn. Each turn polls the kernel once. */
export async function turns(count = 100): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise(setImmediate);
}
