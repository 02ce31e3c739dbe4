// FlowSubscriber: the subscriber that the operators of this library use. It keeps the chain of destinations that
// discovery.ts walks.
import { type Observer, Subscriber, type Unsubscribable } from 'rxjs';
import type { AsyncContext } from '../base/async-context.js';
import type { FlowSet } from './flow-set.js';

/** What a {@link FlowSubscriber} does with the notifications of its source. */
export interface FlowHandlers<T> {
  next: (value: T) => void;
  /** Default: passes the error to the destination. */
  error?: (error: unknown) => void;
  /** Default: completes the destination. */
  complete?: () => void;
  /**
   * Copies what it still has of the last value, whose memory was only lent. Only a consumer that uses a value up at once,
   * or knows what it still has of it, has this handler.
   */
  keepRest?: (() => void) | undefined;
}

/**
 * A subscriber with a FlowSet is a consumer: the walk of a source ends there. A subscriber without one only passes
 * values on: the walk continues at its destination.
 */
export class FlowLink<T> extends Subscriber<T> {
  readonly flows: FlowSet | undefined;
  /**
   * Its place among the subscribers of a socket. It is given up with the subscription. Cheaper than `add()`, which
   * makes a list for it.
   */
  place: Unsubscribable | undefined;
  /** The context in which it is to be notified, if it has one already. */
  context: AsyncContext | undefined;

  /** @param destination `undefined` at the end of a pipeline. */
  constructor(destination: Subscriber<never> | undefined, flows: FlowSet | undefined) {
    super(destination);
    this.flows = flows;
  }

  override unsubscribe(): void {
    if (this.closed) return;
    try {
      super.unsubscribe();
    } finally {
      this.place?.unsubscribe();
    }
  }
}

/** A {@link FlowLink} that calls handlers. */
export class FlowSubscriber<T> extends FlowLink<T> {
  readonly #handlers: FlowHandlers<T>;
  readonly #receiver: Observer<never>;

  /** @param destination `undefined` at the end of a pipeline. */
  constructor(destination: Subscriber<never> | undefined, handlers: FlowHandlers<T>, flows?: FlowSet) {
    super(destination, flows);
    this.#handlers = handlers;
    // Kept here, because a handler may throw after it has unsubscribed, and `this.destination` is then cleared.
    this.#receiver = this.destination;
  }

  /** `undefined` unless the values may be lent: see {@link FlowHandlers}. */
  get keepRest(): (() => void) | undefined {
    return this.#handlers.keepRest;
  }

  protected override _next(value: T): void {
    try {
      this.#handlers.next(value);
    } catch (error) {
      this.#receiver.error(error);
    }
  }

  protected override _error(error: unknown): void {
    const { error: handler } = this.#handlers;
    if (handler) this.#end(() => handler(error));
    else super._error(error);
  }

  protected override _complete(): void {
    const { complete: handler } = this.#handlers;
    if (handler) this.#end(handler);
    else super._complete();
  }

  #end(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#receiver.error(error);
    } finally {
      this.unsubscribe();
    }
  }
}
