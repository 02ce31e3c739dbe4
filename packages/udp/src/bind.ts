// bind(): datagram sockets that receive from and send to anybody.
import { type BindOptions, checkPort, resolveOptions } from './options.js';
import { DatagramSocket } from './socket.js';

/**
 * A UDP socket that is yet to be bound: the first subscription binds it, and so do `send()` and `bind()`. All subscribers
 * share it.
 *
 * There is no half-close, and no backpressure on what is received: nobody can make the senders wait, so put
 * {@link mapMessages} before whatever is slow. What is sent is answered for by `next()` and `drain`.
 *
 * @throws TypeError or RangeError at the call, for options that mean nothing. As a notification: {@link SocketError} with
 * Node's code (`EADDRINUSE`, `EACCES`, `EADDRNOTAVAIL`, `ENOTFOUND`).
 * @see https://nodejs.org/api/dgram.html
 *
 * @example
 * ```ts
 * import { on } from '@rxsock/core';
 * import { bind } from '@rxsock/udp';
 *
 * const socket = bind({ port: 7 });
 * socket.pipe(on('message')).subscribe(socket); // echo: a message goes back to where it came from
 * ```
 */
export function bind(options: BindOptions = {}): DatagramSocket {
  const { host = '127.0.0.1', port = 0 } = options;
  checkPort('port', port, 0);
  return new DatagramSocket({ host, port, options, limits: resolveOptions(options) });
}
