// connect(): makes datagram sockets with one peer.
import type { Chunk } from '@rxsock/core';
import { checkAddress, checkHost, checkOptions } from '@rxsock/core/internal';
import type { Datagram } from './events.js';
import type { ConnectOptions } from './options.js';
import { checkDatagramPort, resolveOptions } from './setup.js';
import { DatagramSocket } from './socket.js';

/**
 * Makes a UDP socket with one peer. It receives from this peer only, and takes chunks of bytes without an address. It
 * opens at the first subscription, or when you call its `next()`, `send()` or `bind()`. All subscribers share it.
 *
 * Connecting sends nothing, so it succeeds even if there is no peer. If the peer's port is closed, most systems report
 * it after a datagram was sent: a `sendError` with `ECONNREFUSED`.
 *
 * **Half-close**: none. `complete()` closes both directions.
 *
 * **Backpressure**: as for {@link bind}.
 *
 * @param options The peer, limits in bytes, and timeouts in milliseconds.
 * @returns A socket that is not open yet.
 * @throws At the call: {@link TypeError} for an option of the wrong type; {@link RangeError} for a number out of range,
 * or a `group` that is not a multicast address.
 * @throws As a notification: {@link ConnectError} if the `host` has no address (`ENOTFOUND`, or the code of `lookup`),
 * the local address or port is not available (`EADDRINUSE`, `EADDRNOTAVAIL`), there is no route (`ENETUNREACH`), the
 * peer is a broadcast address and `broadcast` is not set (`EACCES`), a group cannot be joined (`ENODEV`, `EINVAL`) or
 * the system refuses an option (`ERR_SOCKET_BUFFER_SIZE`, `EINVAL`); {@link AbortedError} (`ERR_SOCKET_ABORTED`) for
 * `signal` or `error()`.
 * @see https://nodejs.org/api/dgram.html#socketconnectport-address-callback
 * @example
 * ```ts
 * import { connect, messages } from '@rxsock/udp';
 *
 * const socket = connect({ host: 'localhost', port: 7 });
 * socket.pipe(messages()).subscribe((data) => console.log(data.toString()));
 * socket.next('hello');
 * ```
 */
export function connect(options: ConnectOptions): DatagramSocket<Chunk | Datagram> {
  checkOptions(options, '{ port: 9999 }');
  const { host = '127.0.0.1', port, localAddress, localPort = 0 } = options;
  const address = checkHost('host', host);
  checkDatagramPort('port', port, 1);
  if (localAddress !== undefined) checkAddress('localAddress', localAddress);
  checkDatagramPort('localPort', localPort, 0);
  const connectFrom = { address: localAddress, port: localPort };
  return new DatagramSocket({ host: address, port, connectFrom, options, limits: resolveOptions(options) });
}
