// listen(): TLS servers over TCP.
import { type InternetEndpoint, Server, type ListenOptions as TcpListenOptions } from '@rxsock/core';
import { serverOver } from '@rxsock/core/internal';
import { acceptedEnds, explainAccepted, type ServerIdentity, type ServerOptions, ServerSide } from './server.js';

/** Options of {@link listen}: those of TCP, and those of TLS. */
export interface ListenOptions extends TcpListenOptions, ServerOptions {}

/** A TLS server: a `Server` of `@rxsock/core` whose certificates can be replaced. Made by {@link listen}. */
export class SecureServer extends Server<InternetEndpoint> {
  readonly #side: ServerSide;

  /** @internal */
  constructor(options: ListenOptions) {
    const side = new ServerSide(options);
    super(
      ...serverOver(options, {
        type: 'tls',
        acceptEvent: 'secureConnection',
        create: (streams) => side.create(streams),
        endpoints: acceptedEnds,
        explain: explainAccepted(options),
      }),
    );
    this.#side = side;
  }

  /**
   * Shows other certificates to the connections that come from now on; those that are open live on, and their sessions can
   * be resumed, except with `requestCert`: whom `ca` no longer trusts is not let in again. All of `identity` is replaced,
   * `ca` and `sni` included.
   * @throws what Node throws for keys and certificates that do not fit; the old ones then stay.
   */
  setSecureContext(identity: ServerIdentity): void {
    this.#side.replace(identity);
  }
}

/**
 * A TLS server that is yet to listen, like `listen` of `@rxsock/core`. A `connection` comes when its handshake is over. One
 * that fails is a `drop` with the reason `handshake` and its error; it is never the end of the server, nor are silence,
 * which `handshakeTimeout` ends, and junk.
 *
 * Half-close, truncation, aborts and backpressure: as for {@link connect}. A client's certificate that this side refuses
 * ends the connection before it is told; in TLS 1.3 the client has by then heard of `secureConnect`.
 *
 * @throws TypeError or RangeError at the call, for options that mean nothing, and what Node throws for keys and certificates
 * that do not fit. As a notification: {@link SocketError} with Node's code (`EADDRINUSE`, …).
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
