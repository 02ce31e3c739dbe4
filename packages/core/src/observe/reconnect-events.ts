// Publishes what happens to reconnecting sockets and to pools. Only they call these functions.
import type { SocketError } from '../base/errors.js';
import { poolChannels, reconnectChannels } from './channels.js';
import { liveReconnects, type ObservedReconnect } from './live.js';
import type { PoolErrorMessage, ReconnectCloseMessage, ReconnectRetryMessage } from './messages.js';

const { retry, close } = reconnectChannels;

/** The next attempt is scheduled. @param delay In milliseconds. */
export function publishRetry(
  { owner }: ObservedReconnect,
  attempt: number,
  delay: number,
  error: SocketError | undefined,
): void {
  if (!retry.hasSubscribers || !owner) return;
  retry.publish({ socket: owner, attempt, delay, error } satisfies ReconnectRetryMessage<object>);
}

/** The reconnecting socket has ended. */
export function publishReconnectClose(observed: ObservedReconnect, error: unknown): void {
  const { owner } = observed;
  if (close.hasSubscribers && owner) close.publish({ socket: owner, error } satisfies ReconnectCloseMessage<object>);
  liveReconnects.delete(observed);
}

/** An `acquire()` has failed. */
export function publishPoolError(pool: object | undefined, error: unknown): void {
  const { error: channel } = poolChannels;
  if (channel.hasSubscribers && pool) channel.publish({ pool, error } satisfies PoolErrorMessage<object>);
}
