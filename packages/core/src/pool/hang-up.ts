// Notices that the peer hangs up during an exchange: where that gave nothing, its end is no answer.
import type { Subscription } from 'rxjs';
import { formatEndpoint } from '../base/endpoint.js';
import { watch } from '../operators/watch.js';
import { PoolError } from '../reconnect/errors.js';
import { connectionOf, type Socket } from '../socket.js';

/**
 * Watches a connection for as long as an exchange lasts.
 * @returns Tells whether the peer has ended it, and not we.
 */
export function hangUpDuring(exchange: Subscription, socket: Socket): () => boolean {
  const { writeSide } = connectionOf(socket);
  let hungUp = false;
  const ended = () => {
    hungUp = writeSide.state === 'open';
  };
  // Those who watch are told before those who read.
  exchange.add(watch(socket, 'end').subscribe(ended));
  return () => hungUp;
}

export function hangUpError({ local, remote }: Socket): PoolError {
  const peer = remote ? formatEndpoint(remote) : 'The peer';
  const message =
    `${peer} ended the connection before the exchange gave anything, and maybe before it began: ` +
    'retry(1) where asking twice does no harm, or give the pool a validate';
  return new PoolError(message, { code: 'ERR_POOL_HANGUP', phase: 'read', local, remote });
}
