// Resources that keep a process alive or cost it something: for tests that nothing is left behind.
import { setMaxListeners } from 'node:events';
import { readdirSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { expect } from 'vitest';

function currentResources() {
  const resources: Record<string, number> = {};
  // Requests to the file system belong to the module loader.
  const names = process.getActiveResourcesInfo().filter((name) => !/^(CloseReq|FSReq)/.test(name));
  for (const name of names) resources[name] = (resources[name] ?? 0) + 1;
  const descriptors = process.platform === 'linux' ? readdirSync('/proc/self/fd').length : undefined;
  return { resources, descriptors };
}

/**
 * Counts the current handles, timers and descriptors. The returned function expects the same counts again. It waits by
 * turns of the event loop, because a timer would be one of the resources.
 */
export function snapshotResources(): () => Promise<void> {
  const before = currentResources();
  return async () => {
    for (let turn = 0; turn < 50_000 && !isDeepStrictEqual(currentResources(), before); turn++) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(currentResources()).toEqual(before);
  };
}

/** A signal that counts its listeners. */
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
