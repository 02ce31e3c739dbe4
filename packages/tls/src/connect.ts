// connect(): TLS over TCP. It only knows what to lay over the TCP connection; all the rest is core's.
import type { Socket, ConnectOptions as TcpConnectOptions } from '@rxsock/core';
import { connectOver } from '@rxsock/core/internal';
import { type ClientOptions, clientSide, HANDSHAKE_TIMEOUT } from './client.js';
import { explain } from './errors.js';

/** Options of {@link connect}: those of TCP, and those of TLS. */
export interface ConnectOptions extends TcpConnectOptions, ClientOptions {}

/**
 * A TLS connection that is yet to be made, like `connect` of `@rxsock/core`. The server's certificate is verified, by
 * `host` unless `servername` or `verifyHost` say otherwise. Tells `connect` when TCP is open, and `secureConnect` when the
 * handshake is over; what is written before is sent after it.
 *
 * Half-close: `complete()` sends close_notify and FIN, and reading goes on; many peers take nothing after their own
 * close_notify, so do not count on an answer to bytes that come after the peer's `end`. A stream that ends without
 * close_notify was cut, which is an error, never `end`. An abort resets TCP and sends no close_notify. Backpressure: as TCP.
 *
 * @throws TypeError or RangeError at the call, for options that mean nothing, and what Node throws for certificates and keys
 * that do not fit. As notifications, beside those of TCP: {@link CertificateError}, {@link AlertError}
 * (`ERR_TLS_ALERT`), {@link SocketTimeoutError} for `handshakeTimeout`, {@link SocketError} `ERR_TLS_HANDSHAKE`,
 * `ERR_TLS_TRUNCATED`, `ERR_TLS_PROTOCOL`.
 * @see RFC 8446, https://nodejs.org/api/tls.html#tlsconnectoptions-callback
 *
 * @example
 * ```ts
 * import { lines, through } from '@rxsock/core';
 * import { connect } from '@rxsock/tls';
 * import { of } from 'rxjs';
 *
 * of('GET / HTTP/1.0\r\nHost: example.com\r\n\r\n')
 *   .pipe(through(connect({ host: 'example.com', port: 443 }), { end: false }), lines())
 *   .subscribe(console.log);
 * ```
 */
export function connect(options: ConnectOptions): Socket {
  const { host = 'localhost', port, handshakeTimeout = HANDSHAKE_TIMEOUT } = options;
  const secure = clientSide(options, host, `${host}:${port}`, Number(port));
  return connectOver(options, { type: 'tls', secure, explain, handshakeTimeout });
}
