// discard(): reads and drops.
import { ignoreElements, type OperatorFunction } from 'rxjs';

/**
 * Reads and drops everything, so that a peer that sends does not fill the buffers of a socket that only writes.
 *
 * **Half-close**: completes when the socket closes, not at the peer's FIN.
 *
 * **Backpressure**: none. It is never behind.
 *
 * @throws As a notification: what the source fails with.
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
