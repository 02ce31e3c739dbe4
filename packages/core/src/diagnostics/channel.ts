// channel(): a diagnostics channel as a typed Observable.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Observable } from 'rxjs';
import { typeError } from '../base/check.js';
import { allChannels } from '../observe/channels.js';
import type { ChannelMessages, ChannelName } from './messages.js';

const NAMES: ReadonlySet<unknown> = new Set(
  allChannels.flatMap((channels) => Object.values(channels).map(({ name }) => name)),
);

/**
 * Returns a channel of `node:diagnostics_channel` as an Observable of its typed messages: what happens to all sockets
 * and servers of this process. It never completes. While nobody is subscribed, nothing is built.
 *
 * **Half-close**: shows in `rxsock:socket:close` only.
 *
 * **Backpressure**: none. A message is delivered inside the socket's own step, so return quickly.
 *
 * @param name The channel: see {@link ChannelMessages} for when each publishes.
 * @throws At the call: TypeError for a name that is not a channel of rxsock.
 * @see https://nodejs.org/api/diagnostics_channel.html
 * @example
 * ```ts
 * import { channel } from '@rxsock/core/diagnostics';
 *
 * channel('rxsock:socket:close').subscribe(({ socket, report }) => {
 *   console.log(`socket ${socket.id}: ${report.how} by ${report.by}, ${report.bytesRead} bytes read`);
 * });
 * ```
 */
export function channel<N extends ChannelName>(name: N): Observable<ChannelMessages[N]> {
  if (!NAMES.has(name)) throw typeError('name', `one of ${[...NAMES].join(', ')}`, name);
  return new Observable((subscriber) => {
    const onMessage = (message: unknown) => subscriber.next(message as ChannelMessages[N]);
    subscribe(name, onMessage);
    return () => void unsubscribe(name, onMessage);
  });
}
