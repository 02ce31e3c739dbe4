// The errors of TLS. Node's codes for alerts differ between versions, so alerts have a code of ours.
import { SocketError, type SocketErrorOptions, SocketTimeoutError } from '@rxsock/core';
import { type ErrorContext, markLocalDecision } from '@rxsock/core/internal';

/**
 * This side refused the peer's certificate. `code` says why, in the words of OpenSSL and Node: `CERT_HAS_EXPIRED`,
 * `DEPTH_ZERO_SELF_SIGNED_CERT`, `UNABLE_TO_VERIFY_LEAF_SIGNATURE` for an unknown authority (add it to `ca`),
 * `ERR_TLS_CERT_ALTNAME_INVALID` for another name (see `verifyHost`), …; `ERR_TLS_CERTIFICATE_REQUIRED` for a client
 * that presented none. `phase` is `open`.
 * @see https://nodejs.org/api/tls.html#x509-certificate-error-codes
 */
export class CertificateError extends SocketError {
  override readonly name = 'CertificateError';
}

/**
 * The peer ended the connection with a TLS alert. `code` is `ERR_TLS_ALERT`; `alert` says what the peer objects to. In
 * TLS 1.3 a server refuses a client's certificate after the client's `secureConnect`, so that alert has the `phase`
 * `read`.
 * @see RFC 8446, section 6
 */
export class AlertError extends SocketError {
  override readonly name = 'AlertError';
  /** The peer's reason, by its name in the RFC: `certificate_required`, `unknown_ca`, `protocol_version`, … */
  readonly alert: string;

  constructor(message: string, options: Omit<SocketErrorOptions, 'code'> & { readonly alert: string }) {
    super(message, { ...options, code: 'ERR_TLS_ALERT' });
    this.alert = options.alert;
  }
}

/** This side refuses a certificate. */
export function certificateError(code: string, context: ErrorContext, cause?: unknown): CertificateError {
  const reason = cause instanceof Error ? cause.message : code;
  const message = `The certificate of ${context.target} was refused: ${reason}`;
  return markLocalDecision(new CertificateError(message, { ...context, code, cause }));
}

/** The handshake took too long. */
export function handshakeTimeoutError(
  milliseconds: number,
  context: ErrorContext,
  cause: NodeJS.ErrnoException,
): SocketTimeoutError {
  const limit = `handshakeTimeout (${milliseconds} ms)`;
  const message = `The TLS handshake with ${context.target} did not finish within ${limit}`;
  return new SocketTimeoutError(message, { ...context, cause, timeout: 'handshakeTimeout', milliseconds });
}

/** The handshake failed: the peer sent an alert, or something else went wrong. */
export function handshakeError(cause: NodeJS.ErrnoException, context: ErrorContext): SocketError {
  const message = `The TLS handshake with ${context.target} failed: ${reasonOf(cause)}`;
  return alertError(cause, context) ?? new SocketError(message, { ...context, cause, code: 'ERR_TLS_HANDSHAKE' });
}

/**
 * The error of an open connection if TLS raised it. `undefined` for errors of the transport beneath, which stay as they
 * are.
 */
export function explainTlsError(cause: NodeJS.ErrnoException, context: ErrorContext): SocketError | undefined {
  if (context.phase === 'open' || !/^ERR_SSL_|^EPROTO$/.test(cause.code ?? '')) return undefined;
  const message = `The peer at ${context.target} broke the TLS protocol: ${reasonOf(cause)}`;
  return alertError(cause, context) ?? new SocketError(message, { ...context, cause, code: 'ERR_TLS_PROTOCOL' });
}

/** The alerts of RFC 6066, which OpenSSL names without the word: ERR_SSL_TLSV1_UNRECOGNIZED_NAME. */
const UNMARKED_ALERTS: ReadonlySet<string> = new Set([
  'UNSUPPORTED_EXTENSION',
  'CERTIFICATE_UNOBTAINABLE',
  'UNRECOGNIZED_NAME',
  'BAD_CERTIFICATE_STATUS_RESPONSE',
  'BAD_CERTIFICATE_HASH_VALUE',
]);

// The name of the alert is the end of OpenSSL's code: ERR_SSL_TLSV1_ALERT_UNKNOWN_CA,
// ERR_SSL_SSLV3_ALERT_BAD_RECORD_MAC (in newer versions ERR_SSL_SSL/TLS_ALERT_BAD_RECORD_MAC),
// ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED.
function alertError(cause: NodeJS.ErrnoException, context: ErrorContext): AlertError | undefined {
  const [, marked, other = ''] = /^ERR_SSL_(?:.+?_ALERT_(\w+)|TLSV1_(\w+))$/.exec(cause.code ?? '') ?? [];
  const alert = (marked ?? (UNMARKED_ALERTS.has(other) ? other : undefined))?.toLowerCase();
  if (!alert) return undefined;
  const message = `The peer at ${context.target} ended the connection with the TLS alert ${alert}`;
  return new AlertError(message, { ...context, cause, alert });
}

// OpenSSL's own words, without the place in its source that `message` adds.
function reasonOf(cause: Error & { readonly reason?: string }): string {
  return cause.reason ?? cause.message;
}
