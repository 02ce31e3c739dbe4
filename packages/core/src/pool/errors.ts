// The errors of a connection pool.
import { SocketError, type SocketErrorOptions } from '../base/errors.js';

/** The codes of a {@link PoolError}. */
export type PoolErrorCode = 'ERR_POOL_TIMEOUT' | 'ERR_POOL_FULL' | 'ERR_POOL_CLOSED' | 'ERR_POOL_HANGUP';

/**
 * A pool cannot give a connection, or the peer ended the connection of an exchange. `code` is one of:
 *
 * - `ERR_POOL_TIMEOUT`: no connection was available within `acquireTimeout`. Release connections sooner, or raise
 *   `max`.
 * - `ERR_POOL_FULL`: `maxWaiting` calls of `acquire()` wait already. Start fewer exchanges, or raise `max` or
 *   `maxWaiting`.
 * - `ERR_POOL_CLOSED`: `close()` was called.
 * - `ERR_POOL_HANGUP`: an exchange of `use()` emitted nothing because the peer ended the connection. Use `retry(1)` if
 *   asking twice does no harm.
 *
 * A failed dial is not a `PoolError`: it stays a {@link ConnectError}.
 */
export class PoolError extends SocketError {
  override readonly name = 'PoolError';
  declare readonly code: PoolErrorCode;

  constructor(message: string, options: Partial<SocketErrorOptions> & { readonly code: PoolErrorCode }) {
    super(message, { phase: 'open', ...options });
  }
}
