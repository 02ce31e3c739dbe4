// What went wrong with a client of a server: in its handshake, or later.
import type { Duplex } from 'node:stream';
import type { SocketError } from '@rxsock/core';
import type { ErrorContext, TransportNaming } from '@rxsock/core/internal';
import { certificateError, explainTlsError, handshakeError, handshakeTimeoutError } from './errors.js';
import { resolveHandshakeTimeout } from './handshake.js';
import type { ServerOptions } from './server-options.js';

/** The errors of accepted streams, for the `explain` of a transport. */
export function explainServerError(options: ServerOptions): NonNullable<TransportNaming['explain']> {
  return (cause, context, stream) =>
    context.phase === 'open' ? serverHandshakeError(options, cause, context, stream) : explainTlsError(cause, context);
}

/** Why the handshake with a client failed. */
export function serverHandshakeError(
  options: ServerOptions,
  cause: NodeJS.ErrnoException,
  context: ErrorContext,
  stream: Duplex | undefined,
): SocketError {
  const { verify = true } = options;
  // Node reports a client whose certificate it refused as one that hung up. This property says why it did.
  const { authorizationError } = (stream ?? {}) as { readonly authorizationError?: string | null };
  if (verify && authorizationError) return certificateError(authorizationError, context);
  if (cause.code === 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE') {
    const why = new Error('the client presented none', { cause });
    return certificateError('ERR_TLS_CERTIFICATE_REQUIRED', context, why);
  }
  if (cause.code === 'ERR_TLS_HANDSHAKE_TIMEOUT') {
    return handshakeTimeoutError(resolveHandshakeTimeout(options), context, cause);
  }
  return handshakeError(cause, context);
}
