// The client's side of a handshake: whose certificate is wanted, and what is resumed.
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import tls from 'node:tls';
import { inspect } from 'node:util';
import { type ErrorContext, type HandshakeHandlers, internetEndpoints } from '@rxsock/core/internal';
import { SecureContext, type SecureContextOptions } from './context.js';
import { certificateError, handshakeError } from './errors.js';

/** How long a handshake may take by default, in milliseconds. */
export const HANDSHAKE_TIMEOUT = 10_000;

/** What a client can be told about TLS. */
export interface ClientOptions extends SecureContextOptions {
  /** What connections share, in place of `ca`, `cert` and so on: see {@link createSecureContext}. */
  readonly context?: SecureContext;
  /** The name to ask the server for (SNI). @defaultValue `verifyHost`, else the host, unless it is an address */
  readonly servername?: string;
  /** Whose certificate it must be, as for a server behind a tunnel. @defaultValue `servername`, else the host */
  readonly verifyHost?: string;
  /** Whether to verify the certificate of the server. Only `false` turns it off. @defaultValue `true` */
  readonly verify?: boolean;
  /** The application protocols to offer (ALPN), the preferred one first. */
  readonly alpn?: readonly string[];
  /** How long the handshake may take, in milliseconds; 0 = for ever. @defaultValue 10,000 */
  readonly handshakeTimeout?: number;
  /** Called with each line of a key log, for tools that decrypt what they have captured. Whoever has them can read all. */
  readonly keyLog?: (line: Buffer) => void;
}

/** Throws a `TypeError` for what somebody may have meant by `verify`, and did not say. */
export function checkVerify(verify: unknown): void {
  if (verify === undefined || typeof verify === 'boolean') return;
  throw new TypeError(`verify must be true or false, and only false turns verification off, not ${inspect(verify)}`);
}

/**
 * Lays TLS over a stream as its client.
 * @param host Whom the stream goes to, for the names; `undefined` if nobody knows.
 */
export function clientSide(options: ClientOptions, host: string | undefined, target: string, port?: number) {
  const { context: shared, verify = true, alpn, keyLog, handshakeTimeout = HANDSHAKE_TIMEOUT, ...own } = options;
  checkVerify(options.verify);
  const servername = (options.servername ?? options.verifyHost ?? host ?? '').replace(/\.$/, '');
  const verifyHost = options.verifyHost ?? options.servername ?? host;
  if (verify && !verifyHost) {
    throw new TypeError(
      'There is no name to verify the certificate by: give servername or verifyHost, or verify: false',
    );
  }
  if (
    shared &&
    (['ca', 'cert', 'key', 'pfx', 'crl', 'ciphers', 'minVersion', 'maxVersion'] as const).some((name) => own[name])
  ) {
    throw new TypeError('Give certificates, keys and versions to createSecureContext(), or here, not both');
  }
  const context = shared ?? new SecureContext(own);
  const peer = port === undefined ? undefined : JSON.stringify([host, port, servername, verifyHost, verify, alpn]);

  return (stream: Duplex, tell: HandshakeHandlers): void => {
    const session = peer === undefined ? undefined : context.sessionFor(peer);
    const secure = tls.connect({
      socket: stream,
      secureContext: context.native,
      ...(isIP(servername) ? {} : { servername }),
      ...(alpn && { ALPNProtocols: [...alpn] }),
      ...(session && { session }),
      rejectUnauthorized: verify,
      checkServerIdentity: (_, certificate) =>
        verifyHost ? tls.checkServerIdentity(verifyHost, certificate) : undefined,
    });
    if (keyLog) secure.on('keylog', keyLog);
    if (peer !== undefined) secure.on('session', (latest) => secure.authorized && context.keep(peer, latest));
    const failed = (cause: Error) => {
      const where: ErrorContext = { target, phase: 'open', ...internetEndpoints(stream) };
      const { authorizationError } = secure as { readonly authorizationError?: Error | string | null };
      const code = verify && authorizationError ? (cause as NodeJS.ErrnoException).code : undefined;
      tell.failed(code ? certificateError(code, where, cause) : handshakeError(cause, where, handshakeTimeout));
    };
    secure.on('error', failed);
    secure.on('close', () => failed(new Error('the connection was closed before it was over')));
    secure.on('secureConnect', () => tell.done(secure));
  };
}
