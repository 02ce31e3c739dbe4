// The tls.Server of Node that listen() and upgrade() run on.
import * as tls from 'node:tls';
import { checkBoolean, checkOptions, LONGEST_TIMER } from '@rxsock/core/internal';
import { alpnCallback, checkProtocols } from './alpn.js';
import { keyLogListener, resolveHandshakeTimeout } from './handshake.js';
import { type ResolvedIdentity, resolveIdentity } from './server-identity.js';
import type { ServerIdentity, ServerOptions } from './server-options.js';

/** Checks the options at once, creates the `tls.Server` when it is needed, and replaces its certificates. */
export class TlsServer {
  readonly #options: ServerOptions;
  #identity: ResolvedIdentity;
  #server: tls.Server | undefined;

  constructor(options: ServerOptions) {
    checkOptions(options, '{ key, cert }');
    const { verify = true, requestCert = false, alpn } = options;
    checkBoolean('verify', verify);
    checkBoolean('requestCert', requestCert);
    if (alpn !== undefined && typeof alpn !== 'function') checkProtocols(alpn);
    resolveHandshakeTimeout(options);
    this.#options = options;
    this.#identity = this.#resolve(options);
  }

  create(streamOptions: tls.TlsOptions): tls.Server {
    const { alpn, requestCert = false, verify = true, keyLog } = this.#options;
    const server = tls.createServer({
      ...streamOptions,
      // For the handshake only: with `true`, Node does not notice that a peer has left in the middle of it. Later, the
      // engine sets it on each stream.
      allowHalfOpen: false,
      ...this.#identity.options,
      requestCert,
      rejectUnauthorized: verify,
      // Node takes 0 for its own default.
      handshakeTimeout: Math.min(resolveHandshakeTimeout(this.#options) || LONGEST_TIMER, LONGEST_TIMER),
      SNICallback: (servername, done) => done(null, this.#identity.contextFor(servername)),
      ...(typeof alpn === 'function' ? { ALPNCallback: alpnCallback(alpn) } : alpn && { ALPNProtocols: [...alpn] }),
    });
    if (keyLog) server.on('keylog', keyLogListener(keyLog));
    // Makes Node remember the address, which it can no longer find out after a failed handshake.
    server.on('connection', (stream) => void stream.remoteAddress);
    // Node reports a handshake that takes too long, but leaves its connection open.
    server.on('tlsClientError', (_, stream) => setImmediate(() => stream.destroy()));
    this.#server = server;
    return server;
  }

  /** Presents other certificates from now on. If they do not match, it throws and the old ones stay. */
  replaceIdentity(identity: ServerIdentity): void {
    checkOptions(identity, '{ key, cert }');
    const resolved = this.#resolve(identity);
    // Node would make new ticket keys, and no client could resume its session.
    const keys = this.#server?.getTicketKeys();
    this.#server?.setSecureContext(resolved.options);
    if (keys) this.#server?.setTicketKeys(keys);
    this.#identity = resolved;
  }

  #resolve(identity: ServerIdentity): ResolvedIdentity {
    const { requestCert = false, verify = true } = this.#options;
    if (requestCert && verify && identity.ca === undefined) {
      throw new TypeError(
        'requestCert needs ca, the authorities that sign the certificates of your clients: ' +
          "without it, every authority in Node's list could let a client in",
      );
    }
    return resolveIdentity(identity, requestCert);
  }
}
