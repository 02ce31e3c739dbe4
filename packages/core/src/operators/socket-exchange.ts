// exchange() over one socket: which reply belongs to which request.
import { inspect } from 'node:util';
import { type Observable, type SchedulerLike, Subject } from 'rxjs';
import { bindContext, ContextSubscriber } from '../base/async-context.js';
import { BackpressureOverflowError, SocketError, SocketTimeoutError } from '../base/errors.js';
import { prematureCloseError } from '../base/premature-close.js';
import { Flowable } from '../flow/flowable.js';
import { controlOf, type Socket, writeAfterEndError } from '../socket.js';
import type { ExchangeLimits } from './exchange-options.js';
import type { Framed } from './framed.js';
import { PendingReplies, type PendingReply } from './pending-replies.js';

export class SocketExchange<T, U = T> {
  readonly unsolicited: Flowable<T>;
  readonly #framed: Framed<T, U>;
  readonly #options: ExchangeLimits<T, U>;
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

  constructor(framed: Framed<T, U>, options: ExchangeLimits<T, U>) {
    const { timeout, maxPending, scheduler = controlOf(framed.socket).limits.scheduler } = options;
    this.#framed = framed;
    this.#options = options;
    this.#maxPending = maxPending;
    this.#scheduler = scheduler;
    // Whoever holds the socket, this side is late and not the peer. A decoder that goes on in the next turn is not: a peer
    // that sends without a pause would keep the time from passing.
    const { flow } = controlOf(framed.socket);
    this.#pending = new PendingReplies(
      scheduler,
      timeout,
      () => flow.delays,
      (subscriber) => subscriber.error(lateError(framed.socket, timeout)),
    );
    flow.onChange(() => this.#pending.noticeHolds());
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
    }, this.#framed);
  }

  get pending(): number {
    return this.#pending.size;
  }

  /** Whether no request can be sent any more. */
  get isOver(): boolean {
    return this.#end !== undefined || controlOf(this.#framed.socket).writeSide.state !== 'open';
  }

  request(value: U): Observable<T> {
    return new Flowable<T>((destination) => {
      const subscriber = new ContextSubscriber(destination);
      if (subscriber.closed) return undefined;
      this.#start();
      const key = this.#options.key?.(value);
      const refusal = this.#refusal(key);
      // In the next turn, so that `retry()` does not loop in this one.
      if (refusal) return this.#scheduler.schedule(() => subscriber.error(refusal));
      // `key` is a function of the user's.
      if (subscriber.closed) return undefined;
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
    }, this.#framed);
  }

  /** The error of a request that cannot be sent now. */
  #refusal(key: unknown): unknown {
    const { socket } = this.#framed;
    if (this.#end) return this.#end.error;
    if (controlOf(socket).writeSide.state !== 'open') return writeAfterEndError(socket);
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
    const failure = error ?? prematureCloseError('reply');
    this.#end = { error: failure };
    for (const subscriber of this.#pending.clear()) subscriber.error(failure);
    if (error === undefined) this.#unsolicited.complete();
    else this.#unsolicited.error(error);
  }
}

/** @param milliseconds The timeout. */
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
