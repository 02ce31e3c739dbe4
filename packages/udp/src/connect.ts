// connect(): datagram sockets with one peer.
import type { Chunk } from '@rxsock/core';
import type { Datagram } from './events.js';
import { type ConnectOptions, checkPort, resolveOptions } from './options.js';
import { DatagramSocket } from './socket.js';

/**
 * A UDP socket with one peer, yet to be opened: it takes bare chunks, receives from the peer alone, and is told when the
 * peer's port is closed (`sendError` with `ECONNREFUSED`, where the system tells). Nothing is sent to connect it, so it
 * "connects" to peers that are not there as well. The first subscription opens it, and so do `send()` and `bind()`.
 *
 * Half-close and backpressure: as for {@link bind}.
 *
 * @throws TypeError or RangeError at the call, for options that mean nothing. As a notification: {@link SocketError} with
 * Node's code (`ENOTFOUND`, `ENETUNREACH`, `EACCES`: a broadcast address without `broadcast`).
 * @see https://nodejs.org/api/dgram.html#socketconnectport-address-callback
 *
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
  const { host = '127.0.0.1', port, localAddress, localPort = 0 } = options;
  checkPort('port', port, 1);
  checkPort('localPort', localPort, 0);
  const near = { address: localAddress, port: localPort };
  return new DatagramSocket({ host, port, near, options, limits: resolveOptions(options) });
}
