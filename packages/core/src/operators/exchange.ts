// exchange(): requests and their replies over one socket.
import { inspect } from 'node:util';
import { type Observable, type SchedulerLike, Subject } from 'rxjs';
import { bindContext, ContextSubscriber } from '../base/async-context.js';
import { BackpressureOverflowError, SocketError, SocketTimeoutError } from '../base/errors.js';
import { prematureCloseError } from '../base/premature-close.js';
import type { Flow } from '../flow/flow.js';
import { Flowable } from '../flow/flowable.js';
import { controlOf, Socket, writeAfterEndError } from '../socket.js';
import { checkExchangeOptions, type ExchangeOptions } from './exchange-options.js';
import { Framed } from './framed.js';
import { PendingReplies, type PendingReply } from './pending-replies.js';

/** Requests and replies over one socket. Created by {@link exchange}. */
export class Exchange<T, U = T> {
  /**
   * The messages that reply to no request. Nobody keeps them: those that come while nobody is subscribed are lost. It
   * completes at the peer's FIN, and fails with the connection.
   */
  readonly unsolicited: Flowable<T>;
  readonly #framed: Framed<T, U>;
  readonly #options: ExchangeOptions<T, U>;
  readonly #maxPending: number;
  readonly #pending: PendingReplies<T>;
  readonly #unsolicited = new Subject<T>();
  /** Reads the frames from the first use on, for as long as the socket lives. */
  readonly #start: () => void;
  /** How the frames ended. */
  #end: { readonly error: unknown } | undefined;
  /** Whether it is not known any more which reply belongs to which request. */
  #isLost = false;
  readonly #scheduler: SchedulerLike;

  /** @internal */
  constructor(framed: Framed<T, U>, options: ExchangeOptions<T, U>) {
    const { timeout = 30_000, maxPending = 1024, scheduler = controlOf(framed.socket).limits.scheduler } = options;
    this.#framed = framed;
    this.#options = options;
    this.#maxPending = maxPending;
    this.#scheduler = scheduler;
    const isHeld = () => framed.holds.length > 0 || framed.socket.holds.length > 0;
    this.#pending = new PendingReplies(scheduler, timeout, isHeld, (subscriber) =>
      subscriber.error(lateError(framed.socket, timeout)),
    );
    let started = false;
    this.#start = bindContext(() => {
      if (started) return;
      started = true;
      framed.subscribe({
        next: (message) => this.#received(message),
        error: (error) => this.#ended(error),
        complete: () => this.#ended(undefined),
      });
    });
    this.unsolicited = new Flowable((subscriber) => {
      this.#unsolicited.subscribe(new ContextSubscriber(subscriber));
      this.#start();
    }, this.#flow);
  }

  /** The flow of the frames, for consumers of replies: when they release it, the time of all requests begins again. */
  get #flow(): Flow {
    const framed = this.#framed;
    const pending = this.#pending;
    return {
      hold: (reason) => {
        const hold = framed.hold(reason);
        const release = () => {
          hold();
          pending.released();
        };
        return Object.assign(release, { [Symbol.dispose]: release });
      },
      get holds() {
        return framed.holds;
      },
    };
  }

  /** How many requests wait for their replies: see `maxPending`. */
  get pending(): number {
    return this.#pending.size;
  }

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
  request(value: U): Observable<T> {
    return new Flowable<T>((destination) => {
      const subscriber = new ContextSubscriber(destination);
      this.#start();
      const key = this.#options.key?.(value);
      const refusal = this.#refusal(key);
      // In the next turn, so that `retry()` does not loop in this one.
      if (refusal) return this.#scheduler.schedule(() => subscriber.error(refusal));
      const pending = this.#pending.add(subscriber, key);
      // Before the request is sent: the reply may come, or the socket fail, during the call.
      subscriber.add(() => {
        pending.subscriber = undefined;
      });
      try {
        this.#framed.next(value);
      } catch (error) {
        // Nothing was sent.
        this.#pending.remove(pending);
        throw error;
      }
      return undefined;
    }, this.#flow);
  }

  /** The error of a request that cannot be sent now. */
  #refusal(key: unknown): unknown {
    const { socket } = this.#framed;
    if (this.#end) return this.#end.error;
    if (controlOf(socket).writeState !== 'open') return writeAfterEndError(socket);
    if (this.#options.key && (key === undefined || this.#pending.has(key))) return keyError(key);
    if (this.#options.key && this.#pending.size >= this.#maxPending) this.#pending.forgetGivenUp();
    if (this.#pending.size < this.#maxPending) return undefined;
    const message = `${this.#maxPending} requests wait for their replies (maxPending): send the next one when one has come`;
    return new BackpressureOverflowError(message, { limit: this.#maxPending });
  }

  #received(message: T): void {
    if (this.#isLost) return;
    const { isLast } = this.#options;
    let pending: PendingReply<T> | undefined;
    let last = true;
    try {
      pending = this.#requestOf(message);
      if (pending && isLast) last = isLast(message);
    } catch (error) {
      this.#isLost = true;
      return this.#framed.error(error);
    }
    if (!pending) return this.#unsolicited.next(message);
    if (last) this.#pending.remove(pending);
    const { subscriber } = pending;
    subscriber?.next(message);
    if (last) subscriber?.complete();
  }

  #requestOf(message: T): PendingReply<T> | undefined {
    const { key, isPush } = this.#options;
    if (isPush?.(message)) return undefined;
    if (!key) return this.#pending.find(undefined);
    const found = key(message);
    return found === undefined ? undefined : this.#pending.find(found);
  }

  #ended(error: unknown): void {
    const failure = error ?? prematureCloseError('read');
    this.#end = { error: failure };
    for (const subscriber of this.#pending.clear()) subscriber.error(failure);
    if (error === undefined) this.#unsolicited.complete();
    else this.#unsolicited.error(error);
  }
}

/**
 * Requests and replies over one socket: each request gets its reply, in order or by a key, and many requests can wait
 * at once (pipelining). Send a message that gets no reply with `framed.next()`.
 *
 * **Half-close**: after the peer's FIN, requests that wait fail. `framed.complete()` sends ours, and replies go on.
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
export function exchange<T, U = T>(framed: Framed<T, U>, options: ExchangeOptions<T, U> = {}): Exchange<T, U> {
  if (!(framed instanceof Framed && framed.socket instanceof Socket)) {
    throw new TypeError(
      'exchange() takes framed(socket, codec), over one socket: its requests fail with the connection',
    );
  }
  checkExchangeOptions(options);
  return new Exchange(framed, options);
}

function lateError({ local, remote }: Socket, milliseconds: number): SocketError {
  const message = `The reply did not come within ${milliseconds} ms, the timeout of exchange()`;
  return new SocketTimeoutError(message, { phase: 'read', timeout: 'timeout', milliseconds, local, remote });
}

function keyError(key: unknown): SocketError {
  const problem =
    key === undefined
      ? 'key returned undefined for a request: return what its reply will have'
      : `The reply to a request with the key ${inspect(key)} is still to come: use another key, or wait`;
  return new SocketError(problem, { code: 'ERR_EXCHANGE_KEY', phase: 'write' });
}
