// One listener on an AbortSignal for any number of sockets: Node warns of a leak at the eleventh listener.
import { guarded } from './guarded.js';

const listeners = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Calls `onAbort` when the signal aborts. The returned function removes `onAbort`, and with the last one the listener.
 */
export function onAbortSignal(signal: AbortSignal, onAbort: () => void): () => void {
  const set = listeners.get(signal) ?? listenTo(signal);
  set.add(onAbort);
  return () => {
    if (!set.delete(onAbort) || set.size > 0) return;
    signal.removeEventListener('abort', notifyAll);
    listeners.delete(signal);
  };
}

function listenTo(signal: AbortSignal): Set<() => void> {
  const set = new Set<() => void>();
  listeners.set(signal, set);
  signal.addEventListener('abort', notifyAll, { once: true });
  return set;
}

function notifyAll(this: AbortSignal): void {
  const set = listeners.get(this);
  listeners.delete(this);
  for (const onAbort of set ?? []) guarded(onAbort);
}
