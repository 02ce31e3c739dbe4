// connect(): TLS over TCP. It adds the handshake; core does the rest.
import type { Socket, ConnectOptions as TcpConnectOptions } from '@rxsock/core';
import { checkConnectOptions, checkHost, connectOver, formatAddress } from '@rxsock/core/internal';
import { type ClientOptions, clientHandshake } from './client-handshake.js';
import { explainTlsError } from './errors.js';
import { resolveHandshakeTimeout } from './handshake.js';

/** Options of {@link connect}: the TCP options of `@rxsock/core`, and the TLS options of a client. */
export interface ConnectOptions extends TcpConnectOptions, ClientOptions {}

/**
 * Creates a TLS socket. As in `@rxsock/core`, the first subscription dials, and so do `write()`, `complete()`, and
 * `close()` if something was written. The socket emits `connect` when TCP is open and `secureConnect` when the
 * handshake has succeeded. What you write before that is sent afterwards, and never to a server whose certificate was
 * refused.
 *
 * The server's certificate must be valid for `verifyHost`, else for `servername`, else for `host`.
 *
 * **Half-close**: `complete()` sends close_notify and FIN, and reading goes on. At the peer's close_notify the socket
 * emits `end`; with `allowHalfOpen` you can still write, but many peers discard what arrives after their own
 * close_notify. A stream that ends without close_notify was cut: the socket fails with `ERR_TLS_TRUNCATED` and emits no
 * `end`. An abort resets TCP and sends no close_notify.
 *
 * **Backpressure**: as for TCP. While the socket is held, the peer waits; `next()` returns `false` at `highWaterMark`
 * bytes.
 *
 * @param options Where to connect to, and how to verify the server. Times are in milliseconds, sizes in bytes.
 * @returns A socket with the state `idle`. All subscribers share its one connection.
 * @throws At the call: {@link TypeError} if there is no name to verify the certificate against, for a `verify` that is
 * not a boolean, for a `ca` that is not PEM, and for certificates given together with `context`; {@link TypeError} and
 * {@link RangeError} for ports and limits that make no sense; {@link SocketError} `ERR_OPTION_UNSUPPORTED` for a name in
 * `sigalgs` or `ecdhCurve` that OpenSSL does not know, and for what this version of Node cannot set; Node's own error for keys and certificates that cannot be
 * parsed or do not match.
 * @throws As a notification: {@link CertificateError} (the reason is its `code`) if this side refuses the server's
 * certificate; {@link AlertError} (`ERR_TLS_ALERT`) if the server ends the connection with an alert;
 * {@link SocketTimeoutError} (`ETIMEDOUT`) for `handshakeTimeout`; {@link SocketError} with `ERR_TLS_HANDSHAKE` if the
 * handshake fails for any other reason, `ERR_TLS_TRUNCATED` if the stream ends without close_notify, and
 * `ERR_TLS_PROTOCOL` for bytes that are not valid TLS. As over TCP: {@link ConnectError} (Node's code, or
 * `ERR_UNKNOWN_SERVICE`), {@link SocketTimeoutError} for the other limits, {@link ResetError} (`ECONNRESET`, `EPIPE`),
 * {@link AbortedError} (`ERR_SOCKET_ABORTED`), {@link WriteBufferOverflowError} (`ERR_WRITE_BUFFER_OVERFLOW`),
 * {@link SocketError} with Node's code or `ERR_STREAM_PREMATURE_CLOSE`.
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
  checkConnectOptions(options);
  const { host = 'localhost', port } = options;
  return connectOver(options, {
    type: 'tls',
    secure: clientHandshake(options, { target: formatAddress(host, port), host: checkHost('host', host), port }),
    explain: explainTlsError,
    handshakeTimeout: resolveHandshakeTimeout(options),
  });
}
