// exchange() over a reconnecting socket: every connection has an exchange of its own, and requests wait for the next
// connection while there is none.
import { asyncScheduler, type Observable, type SchedulerLike, Subject, type Subscriber } from 'rxjs';
import { bindContext, ContextSubscriber } from '../base/async-context.js';
import { Deadline } from '../base/deadline.js';
import { BackpressureOverflowError, SocketTimeoutError } from '../base/errors.js';
import { isLocalDecision } from '../base/local-decision.js';
import { prematureCloseError } from '../base/premature-close.js';
import { FlowSet } from '../flow/flow-set.js';
import { FlowSubscriber } from '../flow/flow-subscriber.js';
import { Flowable } from '../flow/flowable.js';
import type { Socket } from '../socket.js';
import type { ExchangeLimits } from './exchange-options.js';
import type { Carrier, Framed, ReconnectingCarrier } from './framed.js';
import { SocketExchange } from './socket-exchange.js';

/** A request that waits for a connection. */
interface WaitingRequest<T, U> {
  readonly value: U;
  readonly subscriber: Subscriber<T>;
  /** Limits how long it waits. */
  readonly deadline: Deadline;
}

export class ReconnectingExchange<T, U = T> {
  readonly unsolicited: Flowable<T>;
  readonly #framed: Framed<T, U, Carrier>;
  readonly #connections: ReconnectingCarrier;
  readonly #options: ExchangeLimits<T, U>;
  readonly #scheduler: SchedulerLike;
  /** What consumers of replies and pushes hold: the exchange of the current connection. */
  readonly #upstream = new FlowSet();
  readonly #unsolicited = new Subject<T>();
  /** In the order in which they were requested. */
  readonly #waiting = new Set<WaitingRequest<T, U>>();
  /** The exchange of the last connection. */
  #current: SocketExchange<T, U> | undefined;
  #socket: Socket | undefined;
  /** How many exchanges have not delivered everything yet. One whose consumer holds outlives its connection. */
  #running = 0;
  /** How the reconnecting socket has ended: without an error, it is completed. */
  #end: { readonly error: unknown } | undefined;
  /** Follows the connections from the first use on. */
  readonly #start: () => void;

  constructor(framed: Framed<T, U, Carrier>, connections: ReconnectingCarrier, options: ExchangeLimits<T, U>) {
    this.#framed = framed;
    this.#connections = connections;
    this.#options = options;
    this.#scheduler = options.scheduler ?? asyncScheduler;
    let started = false;
    this.#start = bindContext(() => {
      if (started) return;
      started = true;
      connections.subscribe({
        next: ({ type }) => {
          if (type === 'connect' || type === 'secureConnect') this.#connected();
        },
        error: (error: unknown) => this.#ended(error),
        complete: () => this.#ended(undefined),
      });
    });
    this.unsolicited = new Flowable((subscriber) => {
      this.#unsolicited.subscribe(new ContextSubscriber(subscriber));
      this.#start();
    }, this.#upstream);
  }

  get pending(): number {
    return (this.#current?.pending ?? 0) + this.#waiting.size;
  }

  request(value: U): Observable<T> {
    return new Flowable<T>((destination) => {
      const subscriber = new ContextSubscriber(destination);
      if (subscriber.closed) return undefined;
      this.#start();
      // An earlier handler of `connect` may request something.
      this.#connected();
      const current = this.#current;
      // Its end may be known before the `disconnect` event: then `retry()` waits for the next connection.
      if (current && !current.isOver) return current.request(value).subscribe(subscriber);
      const refusal = this.#refusal();
      // In the next turn, so that `retry()` does not loop in this one.
      if (refusal) return this.#scheduler.schedule(() => subscriber.error(refusal));
      return this.#wait(value, subscriber);
    }, this.#upstream);
  }

  /** The error of a request that cannot wait for a connection. */
  #refusal(): unknown {
    const { maxPending } = this.#options;
    if (this.#end) return this.#failure;
    if (this.#waiting.size < maxPending) return undefined;
    const message = `${maxPending} requests wait for a connection (maxPending): send the next one when one has been answered`;
    return new BackpressureOverflowError(message, { limit: maxPending });
  }

  #wait(value: U, subscriber: Subscriber<T>): void {
    const { timeout } = this.#options;
    const deadline = new Deadline(this.#scheduler, timeout, () => subscriber.error(noConnectionError(timeout)));
    const request = { value, subscriber, deadline };
    this.#waiting.add(request);
    deadline.start();
    subscriber.add(() => this.#leave(request));
  }

  #leave(request: WaitingRequest<T, U>): void {
    request.deadline.stop();
    this.#waiting.delete(request);
  }

  /** Begins to use a connection that has just been opened, if there is one. */
  #connected(): void {
    const { socket, readyState } = this.#connections;
    // Over TLS, `connect` comes before the handshake.
    if (!socket || readyState !== 'open' || (this.#current && socket === this.#socket)) return;
    const current = new SocketExchange(this.#framed.over(socket), this.#options);
    this.#current = current;
    this.#socket = socket;
    this.#running++;
    const done = () => {
      this.#running--;
      this.#endIfDone();
    };
    const handlers = {
      next: (message: T) => this.#unsolicited.next(message),
      error: (error: unknown) => {
        // After a message that cannot be decoded nothing can be read.
        socket.error(error);
        done();
      },
      complete: done,
    };
    current.unsolicited.subscribe(new FlowSubscriber<T>(undefined, handlers, this.#upstream));
    // When all handlers of the event have sent what must come first.
    queueMicrotask(() => {
      for (const request of this.#waiting) {
        if (this.#current !== current || current.isOver) return;
        this.#leave(request);
        current.request(request.value).subscribe(request.subscriber);
      }
    });
  }

  #ended(error: unknown): void {
    this.#end = { error };
    this.#current = undefined;
    for (const { subscriber } of [...this.#waiting]) subscriber.error(this.#failure);
    // What this side has decided does not wait for a consumer that holds.
    if (isLocalDecision(error)) this.#running = 0;
    this.#endIfDone();
  }

  /** The error of a request after the end. */
  get #failure(): unknown {
    return this.#end?.error ?? prematureCloseError('read');
  }

  #endIfDone(): void {
    if (!this.#end || this.#running > 0) return;
    if (this.#end.error === undefined) this.#unsolicited.complete();
    else this.#unsolicited.error(this.#end.error);
  }
}

function noConnectionError(milliseconds: number): SocketTimeoutError {
  const message = `There was no connection for ${milliseconds} ms, the timeout of exchange(): the request was not sent`;
  return new SocketTimeoutError(message, { phase: 'write', timeout: 'timeout', milliseconds });
}
