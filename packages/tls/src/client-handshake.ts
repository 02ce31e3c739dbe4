// The client's side of a TLS handshake: the name it asks for, the certificate it accepts, the session it resumes.
import { X509Certificate } from 'node:crypto';
import { isIP, isIPv6 } from 'node:net';
import tls from 'node:tls';
import { checkBoolean, checkHost, type ErrorContext, internetEndpoints, typeError } from '@rxsock/core/internal';
import { checkProtocols } from './alpn.js';
import { SecureContext } from './context.js';
import type { SecureContextOptions } from './context-options.js';
import { certificateError, handshakeError } from './errors.js';
import { type Handshake, type HandshakeOptions, keyLogListener, resolveHandshakeTimeout } from './handshake.js';

/** TLS options of a client. */
export interface ClientOptions extends SecureContextOptions, HandshakeOptions {
  /**
   * A context that several connections share, instead of certificates, keys and versions of this connection alone: see
   * {@link createSecureContext}.
   * @defaultValue a context of this connection's own
   */
  readonly context?: SecureContext | undefined;
  /** The name to ask the server for (SNI). An IP address is never sent. @defaultValue `verifyHost`, else the host */
  readonly servername?: string | undefined;
  /**
   * The name or address that the server's certificate must be valid for, for example when you connect through a tunnel.
   * @defaultValue `servername`, else the host
   */
  readonly verifyHost?: string | undefined;
  /** Whether to verify the server's certificate. Only `false` turns verification off. @defaultValue `true` */
  readonly verify?: boolean | undefined;
  /** The application protocols to offer (ALPN), the preferred one first. @defaultValue no ALPN */
  readonly alpn?: readonly string[] | undefined;
}

/** The server that a stream leads to. */
export interface HandshakeServer {
  /** How messages name the server. */
  readonly target: string;
  /** As it goes over the wire; `undefined` if it is not known, as in an upgrade. */
  readonly host?: string;
  /** `undefined` if it is not known: then no session is resumed or kept. */
  readonly port?: number | string;
}

/** Prepares the handshake of a client. Throws for options that do not fit together. */
export function clientHandshake(options: ClientOptions, { target, host, port }: HandshakeServer): Handshake {
  const { verify = true, alpn, keyLog } = options;
  checkClientOptions(options);
  const { servername, verifyHost } = resolveNames(options, host);
  const context = resolveContext(options);
  // A resumed session is not verified again. So the key holds everything that decided whether the server was accepted.
  const peer = port === undefined ? undefined : JSON.stringify([host, port, servername, verifyHost, verify, alpn]);

  return (stream, handlers) => {
    const session = peer === undefined ? undefined : context.sessionFor(peer);
    // A peer in the same process may answer each write at once, and Node begins before it listens to its own events.
    stream.cork();
    const secure = tls.connect({
      socket: stream,
      secureContext: context.native,
      ...(isIP(servername) ? {} : { servername }),
      ...(alpn && { ALPNProtocols: [...alpn] }),
      ...(session && { session }),
      rejectUnauthorized: verify,
      checkServerIdentity: (_, certificate) => (verifyHost ? identityError(verifyHost, certificate) : undefined),
    });
    if (keyLog) secure.on('keylog', keyLogListener(keyLog));
    if (peer !== undefined) secure.on('session', (latest) => secure.authorized && context.keepSession(peer, latest));
    const fail = (cause: NodeJS.ErrnoException) => {
      const errorContext: ErrorContext = { target, phase: 'open', ...internetEndpoints(stream) };
      const { authorizationError } = secure as { readonly authorizationError?: Error | string | null };
      const refusal = verify && authorizationError ? cause.code : undefined;
      handlers.failed(refusal ? certificateError(refusal, errorContext, cause) : handshakeError(cause, errorContext));
    };
    secure.on('error', fail);
    secure.on('close', () => fail(new Error('the connection closed before it finished')));
    secure.on('secureConnect', () => handlers.done(secure));
    stream.uncork();
  };
}

// Some releases of Node 22 find no IPv6 address in any certificate, so OpenSSL looks first. It does not know zones.
function identityError(host: string, certificate: tls.PeerCertificate): Error | undefined {
  const isSimpleIPv6 = isIPv6(host) && !host.includes('%');
  if (isSimpleIPv6 && new X509Certificate(certificate.raw).checkIP(host)) return undefined;
  return tls.checkServerIdentity(host, certificate);
}

function checkClientOptions(options: ClientOptions): void {
  const { context, verify = true, alpn } = options;
  if (context !== undefined && !(context instanceof SecureContext))
    throw typeError('context', 'made by createSecureContext()', context);
  checkBoolean('verify', verify);
  if (alpn !== undefined) checkProtocols(alpn);
  resolveHandshakeTimeout(options);
}

function resolveNames(options: ClientOptions, host: string | undefined) {
  const requested = options.servername === undefined ? undefined : checkHost('servername', options.servername);
  const verified = options.verifyHost === undefined ? undefined : checkHost('verifyHost', options.verifyHost);
  const servername = (requested ?? verified ?? host ?? '').replace(/\.$/, '');
  const verifyHost = verified ?? requested ?? host;
  if (options.verify === false || verifyHost) return { servername, verifyHost };
  throw new TypeError(
    'There is no name to verify the certificate against: give servername or verifyHost, or verify: false',
  );
}

const CONTEXT_OPTIONS = [
  'ca',
  'cert',
  'key',
  'pfx',
  'crl',
  'ciphers',
  'sigalgs',
  'ecdhCurve',
  'minVersion',
  'maxVersion',
] as const;

function resolveContext({ context, ...options }: ClientOptions): SecureContext {
  if (!context) return new SecureContext(options);
  const extra = CONTEXT_OPTIONS.find((name) => options[name] !== undefined);
  if (extra === undefined) return context;
  throw new TypeError(`${extra} cannot be given together with context: give it to createSecureContext() instead`);
}
