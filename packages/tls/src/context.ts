// What client connections share: certificates and keys, parsed once, and the sessions that they can resume.
import type * as tls from 'node:tls';
import { checkOptions } from '@rxsock/core/internal';
import { checkContextOptions, createNodeContext, type SecureContextOptions } from './context-options.js';

/** How many sessions a context keeps: those of the peers that were used last. */
const MAX_SESSIONS = 100;

/** What client connections share: certificates, keys, versions and sessions. Made by {@link createSecureContext}. */
export class SecureContext {
  /** Node's own secure context. */
  readonly native: tls.SecureContext;
  readonly #sessions = new Map<string, Buffer>();

  constructor(options: SecureContextOptions) {
    checkOptions(options, "{ minVersion: 'TLSv1.3' }");
    checkContextOptions(options);
    this.native = createNodeContext(options as tls.SecureContextOptions);
  }

  /** @internal The session to resume with a peer. */
  sessionFor(peer: string): Buffer | undefined {
    const session = this.#sessions.get(peer);
    if (session) this.keepSession(peer, session);
    return session;
  }

  /** @internal Keeps the latest session of a peer. */
  keepSession(peer: string, session: Buffer): void {
    // The order of the map is the order of use.
    this.#sessions.delete(peer);
    this.#sessions.set(peer, session);
    const [oldest] = this.#sessions.keys();
    if (this.#sessions.size > MAX_SESSIONS && oldest !== undefined) this.#sessions.delete(oldest);
  }
}

/**
 * Parses certificates and keys once, for several client connections. A later connection with the same context resumes
 * the session of an earlier one, so that the certificates are not sent again; TLS 1.2 saves a round trip, too.
 *
 * A session is resumed only if `host`, `port`, `servername`, `verifyHost`, `verify` and `alpn` are the same. The
 * context keeps the sessions of the last 100 peers.
 *
 * @param options Certificates, keys and versions. Give them here, not to `connect` as well.
 * @returns A context for the option `context` of {@link connect} and {@link upgrade}. An upgrade resumes no sessions.
 * @throws At the call: {@link TypeError} for a `ca` that is not PEM; {@link SocketError} `ERR_OPTION_UNSUPPORTED` for a
 * name in `sigalgs` or `ecdhCurve` that OpenSSL does not know; Node's own error, for example
 * `ERR_OSSL_X509_KEY_VALUES_MISMATCH`, for keys and certificates that cannot be parsed or do not match.
 * @see RFC 8446, section 2.2
 *
 * @example
 * ```ts
 * import { connect, createSecureContext } from '@rxsock/tls';
 * import { defer, retry } from 'rxjs';
 *
 * const context = createSecureContext({ minVersion: 'TLSv1.3' });
 * defer(() => connect({ host: 'example.com', port: 443, context })).pipe(retry({ count: 3, delay: 1000 })).subscribe();
 * ```
 */
export function createSecureContext(options: SecureContextOptions = {}): SecureContext {
  return new SecureContext(options);
}
