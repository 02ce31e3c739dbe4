// What a side of TLS brings along: its certificate and key, whom it trusts, and the sessions that it may resume.
import tls from 'node:tls';
import { inspect } from 'node:util';

/**
 * Certificates, keys and versions, of either side. PEM, or DER in buffers, as Node takes them.
 * @see https://nodejs.org/api/tls.html#tlscreatesecurecontextoptions
 */
export interface SecureContextOptions
  extends Pick<tls.SecureContextOptions, 'cert' | 'key' | 'passphrase' | 'pfx' | 'crl' | 'ciphers'> {
  /**
   * The authorities to trust, in place of the default ones. `[...tls.rootCertificates, mine]` adds to Node's;
   * {@link systemCertificates} are those of the system.
   * @defaultValue Node's own list, and what `NODE_EXTRA_CA_CERTS` adds to it
   */
  readonly ca?: tls.SecureContextOptions['ca'];
  /** The oldest version to speak. @defaultValue Node's: `'TLSv1.2'` */
  readonly minVersion?: tls.SecureVersion | undefined;
  /** The newest version to speak. @defaultValue Node's: `'TLSv1.3'` */
  readonly maxVersion?: tls.SecureVersion | undefined;
}

/** How many sessions a context keeps: those of the peers that were met last. */
const MOST_SESSIONS = 100;

/** Throws a `TypeError` for a path, say: Node would take any text for a list of nobody. */
export function checkAuthorities(ca: tls.SecureContextOptions['ca']): void {
  for (const one of [ca].flat()) {
    if (typeof one !== 'string' || one.includes('-----BEGIN ')) continue;
    throw new TypeError(`ca must be PEM text, or DER in buffers, not ${inspect(one.slice(0, 50))}: read the file`);
  }
}

/** Made by {@link createSecureContext}. */
export class SecureContext {
  /** Node's own. */
  readonly native: tls.SecureContext;
  readonly #sessions = new Map<string, Buffer>();

  constructor(options: SecureContextOptions) {
    checkAuthorities(options.ca);
    this.native = tls.createSecureContext(options);
  }

  /** @internal The session to resume. */
  sessionFor(peer: string): Buffer | undefined {
    const session = this.#sessions.get(peer);
    if (session) this.keep(peer, session);
    return session;
  }

  /** @internal Keeps a session. */
  keep(peer: string, session: Buffer): void {
    this.#sessions.delete(peer);
    this.#sessions.set(peer, session);
    const [oldest] = this.#sessions.keys();
    if (this.#sessions.size > MOST_SESSIONS && oldest !== undefined) this.#sessions.delete(oldest);
  }
}

/**
 * What several connections share: parsed once, and a later connection to the same host, port and name resumes the session
 * of an earlier one, which saves a round trip and the certificates. Keeps the sessions of the last 100 peers.
 *
 * @throws what Node throws for keys and certificates that do not fit, at the call.
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
