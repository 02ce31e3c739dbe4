// The error of a reconnecting socket that has used up its retries.
import { SocketError } from '../base/errors.js';

/**
 * A reconnecting socket has made all the retries that `maxRetries` allows. `code` is `ERR_RECONNECT_EXHAUSTED`; `cause`
 * is the error of the last connection, or `undefined` if the peer ended it with FIN. The reconnecting socket is closed:
 * call `reconnect` again to go on.
 */
export class ReconnectError extends SocketError {
  override readonly name = 'ReconnectError';
  /** How many retries were made since the last connection that stayed open for `resetAfter`. */
  readonly attempts: number;

  constructor(message: string, options: { readonly attempts: number; readonly cause: unknown }) {
    super(message, { code: 'ERR_RECONNECT_EXHAUSTED', phase: 'open', cause: options.cause });
    this.attempts = options.attempts;
  }
}
