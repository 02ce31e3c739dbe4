// listen(): TLS servers over TCP. It creates the tls.Server; core does the rest.
import { type InternetEndpoint, Server, type ListenOptions as TcpListenOptions } from '@rxsock/core';
import { checkSize, serverOver } from '@rxsock/core/internal';
import { Handshakes } from './handshakes.js';
import { explainServerError } from './server-errors.js';
import type { ServerIdentity, ServerOptions } from './server-options.js';
import { TlsServer } from './tls-server.js';

/** Options of {@link listen}: the TCP options of `@rxsock/core`, and the TLS options of a server. */
export interface ListenOptions extends TcpListenOptions, ServerOptions {
  /**
   * How many TLS handshakes may be in progress at once. The server drops further connections before their handshake,
   * each with a `drop` event. Infinity means no limit.
   *
   * A handshake takes about 2 ms of this process, so a thousand at once take about two seconds. If more wait, the last
   * ones would pass `handshakeTimeout`, and their clients would have gone when it is their turn. A client that is
   * dropped knows at once and can try again. Silent clients hold their handshakes for `handshakeTimeout`: limit them
   * with `maxConnectionsPerAddress`.
   * @defaultValue 1,000
   */
  readonly maxHandshakes?: number | undefined;
}

/** A TLS server: a `Server` of `@rxsock/core` whose certificates you can replace. Made by {@link listen}. */
export class SecureServer extends Server<InternetEndpoint> {
  readonly #tlsServer: TlsServer;

  /** @internal */
  constructor(options: ListenOptions) {
    const tlsServer = new TlsServer(options);
    const { maxHandshakes = 1_000 } = options;
    checkSize('maxHandshakes', maxHandshakes);
    const handshakes = new Handshakes(maxHandshakes);
    super(
      ...serverOver(options, {
        type: 'tls',
        acceptEvent: 'secureConnection',
        create: (streamOptions) =>
          tlsServer.create(streamOptions).on('secureConnection', (stream) => handshakes.done(stream)),
        admissions: [handshakes],
        explain: explainServerError(options),
      }),
    );
    this.#tlsServer = tlsServer;
  }

  /**
   * Replaces the certificates for new connections, for example after a renewal. Open connections go on, and clients can
   * still resume their sessions. A server with `requestCert` has no sessions, so the new `ca` and `crl` hold for every
   * new connection.
   *
   * @param identity All certificates, `ca` and `sni` included: nothing of the old ones is kept.
   * @throws At the call: as {@link listen} for these options. The old certificates then stay.
   */
  setSecureContext(identity: ServerIdentity): void {
    this.#tlsServer.replaceIdentity(identity);
  }
}

/**
 * Creates a TLS server. As in `@rxsock/core`, the first subscription listens. The server emits `connection` when the
 * handshake of a client has succeeded. A handshake that fails, for example by silence, by bytes that are not TLS or by
 * a refused certificate, emits one `drop` with the reason `handshake` and its error; the server keeps running.
 *
 * In TLS 1.3 a client emits `secureConnect` before the server has verified the client's certificate. If the server then
 * refuses it, the server emits `drop`, and the client fails after its `secureConnect`.
 *
 * **Half-close**: accepted sockets half-close and detect a cut stream as those of {@link connect} do.
 *
 * **Backpressure**: an accepted socket is paused until something subscribes to it, so no bytes are lost.
 *
 * @param options Where to listen, and the certificates of the server: `key` and `cert`, or `pfx`. Times are in
 * milliseconds, sizes in bytes.
 * @returns A server with the state `idle`.
 * @throws At the call: {@link TypeError} for missing certificates, `requestCert` without `ca`, a `ca` that is not PEM,
 * ciphers, `sigalgs`, `ecdhCurve` or versions in `sni`, a `verify` that is not a boolean, or an `fd` together with
 * `host`, `port` or `reusePort`; {@link TypeError} and {@link RangeError} for ports and limits that make no sense;
 * {@link SocketError} `ERR_OPTION_UNSUPPORTED` for a name in `sigalgs` or `ecdhCurve` that OpenSSL does not know, and
 * for what this version of Node cannot set: see `listen` of `@rxsock/core`; Node's own error, for example
 * `ERR_OSSL_X509_KEY_VALUES_MISMATCH`, for keys and certificates that cannot be parsed or do not match.
 * @throws As a notification: {@link SocketError} with Node's code (`EADDRINUSE`, `EACCES`, `EADDRNOTAVAIL`; `EINVAL`
 * for an `fd` that is not a TCP socket to listen on), or `ERR_UNKNOWN_SERVICE` for a `port` by name. The errors of
 * `drop` and of accepted sockets are those of {@link connect}, and {@link CertificateError}
 * `ERR_TLS_CERTIFICATE_REQUIRED` for a client that presented no certificate.
 * @see RFC 8446, https://nodejs.org/api/tls.html#tlscreateserveroptions-secureconnectionlistener
 *
 * @example
 * ```ts
 * import { readFileSync } from 'node:fs';
 * import { data, serve } from '@rxsock/core';
 * import { listen } from '@rxsock/tls';
 *
 * const server = listen({ port: 8443, key: readFileSync('key.pem'), cert: readFileSync('cert.pem') });
 * server.pipe(serve((socket) => socket.pipe(data()))).subscribe(); // echo
 * ```
 */
export function listen(options: ListenOptions): SecureServer {
  return new SecureServer(options);
}
