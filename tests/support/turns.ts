// Waiting for what must not happen: no event tells of it, so the event loop is given every chance to bring it.

/** Lets the event loop turn, each time with a look at what the kernel has. */
export async function turns(count = 100): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise(setImmediate);
}
