// The server's side of TLS: which certificate for which name, which protocol, and whom it asks for a certificate.
import { constants } from 'node:crypto';
import type { Duplex } from 'node:stream';
import tls from 'node:tls';
import type { SocketError } from '@rxsock/core';
import {
  beneath,
  checkLimit,
  type Endpoints,
  type ErrorContext,
  internetEndpoints,
  LONGEST_TIMER,
} from '@rxsock/core/internal';
import { checkVerify, HANDSHAKE_TIMEOUT } from './client.js';
import { checkAuthorities, type SecureContextOptions } from './context.js';
import { certificateError, explain, handshakeError } from './errors.js';

/** Chooses one of the protocols that a client offers; `undefined` refuses it. A client that offers none is not asked about. */
export type AlpnChoice = (offer: {
  readonly servername: string;
  readonly protocols: readonly string[];
}) => string | undefined;

/** The certificates of one name of a server. */
export type NameOptions = Pick<SecureContextOptions, 'cert' | 'key' | 'passphrase' | 'pfx' | 'ca' | 'crl'>;

/** The certificates of a server. */
export interface ServerIdentity extends SecureContextOptions {
  /**
   * Other certificates for the names that clients ask for (SNI): `example.com`, or `*.example.com` for the names one level
   * below it. For any other name, and for none, the server's own is shown. A name without `ca` or `crl` has the server's,
   * and all have its versions and ciphers.
   */
  readonly sni?: Readonly<Record<string, NameOptions>>;
}

/** What a server can be told about TLS. */
export interface ServerOptions extends ServerIdentity {
  /** Whether clients must show a certificate that `ca` has signed (mTLS). @defaultValue `false` */
  readonly requestCert?: boolean;
  /**
   * Whether to verify what clients show. With `false`, any client may come, with or without a certificate: see
   * `authorized` and `peer` of `secureConnect`. @defaultValue `true`
   */
  readonly verify?: boolean;
  /** The application protocols to choose from (ALPN), the preferred one first, or a function that chooses. */
  readonly alpn?: readonly string[] | AlpnChoice;
  /** How long a handshake may take, in milliseconds; 0 = for ever. @defaultValue 10,000 */
  readonly handshakeTimeout?: number;
  /** Called with each line of a key log, for tools that decrypt what they have captured. Whoever has them can read all. */
  readonly keyLog?: (line: Buffer) => void;
}

/** Makes the `tls.Server` that does what the options say, and gives it other certificates later. */
export class ServerSide {
  readonly #options: ServerOptions;
  #identity: Identity;
  #server: tls.Server | undefined;

  constructor(options: ServerOptions) {
    checkVerify(options.verify);
    checkLimit('handshakeTimeout', options.handshakeTimeout ?? HANDSHAKE_TIMEOUT);
    this.#options = options;
    this.#identity = this.#checked(options);
  }

  create(streams: tls.TlsOptions): tls.Server {
    const { alpn, requestCert = false, verify = true, keyLog, handshakeTimeout = HANDSHAKE_TIMEOUT } = this.#options;
    const server = tls.createServer({
      ...streams,
      // Until it is secure: with it, Node does not notice that a peer has left in the middle of a handshake.
      allowHalfOpen: false,
      ...this.#identity.own,
      requestCert,
      rejectUnauthorized: verify,
      handshakeTimeout: Math.min(handshakeTimeout || LONGEST_TIMER, LONGEST_TIMER),
      SNICallback: (name, done) => done(null, this.#identity.contextFor(name)),
      ...(typeof alpn === 'function' ? { ALPNCallback: closed(alpn) } : alpn && { ALPNProtocols: [...alpn] }),
    });
    if (keyLog) server.on('keylog', keyLog);
    // Node remembers what it was asked, and does not know it any more when a handshake has failed.
    server.on('connection', (stream) => void stream.remoteAddress);
    // Node tells of a handshake that takes too long, and keeps the connection.
    server.on('tlsClientError', (_, stream) => setImmediate(() => stream.destroy()));
    this.#server = server;
    return server;
  }

  replace(options: ServerIdentity): void {
    const identity = this.#checked(options);
    // By itself it forgets them, and no session could be resumed.
    const keys = this.#server?.getTicketKeys();
    this.#server?.setSecureContext(identity.own);
    if (keys) this.#server?.setTicketKeys(keys);
    this.#identity = identity;
  }

  #checked(options: ServerIdentity): Identity {
    const { requestCert = false, verify = true } = this.#options;
    if (requestCert && verify && !options.ca) {
      throw new TypeError(
        'requestCert needs ca, those who sign for clients: else whoever Node trusts could let them in',
      );
    }
    return identityOf(options, requestCert);
  }
}

/** How a server explains what went wrong. A client that it has refused has only been hung up on, as Node tells it. */
export function explainAccepted({ handshakeTimeout = HANDSHAKE_TIMEOUT, verify = true }: ServerOptions) {
  return (cause: NodeJS.ErrnoException, where: ErrorContext, stream?: Duplex): SocketError | undefined => {
    if (where.phase !== 'open') return explain(cause, where);
    const { authorizationError } = stream as { readonly authorizationError?: string | null };
    if (verify && authorizationError) return certificateError(authorizationError, where);
    if (cause.code === 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE') {
      return certificateError('ERR_TLS_CERTIFICATE_REQUIRED', where, new Error('it showed none', { cause }));
    }
    return handshakeError(cause, where, handshakeTimeout);
  };
}

interface Identity {
  readonly own: tls.SecureContextOptions;
  contextFor(name: string): tls.SecureContext | undefined;
}

function identityOf(options: ServerIdentity, requestCert: boolean): Identity {
  const { ca, cert, key, passphrase, pfx, crl, ciphers, minVersion, maxVersion, sni = {} } = options;
  // A session that is resumed brings the client's certificate with it, unverified: it outlives the ca and crl that had let it
  // in, and some versions of Node take it under another name. So where there may be one, there are no sessions to resume.
  const shared = { ca, crl, ...(requestCert && { secureOptions: constants.SSL_OP_NO_TICKET }) };
  const own = { ...shared, cert, key, passphrase, pfx, ciphers, minVersion, maxVersion };
  // Now, so that what does not fit throws here.
  contextOf('A TLS server', own);
  const contexts = new Map(
    Object.entries(sni).map(([name, one]) => [
      name.toLowerCase(),
      contextOf(`The name ${name}`, { ...shared, ...checkedName(name, one) }),
    ]),
  );
  const contextFor = (asked: string) => {
    const name = asked.toLowerCase().replace(/\.$/, '');
    return contexts.get(name) ?? contexts.get(name.replace(/^[^.]+/, '*'));
  };
  return { own, contextFor };
}

function checkedName(name: string, options: SecureContextOptions): NameOptions {
  const { ciphers, minVersion, maxVersion, ...rest } = options;
  if (!(ciphers || minVersion || maxVersion)) return rest;
  throw new TypeError(
    `The name ${name} cannot have ciphers or versions of its own: they are agreed on before the name`,
  );
}

function contextOf(whose: string, options: tls.SecureContextOptions): tls.SecureContext {
  if (!options.pfx && !(options.key && options.cert)) throw new TypeError(`${whose} needs key and cert, or pfx`);
  checkAuthorities(options.ca);
  return tls.createSecureContext(options);
}

// Whatever the function does wrong refuses this one connection: none goes on with a protocol that nobody chose.
function closed(choose: AlpnChoice) {
  return (offer: { servername: string; protocols: string[] }): string | undefined => {
    try {
      const chosen = choose(offer);
      return chosen !== undefined && offer.protocols.includes(chosen) ? chosen : undefined;
    } catch (error) {
      process.emitWarning(`The alpn function failed: ${error instanceof Error ? error.stack : error}`, {
        code: 'ERR_TLS_ALPN_CALLBACK',
      });
      return undefined;
    }
  };
}

/** Both ends, also of a stream whose handshake has failed: the one beneath it still knows. */
export function acceptedEnds(stream: Duplex): Endpoints {
  return internetEndpoints(beneath(stream));
}
