// toDuplex(): a Socket as a Node Duplex.
import type { Duplex } from 'node:stream';
import type { Socket } from '../socket.js';
import type { NetMembers } from './net-duplex.js';
import { NodeDuplex } from './node-duplex.js';
import type { TlsStream } from './tls-members.js';

/**
 * The stream of {@link toDuplex}: a `Duplex` with the members that libraries use of a `net.Socket`, and over TLS of a
 * `tls.TLSSocket`.
 */
export interface SocketDuplex extends Duplex, NetMembers, TlsStream {}

/**
 * A socket as a Node `Duplex`, for libraries that take a `Duplex`. Dials if nothing has dialled yet. From now on the
 * stream owns the socket, both ways: write and complete through the stream.
 *
 * The stream behaves as a `net.Socket`: it emits `'connect'`, `'ready'` and `'timeout'`, and has `setTimeout()`,
 * `setKeepAlive()`, `setNoDelay()`, `ref()`, `unref()`, the addresses, the byte counts and `readyState`. Over TLS it
 * also emits `'secureConnect'`, and has `encrypted`, `authorized` and `alpnProtocol`. It is not an instance of
 * `net.Socket`.
 *
 * **Half-close**: `end()` sends FIN and reading goes on. The peer's FIN is `'end'`. It also ends our side, after
 * everything that was written, unless the socket's `allowHalfOpen` was on at the call. `destroy()` without an error
 * sends FIN, waits up to the socket's `lingerTimeout` for the peer's, and drops what still arrives. `destroy()` with an
 * error, with bytes that were not sent, or before the connection is open resets, and so does `resetAndDestroy()`.
 *
 * **Backpressure**: both ways. Bytes are read ahead up to `readableHighWaterMark`, the socket's `highWaterMark` in
 * bytes.
 *
 * @param socket A socket that nobody else reads or writes.
 * @returns The stream. It is connecting until the socket is open.
 * @throws At the call: {@link TypeError} for something that is not a socket.
 * @throws As the stream's `'error'`: what the socket fails with. A stream that is being read first emits the bytes that
 * the peer had sent, unless this side has ended the connection, for example with an abort.
 * @see https://nodejs.org/api/net.html#class-netsocket
 *
 * @example
 * ```ts
 * import { request } from 'node:http';
 * import { connect, toDuplex } from '@rxsock/core';
 *
 * const createConnection = () => toDuplex(connect({ host: 'localhost', port: 80 }));
 * request({ createConnection }, (response) => response.pipe(process.stdout)).end();
 * ```
 */
export function toDuplex(socket: Socket): SocketDuplex {
  return new NodeDuplex(socket) as SocketDuplex;
}
