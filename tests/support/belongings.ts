// What keeps a process alive, or costs it something: for tests that nothing stays behind.
import { setMaxListeners } from 'node:events';
import { readdirSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { expect } from 'vitest';

function belongings() {
  const resources: Record<string, number> = {};
  // Requests to the file system are the module loader's.
  const names = process.getActiveResourcesInfo().filter((name) => !/^(CloseReq|FSReq)/.test(name));
  for (const name of names) resources[name] = (resources[name] ?? 0) + 1;
  const descriptors = process.platform === 'linux' ? readdirSync('/proc/self/fd').length : undefined;
  return { resources, descriptors };
}

/**
 * Looks at the handles, timers and descriptors there are. The returned function expects that there are just these again; it
 * waits by turns of the event loop, for a timer would be one of them.
 */
export function remembered(): () => Promise<void> {
  const before = belongings();
  return async () => {
    for (let turn = 0; turn < 50_000 && !isDeepStrictEqual(belongings(), before); turn++) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(belongings()).toEqual(before);
  };
}

/** A signal that counts who listens to it. */
export function countingSignal() {
  const { signal } = new AbortController();
  setMaxListeners(0, signal);
  const counted = { signal, listeners: 0 };
  const { addEventListener, removeEventListener } = signal;
  Object.assign(signal, {
    addEventListener: (...args: Parameters<AbortSignal['addEventListener']>) => {
      counted.listeners++;
      addEventListener.apply(signal, args);
    },
    removeEventListener: (...args: Parameters<AbortSignal['removeEventListener']>) => {
      counted.listeners--;
      removeEventListener.apply(signal, args);
    },
  });
  return counted;
}
