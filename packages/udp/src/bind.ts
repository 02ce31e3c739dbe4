// bind(): makes datagram sockets without a fixed peer.
import { checkBoolean, checkHost, checkOptions, checkReusePortSupported } from '@rxsock/core/internal';
import type { BindOptions } from './options.js';
import { checkDatagramPort, resolveOptions } from './setup.js';
import { DatagramSocket } from './socket.js';

/**
 * Makes a UDP socket that receives from anybody and sends to anybody. It binds at the first subscription, or when you
 * call its `next()`, `send()` or `bind()`. All subscribers share it.
 *
 * **Half-close**: none. `complete()` closes both directions.
 *
 * **Backpressure**: received datagrams cannot be held back, because a receiver cannot make its senders wait. Put {@link
 * mapMessages} before a slow consumer: it drops and counts what it has no room for. For sending, `next()` returns
 * `false` at `highWaterMark`, and `drain` follows when all is sent.
 *
 * @param options Where to bind, limits in bytes, and timeouts in milliseconds.
 * @returns A socket that is not bound yet.
 * @throws At the call: {@link TypeError} for an option of the wrong type; {@link RangeError} for a number out of range,
 * or a `group` that is not a multicast address; {@link SocketError} `ERR_OPTION_UNSUPPORTED` for `reusePort` on a version
 * of Node that does not have it.
 * @throws As a notification: {@link SocketError} if the socket cannot be bound (`EADDRINUSE`, `EADDRNOTAVAIL`,
 * `EACCES`; `ENOTSUP` for `reusePort` on a system without it), the `host` has no address (`ENOTFOUND`, or the code of `lookup`), a group cannot be joined (`ENODEV`,
 * `EINVAL`) or the system refuses an option (`ERR_SOCKET_BUFFER_SIZE`, `EINVAL`); {@link AbortedError}
 * (`ERR_SOCKET_ABORTED`) for `signal` or `error()`.
 * @see RFC 768 (UDP), https://nodejs.org/api/dgram.html
 * @example
 * ```ts
 * import { on } from '@rxsock/core';
 * import { bind } from '@rxsock/udp';
 *
 * const socket = bind({ port: 7 });
 * socket.pipe(on('message')).subscribe(socket); // echo: each message goes back to its sender
 * ```
 */
export function bind(options: BindOptions = {}): DatagramSocket {
  checkOptions(options, '{ port: 9999 }');
  const { host = '127.0.0.1', port = 0, ipv6Only = false, reusePort = false } = options;
  const address = checkHost('host', host);
  checkBoolean('ipv6Only', ipv6Only);
  checkBoolean('reusePort', reusePort);
  if (reusePort) checkReusePortSupported();
  checkDatagramPort('port', port, 0);
  return new DatagramSocket({ host: address, port, options, limits: resolveOptions(options) });
}
