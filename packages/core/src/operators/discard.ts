// discard(): reads and drops.
import { ignoreElements, type OperatorFunction } from 'rxjs';

/**
 * Reads and drops everything, so that a peer which talks does not fill the buffers of a socket that only writes.
 * Completes when the socket closes, and fails with it. Backpressure: none, it is never behind.
 *
 * @example
 * ```ts
 * import { connect, discard } from '@rxsock/core';
 *
 * const socket = connect({ port: 514 });
 * socket.pipe(discard()).subscribe({ error: console.error });
 * socket.next('<34>hello\n');
 * ```
 */
export function discard<T>(): OperatorFunction<T, never> {
  return ignoreElements();
}
