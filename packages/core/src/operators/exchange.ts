// exchange(): requests and their replies, over a socket or over a reconnecting socket.
import type { Observable } from 'rxjs';
import { checkCopy } from '../base/copy.js';
import type { Flowable } from '../flow/flowable.js';
import { Socket } from '../socket.js';
import { type ExchangeOptions, resolveExchangeOptions } from './exchange-options.js';
import { type Carrier, Framed, isReconnecting } from './framed.js';
import { ReconnectingExchange } from './reconnecting-exchange.js';
import { SocketExchange } from './socket-exchange.js';

/** Requests and replies. Created by {@link exchange}. */
export interface Exchange<T, U = T> {
  /**
   * The messages that reply to no request. Nobody keeps them: those that come while nobody is subscribed are lost. It
   * completes at the peer's FIN, and fails with the connection. Over a reconnecting socket it goes on with the next
   * connection.
   */
  readonly unsolicited: Flowable<T>;

  /** How many requests wait for their replies or for a connection: see `maxPending`. */
  readonly pending: number;

  /**
   * Sends a request at each subscription, and emits its reply. If you unsubscribe, the reply is dropped when it comes.
   * The replies to other requests stay in order.
   *
   * **Backpressure**: a consumer that is slow with its reply holds the connection, and so all other replies.
   *
   * @throws As a notification: what the codec throws for the request, and what the socket fails with;
   * {@link SocketTimeoutError} `ETIMEDOUT` after `timeout`; {@link BackpressureOverflowError} over `maxPending`;
   * {@link SocketError} `ERR_EXCHANGE_KEY` if `key` returns `undefined` for the request or the key of a request that
   * waits, `ERR_STREAM_WRITE_AFTER_END` after `complete()`, `ERR_STREAM_PREMATURE_CLOSE` if the peer ends its side
   * before the last message of the reply.
   */
  request(value: U): Observable<T>;
}

/**
 * Requests and replies over one socket: each request gets its reply, in order or by a key, and many requests can wait
 * at once (pipelining). Send a message that gets no reply with `framed.next()`.
 *
 * Over a {@link ReconnectingSocket} each request goes to the current connection, or waits for the next one. It is sent
 * once: if its connection ends before the reply, it fails with the error of that connection, because the peer may have
 * acted on it. `retry()` sends it again. What you request in a handler of the `connect` event (over TLS: of
 * `secureConnect`) is sent before the requests that wait. Waiting for a connection may take as long as `timeout`, and
 * then the reply as long again.
 *
 * **Half-close**: a codec that emits an unfinished frame at the end, as `linesCodec()` does by default, also emits half a
 * reply. Choose `trailing: 'error'`. After the peer's FIN, requests that wait for replies fail. `framed.complete()` sends ours, and
 * replies go on.
 *
 * **Backpressure**: consumers of replies and of `unsolicited` hold the connection.
 *
 * @param framed The frames of the socket. Do not subscribe to them elsewhere: each subscriber gets every message.
 * @param options How a reply finds its request, and the limits.
 * @throws At the call: TypeError for something that is not `framed(socket, codec)`; TypeError or RangeError for an
 * invalid option. What `key`, `isPush` or `isLast` throw for a message of the peer aborts the connection: nobody knows
 * any more which reply belongs to which request.
 *
 * @example
 * ```ts
 * import { connect, exchange, framed, jsonLinesCodec } from '@rxsock/core';
 * import { firstValueFrom } from 'rxjs';
 *
 * const rpc = exchange(framed(connect({ port: 9000 }), jsonLinesCodec<{ id: number; text: string }>()), {
 *   key: ({ id }) => id,
 * });
 * console.log(await firstValueFrom(rpc.request({ id: 1, text: 'ping' })));
 * ```
 */
export function exchange<T, U = T>(framed: Framed<T, U, Carrier>, options: ExchangeOptions<T, U> = {}): Exchange<T, U> {
  const { socket } = framed instanceof Framed ? framed : {};
  if (!(socket instanceof Socket || isReconnecting(socket))) {
    checkCopy(framed);
    throw new TypeError('exchange() takes framed(socket, codec)');
  }
  const limits = resolveExchangeOptions(options);
  if (isReconnecting(socket)) return new ReconnectingExchange(framed, socket, limits);
  return new SocketExchange(framed as Framed<T, U>, limits);
}
