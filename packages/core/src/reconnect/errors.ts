// The errors of what outlives one connection.
import { SocketError, type SocketErrorOptions } from '../base/errors.js';

/**
 * `reconnect` has made all the attempts it may. `code` is `ERR_RECONNECT_EXHAUSTED`, `cause` what the last connection failed
 * with; it is undefined where the peer had ended it properly.
 */
export class ReconnectError extends SocketError {
  override readonly name = 'ReconnectError';
  /** How many attempts were made since the last connection that lasted. */
  readonly attempts: number;

  constructor(message: string, options: { readonly attempts: number; readonly cause: unknown }) {
    super(message, { code: 'ERR_RECONNECT_EXHAUSTED', phase: 'open', cause: options.cause });
    this.attempts = options.attempts;
  }
}

/** Why a pool gives no connection, or one on which nothing came. */
export type PoolErrorCode = 'ERR_POOL_TIMEOUT' | 'ERR_POOL_FULL' | 'ERR_POOL_CLOSED' | 'ERR_POOL_HANGUP';

/**
 * A pool gives no connection. `code` is `ERR_POOL_TIMEOUT` (none was to be had within `acquireTimeout`), `ERR_POOL_FULL`
 * (`maxWaiting` others wait already) or `ERR_POOL_CLOSED`. What dialling fails with is a {@link ConnectError}, as ever.
 * `ERR_POOL_HANGUP` is an exchange of `use()` that gave nothing because the peer had ended the connection.
 */
export class PoolError extends SocketError {
  override readonly name = 'PoolError';
  declare readonly code: PoolErrorCode;

  constructor(message: string, options: Partial<SocketErrorOptions> & { readonly code: PoolErrorCode }) {
    super(message, { phase: 'open', ...options });
  }
}
