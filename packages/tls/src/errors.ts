// The errors of TLS. Node's codes for alerts differ from version to version, so the codes here are ours.
import { SocketError, type SocketErrorOptions, SocketTimeoutError } from '@rxsock/core';
import type { ErrorContext } from '@rxsock/core/internal';

/**
 * The peer's certificate was refused by this side. `code` says why, in the words of OpenSSL and Node: `CERT_HAS_EXPIRED`,
 * `DEPTH_ZERO_SELF_SIGNED_CERT`, `UNABLE_TO_VERIFY_LEAF_SIGNATURE`, `ERR_TLS_CERT_ALTNAME_INVALID` for another name, …; and
 * `ERR_TLS_CERTIFICATE_REQUIRED` for a client that showed none.
 * @see https://nodejs.org/api/tls.html#x509-certificate-error-codes
 */
export class CertificateError extends SocketError {
  override readonly name = 'CertificateError';
}

/**
 * The peer has ended the connection with an alert. `code` is `ERR_TLS_ALERT`. In TLS 1.3 a server refuses the certificate
 * of a client after the client's `secureConnect`, so its alert comes in phase `read`.
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

/** A certificate that this side refuses. */
export function certificateError(code: string, where: ErrorContext, cause?: unknown): CertificateError {
  const what = cause instanceof Error ? cause.message : code;
  return new CertificateError(`The certificate of ${where.target} was refused: ${what}`, { ...where, code, cause });
}

/** Why a handshake failed. */
export function handshakeError(
  cause: NodeJS.ErrnoException,
  where: ErrorContext,
  handshakeTimeout: number,
): SocketError {
  if (cause.code === 'ERR_TLS_HANDSHAKE_TIMEOUT') {
    const words = `The TLS handshake was not over for ${handshakeTimeout} ms, the handshakeTimeout of ${where.target}`;
    return new SocketTimeoutError(words, {
      ...where,
      cause,
      timeout: 'handshakeTimeout',
      milliseconds: handshakeTimeout,
    });
  }
  const words = `The TLS handshake with ${where.target} failed: ${reasonOf(cause)}`;
  return alertError(cause, where) ?? new SocketError(words, { ...where, cause, code: 'ERR_TLS_HANDSHAKE' });
}

/** An error of TLS on an open connection; `undefined` for those of TCP beneath it, which stay what they are. */
export function explain(cause: NodeJS.ErrnoException, where: ErrorContext): SocketError | undefined {
  if (where.phase === 'open' || !/^ERR_SSL_|^EPROTO$/.test(cause.code ?? '')) return undefined;
  const words = `${where.target} broke the TLS protocol: ${reasonOf(cause)}`;
  return alertError(cause, where) ?? new SocketError(words, { ...where, cause, code: 'ERR_TLS_PROTOCOL' });
}

// OpenSSL's names: ERR_SSL_TLSV1_ALERT_UNKNOWN_CA, ERR_SSL_SSLV3_ALERT_BAD_RECORD_MAC, which in newer versions is
// ERR_SSL_SSL/TLS_ALERT_BAD_RECORD_MAC, ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED.
function alertError(cause: NodeJS.ErrnoException, where: ErrorContext): AlertError | undefined {
  const alert = /^ERR_SSL_.+?_ALERT_(\w+)$/.exec(cause.code ?? '')?.[1]?.toLowerCase();
  if (!alert) return undefined;
  const words = `${where.target} ended the connection with the TLS alert ${alert}`;
  return new AlertError(words, { ...where, cause, alert });
}

// OpenSSL's own, without the place in its source.
function reasonOf(cause: Error & { readonly reason?: string }): string {
  return cause.reason ?? cause.message;
}
