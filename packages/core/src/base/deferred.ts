// A promise that others settle.
import { handled } from './handled.js';

export interface Deferred {
  /** You may ignore it: a rejection that nobody handles is not reported. */
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

export function deferred(): Deferred {
  let resolve: Deferred['resolve'] | undefined;
  let rejectPromise: Deferred['reject'] | undefined;
  const promise = new Promise<void>((onResolved, onRejected) => {
    resolve = onResolved;
    rejectPromise = onRejected;
  });
  // Handled only now, because that costs another promise, and few are rejected.
  const reject = (reason: unknown) => {
    handled(promise);
    rejectPromise?.(reason);
  };
  return { promise, resolve: resolve as Deferred['resolve'], reject };
}
