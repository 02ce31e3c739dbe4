// A promise that others settle.
import { handled } from './handled.js';

export interface Deferred {
  /** You may ignore it: a rejection that nobody handles is not reported. */
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

export function deferred(): Deferred {
  let settle: Pick<Deferred, 'resolve' | 'reject'> | undefined;
  const promise = new Promise<void>((resolve, reject) => {
    settle = { resolve, reject };
  });
  return { promise: handled(promise), ...(settle as NonNullable<typeof settle>) };
}
