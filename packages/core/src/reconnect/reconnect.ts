// reconnect(): one Observable and Observer over many connections, one after the other.
import type { Socket } from '../socket.js';
import { Backoff } from './backoff.js';
import { ReconnectLoop } from './reconnect-loop.js';
import { type ReconnectOptions, resolveReconnectOptions } from './reconnect-options.js';
import { ReconnectingSocket } from './reconnecting-socket.js';
import { SocketFactory } from './socket-factory.js';

/**
 * Keeps a connection open: when it ends, for whatever reason, dials again, with growing delays. Read the bytes with
 * `eachConnection`; subscribe for the events of all connections, with `disconnect` and `retry` between them.
 *
 * All subscribers share the connection. The first one dials, and so do `write()` and `complete()`. Bytes that arrive
 * before the first subscription are dropped. A later subscriber receives the `connect` of the current connection again.
 * When the last one leaves, everything stops by the next turn: timers and attempts, and the connection, which closes
 * gracefully. The next subscriber starts again.
 *
 * **Lost bytes**: a chunk is handed to one connection and never to another. When a connection ends, the bytes that had
 * not left yet are lost: `bytesUnsent` in the report of `disconnect`. Bytes that had left are lost too if the peer did
 * not read them, and only the peer knows that. A protocol that must not lose anything needs acknowledgements. Write
 * whole messages as chunks, because the next chunk may go to the next connection. Chunks that you write while there is
 * no connection wait, up to `maxWriteBuffer`.
 *
 * **Setup**: with `setup`, every connection is greeted, logged in or upgraded before anybody else reads or writes. Its
 * failure is a failed attempt: the `disconnect` event has the error (`ERR_SETUP_FAILED`, or `ETIMEDOUT` after
 * `setupTimeout`). The option `shouldRetry` ends the attempts, for example at a wrong password.
 *
 * **Half-close**: the peer's FIN ends the connection, whatever `allowHalfOpen` says, and the socket dials again.
 * `complete()` sends our FIN.
 *
 * **Backpressure**: a hold is passed on from each connection to the next. `next()` returns `false` and `drain` follows,
 * also if the connection changes between them.
 *
 * @param factory Makes a new socket at each call, of any transport: TCP, TLS, UNIX. It is called once right away. Later
 * calls run in the `AsyncLocalStorage` context of the first one.
 * @param options When to retry, and how much may wait to be written.
 * @returns The reconnecting socket. It dials when you subscribe.
 * @throws At the call: {@link TypeError} if `factory` is not a function that returns a new socket; {@link TypeError} or
 * {@link RangeError} for an option that is not valid; what `factory` throws.
 * @throws As a notification: {@link ReconnectError} (`ERR_RECONNECT_EXHAUSTED`) after `maxRetries`;
 * {@link WriteBufferOverflowError} (`ERR_WRITE_BUFFER_OVERFLOW`) with `overflow: 'error'`; {@link AbortedError}
 * (`ERR_SOCKET_ABORTED`) after `error()`, or after an abort of its `signal` or of a socket's `signal`;
 * {@link SocketTimeoutError} (`ETIMEDOUT`) after the timeout of `close()`; {@link ConnectError} (`ERR_INVALID_…`,
 * `ERR_SOCKET_BAD_…`) for an option that Node rejects, since no retry helps; the error of the last connection after
 * `complete()`, `close()` or a `shouldRetry` that returned `false`; what `factory` throws at a later call, and what
 * `shouldRetry` throws.
 * @example
 * ```ts
 * import { connect, lines, reconnect } from '@rxsock/core';
 *
 * const irc = reconnect(() => connect({ host: 'localhost', port: 6667 }), { backoff: { initial: 100, max: 10_000 } });
 * irc.eachConnection((bytes) => bytes.pipe(lines())).subscribe({ next: console.log, error: () => {} });
 * irc.subscribe({
 *   next: (event) => {
 *     if (event.type === 'connect') irc.next('NICK me\r\n'); // sent first on every connection
 *     if (event.type === 'disconnect') console.log('disconnected:', event.error?.message ?? 'the peer ended');
 *   },
 *   error: (error) => console.error('gave up:', error.message),
 * });
 * ```
 */
export function reconnect(factory: () => Socket, options: ReconnectOptions = {}): ReconnectingSocket {
  const limits = resolveReconnectOptions(options);
  const backoff = new Backoff(options.backoff);
  return new ReconnectingSocket(new ReconnectLoop(new SocketFactory(factory, 'reconnect'), backoff, limits));
}
