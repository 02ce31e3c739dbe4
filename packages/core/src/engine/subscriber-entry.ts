// One subscriber of a socket: what it wants, what it has received, and the context in which it is notified.
import type { Subscriber, Unsubscribable } from 'rxjs';
import { AsyncContext } from '../base/async-context.js';
import type { CloseEvent, SocketEvent } from '../base/events.js';
import { guarded, reportError } from '../base/guarded.js';
import { closedBeforeEndError } from '../base/premature-close.js';
import type { FlowSet } from '../flow/flow-set.js';
import { FlowLink } from '../flow/flow-subscriber.js';

/** What a subscriber wants: `events` and `bytes` make it a reader; a type of event makes it a watcher. */
export type SubscriptionType = 'events' | 'bytes' | SocketEvent['type'];

/** Watches a connection, and keeps it open without reading. */
export interface Watcher {
  /** An event, other than `data` and `close`. */
  notify(event: SocketEvent): void;
  /** Bytes have left. */
  progressed(): void;
  /** The write side has broken. */
  broken(error: unknown): void;
  /** The connection has closed. @param error `undefined` if it has not failed. */
  closed(event: CloseEvent, error: unknown): void;
}

/** The connection that the subscriber belongs to. */
export interface SubscriberOwner {
  /** The subscriber has unsubscribed. Called once. */
  subscriberLeft(entry: SubscriberEntry): void;
}

export class SubscriberEntry implements Unsubscribable, Watcher {
  readonly owner: SubscriberOwner;
  readonly subscriber: Subscriber<never>;
  readonly #type: SubscriptionType;
  /** The context in which it subscribed. It is notified in this context. */
  readonly #context: AsyncContext;
  /** The consumer behind the subscriber, whose holds hold the socket. */
  consumer: FlowSet | undefined;
  /** The position in the stream up to which a reader has received the bytes; `undefined` before the first ones. */
  #position: number | undefined;
  /** How many of these bytes it has given back. */
  #unread = 0;
  /** Whether it has received `end`. */
  #ended = false;
  #left = false;

  constructor(owner: SubscriberOwner, subscriber: Subscriber<never>, type: SubscriptionType) {
    this.owner = owner;
    this.subscriber = subscriber;
    this.#type = type;
    this.#context = (subscriber instanceof FlowLink && subscriber.context) || new AsyncContext();
  }

  get reads(): boolean {
    return this.#type === 'events' || this.#type === 'bytes' || this.#type === 'data';
  }

  wants(type: SocketEvent['type']): boolean {
    if (this.#type === 'bytes') return type === 'data' || type === 'end';
    return this.#type === 'events' || this.#type === type;
  }

  /** Whether it has received the stream up to `position`. */
  hasReceived(position: number): boolean {
    return this.#position !== undefined && this.#position >= position;
  }

  /** Delivers a chunk that begins at `offset`, without the part that the subscriber has received already. */
  deliver(data: Buffer, offset: number): void {
    const end = offset + data.length;
    if (this.hasReceived(end)) return;
    const received = this.#position === undefined ? 0 : this.#position - offset;
    this.#position = end;
    const chunk = received > 0 ? data.subarray(received) : data;
    if (this.#type === 'bytes') this.#context.runInAsyncScope(guardedNext, undefined, this.subscriber, chunk);
    else this.#next({ type: 'data', data: chunk });
  }

  /** Records that the subscriber gives bytes back. Returns the position in the stream where these bytes end. */
  noteUnread(bytes: number): number {
    const end = (this.#position ?? Number.NEGATIVE_INFINITY) - this.#unread;
    this.#unread += bytes;
    return end;
  }

  /** Emits an event to the subscriber, if it wants it. */
  notify(event: SocketEvent): void {
    if (event.type === 'end') {
      if (this.#ended) return;
      this.#ended = true;
    }
    if (!this.wants(event.type)) return;
    if (this.#type !== 'bytes') this.#next(event);
    else if (event.type === 'data') this.#context.runInAsyncScope(guardedNext, undefined, this.subscriber, event.data);
    else this.#context.runInAsyncScope(guardedEnd, undefined, this.subscriber);
  }

  #next(event: SocketEvent): void {
    this.#context.runInAsyncScope(guardedNext, undefined, this.subscriber, event);
  }

  /** Emits the last event, and ends the subscription. @param error `undefined` if the socket has not failed. */
  closed(event: CloseEvent, error: unknown): void {
    this.notify(event);
    if (this.subscriber.closed) return;
    // Bytes complete at the peer's FIN. Here it has not come.
    const failure = this.#type === 'bytes' ? (error ?? closedBeforeEndError(event.report)) : error;
    this.#context.runInAsyncScope(guardedEnd, undefined, this.subscriber, failure);
  }

  // A subscriber is told of the events only.
  progressed(): void {}
  broken(): void {}

  /** The subscription is over. */
  unsubscribe(): void {
    if (this.#left) return;
    this.#left = true;
    this.owner.subscriberLeft(this);
  }
}

// Not closures: an event would then need two.
function guardedNext(subscriber: Subscriber<unknown>, value: unknown): void {
  try {
    subscriber.next(value);
  } catch (error) {
    reportError(error);
  }
}

function guardedEnd(subscriber: Subscriber<unknown>, error?: unknown): void {
  guarded(() => (error === undefined ? subscriber.complete() : subscriber.error(error)));
}
