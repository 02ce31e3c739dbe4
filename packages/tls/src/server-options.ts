// The TLS options of a server, for listen() and upgrade().
import type { AlpnChoice } from './alpn.js';
import type { SecureContextOptions } from './context-options.js';
import type { HandshakeOptions } from './handshake.js';

/** The certificates for one name of a server. */
export type NameOptions = Pick<SecureContextOptions, 'cert' | 'key' | 'passphrase' | 'pfx' | 'ca' | 'crl'>;

/** The certificates of a server. It needs `key` and `cert`, or `pfx`. */
export interface ServerIdentity extends SecureContextOptions {
  /**
   * Certificates for other names that clients ask for (SNI). A key is a name, `example.com`, or a wildcard,
   * `*.example.com`, for the names one level below. A dot at the end does not matter. A client that asks for another
   * name, or for none, gets the server's own certificate. A name without `ca` or `crl` uses the server's; versions,
   * ciphers, `sigalgs` and `ecdhCurve` are always the server's.
   * @defaultValue no other names
   */
  readonly sni?: Readonly<Record<string, NameOptions>> | undefined;
}

/** TLS options of a server. */
export interface ServerOptions extends ServerIdentity, HandshakeOptions {
  /** Whether clients must present a certificate that an authority in `ca` has signed (mTLS). @defaultValue `false` */
  readonly requestCert?: boolean | undefined;
  /**
   * Whether to verify the certificates of clients. With `false`, the server accepts every client, with or without a
   * certificate: `authorized` and `peer` of the `secureConnect` event say what the client presented.
   * @defaultValue `true`
   */
  readonly verify?: boolean | undefined;
  /**
   * The application protocols to choose from (ALPN), the preferred one first, or a function that chooses.
   * @defaultValue no ALPN
   */
  readonly alpn?: readonly string[] | AlpnChoice | undefined;
}
