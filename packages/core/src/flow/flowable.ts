// Flowable: an Observable with backpressure. `Subscriber.destination` (in discovery.ts) and `Observable.lift` (here)
// are the only RxJS internals that this library relies on.
import { Observable, type Observer, type Operator, Subscriber, type Subscription, type TeardownLogic } from 'rxjs';
import { checkCopy, markCopy } from '../base/copy.js';
import { joinConsumer, standInFor } from './discovery.js';
import type { Flow, Release } from './flow.js';
import { FlowSet } from './flow-set.js';

/**
 * An Observable with backpressure. A consumer at the end of a pipeline, such as `mapWithBackpressure` or `writeTo`,
 * finds it through stock operators and holds it while the consumer is behind.
 *
 * @example
 * ```ts
 * import { Flowable } from '@rxsock/core';
 * import { map } from 'rxjs';
 *
 * declare const ticks: Flowable<number>;
 * const release = ticks.hold('lunch');
 * ticks.pipe(map((n) => n * 2)).subscribe(console.log); // nothing comes
 * release();
 * ```
 */
export class Flowable<T> extends Observable<T> implements Flow {
  static {
    markCopy(Flowable.prototype);
  }

  readonly #flow: Flow;

  /**
   * @param subscribe As for Observable.
   * @param flow The flow that `hold()` holds.
   */
  constructor(subscribe: ((this: Observable<T>, subscriber: Subscriber<T>) => TeardownLogic) | undefined, flow: Flow) {
    super(subscribe);
    this.#flow = flow;
  }

  hold(reason?: string): Release {
    return this.#flow.hold(reason);
  }

  get holds(): readonly string[] {
    return this.#flow.holds;
  }

  // Stock operators create their result with lift(). So the result is a Flowable too, and remembers the flow of its
  // source. RxJS's ConnectableObservable (`publish`) borrows this method: `this` is then not a Flowable, but one of its
  // sources is.
  override lift<R>(operator?: Operator<T, R>): Observable<R> {
    let origin: object = this;
    while (!(#flow in origin)) origin = (origin as Observable<T>).source as Observable<T>;
    const lifted = new Flowable<R>(undefined, origin.#flow);
    lifted.source = this as unknown as Observable<R>;
    lifted.operator = operator as unknown as Operator<R, R>;
    return lifted as Observable<R>;
  }

  override subscribe(
    observerOrNext?: Partial<Observer<T>> | ((value: T) => void) | null,
    error?: ((error: unknown) => void) | null,
    complete?: (() => void) | null,
  ): Subscription {
    // Created before the source is subscribed, so that the source's walk meets the stand-in.
    const needsStandIn = observerOrNext instanceof Subscriber && !(this.operator instanceof OriginOperator);
    const standIn = needsStandIn ? standInFor(this.#flow, observerOrNext) : undefined;
    const subscription = super.subscribe(observerOrNext as (value: T) => void, error, complete);
    if (standIn && !standIn.left) subscription.add(standIn.leave);
    return subscription;
  }
}

/**
 * Subscribes to an origin that is not an Observable, and joins the consumer in doing so. One operator serves all
 * Flowables of a kind: a subscribe function of its own would cost each of them a hundred bytes.
 */
export class OriginOperator<O, T> implements Operator<unknown, T> {
  readonly #subscribe: (origin: O, subscriber: Subscriber<T>) => void;

  constructor(subscribe: (origin: O, subscriber: Subscriber<T>) => void) {
    this.#subscribe = subscribe;
  }

  /** Makes `flowable` subscribe to `origin`. */
  apply(flowable: Flowable<T>, origin: O): void {
    flowable.source = origin as never;
    flowable.operator = this as never;
  }

  call(subscriber: Subscriber<T>, origin: unknown): void {
    try {
      this.#subscribe(origin as O, subscriber);
    } catch (error) {
      subscriber.error(error);
    }
  }
}

/**
 * Creates a Flowable with a separate flow for every subscription.
 * @param run Called at each subscription. It must call `join` with its flow before it subscribes to anything.
 */
export function flowable<T>(
  run: (subscriber: Subscriber<T>, join: (flow: Flow) => void) => TeardownLogic,
): Flowable<T> {
  const all = new FlowSet();
  return new Flowable<T>((subscriber) => {
    const leaves: (() => void)[] = [];
    const teardown = run(subscriber, (flow) => {
      leaves.push(all.add(flow));
      const consumer = joinConsumer(subscriber, flow, all);
      if (consumer) leaves.push(() => consumer.leave(flow));
    });
    subscriber.add(teardown);
    // Runs after the teardown of `run`: a flow that is released here must find its subscription closed.
    return () => {
      for (const leave of leaves) leave();
    };
  }, all);
}

/**
 * Creates the result of an operator that has no queue of its own: a Flowable if the source is a Flowable, so that a
 * hold of the result holds the source.
 * @param run Called at each subscription. It subscribes to the source with a FlowSubscriber.
 * @throws TypeError if the source belongs to another copy of this package: a hold would not reach it.
 */
export function operate<T, R>(source: Observable<T>, run: (subscriber: Subscriber<R>) => TeardownLogic): Observable<R> {
  checkCopy(source);
  return source instanceof Flowable ? source.lift<R>({ call: run }) : new Observable<R>(run);
}
