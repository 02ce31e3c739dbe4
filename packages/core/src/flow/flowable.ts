// How a consumer finds every source that reaches it: at subscription, up the chain of subscribers. `Subscriber.destination`
// and `Observable.lift` are the only RxJS internals touched, and only here.
import { Observable, type Observer, type Operator, Subscriber, type Subscription, type TeardownLogic } from 'rxjs';
import { type Flow, FlowSet, type Release } from './flow.js';

/** What a {@link FlowSubscriber} does with the notifications of its source. */
export interface FlowHandlers<T> {
  next: (value: T) => void;
  /** Default: passes the error on. */
  error?: (error: unknown) => void;
  /** Default: completes the destination. */
  complete?: () => void;
}

/**
 * The subscriber of every operator here: it keeps the chain of destinations that sources walk up. With a set of flows
 * it is a consumer, where that walk ends; without one it is passed through.
 */
export class FlowSubscriber<T> extends Subscriber<T> {
  readonly flows: FlowSet | undefined;
  readonly #handlers: FlowHandlers<T>;
  readonly #failed: (error: unknown) => void;

  /** @param destination Undefined at the end of a pipeline. */
  constructor(destination: Subscriber<never> | undefined, handlers: FlowHandlers<T>, flows?: FlowSet) {
    super(destination);
    this.#handlers = handlers;
    this.flows = flows;
    // Kept, for a handler may throw after it has unsubscribed, and then `this.destination` is gone.
    const receiver: Observer<never> = this.destination;
    this.#failed = (error) => receiver.error(error);
  }

  protected override _next(value: T): void {
    try {
      this.#handlers.next(value);
    } catch (error) {
      this.#failed(error);
    }
  }

  protected override _error(error: unknown): void {
    const { error: handle } = this.#handlers;
    if (handle) this.#last(() => handle(error));
    else super._error(error);
  }

  protected override _complete(): void {
    const { complete: handle } = this.#handlers;
    if (handle) this.#last(handle);
    else super._complete();
  }

  #last(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#failed(error);
    } finally {
      this.unsubscribe();
    }
  }
}

/** A remembered flow that is held until the source which it belongs to has found the consumer by itself. */
interface StandIn {
  readonly origin: Flow;
  readonly stepBack: () => void;
}

/** Stand-ins by the subscriber which they were made for: a source that finds its way passes there. */
const standIns = new WeakMap<object, Set<StandIn>>();

/**
 * Joins the consumer that `subscriber` leads to, the nearest set of flows up the chain of destinations.
 * @param origin What a {@link Flowable} remembers of the flow: stand-ins for it step back.
 * @returns Leaves it.
 */
export function joinConsumer(subscriber: Subscriber<unknown>, flow: Flow, origin: Flow = flow): () => void {
  const passed: StandIn[] = [];
  let step: { flows?: unknown; destination?: unknown } | undefined = subscriber as unknown as typeof step;
  while (step) {
    for (const standIn of standIns.get(step) ?? []) if (standIn.origin === origin) passed.push(standIn);
    if (step.flows instanceof FlowSet) {
      const leave = step.flows.add(flow);
      for (const { stepBack } of passed) stepBack();
      return leave;
    }
    step = step.destination as typeof step;
  }
  return leaveNothing;
}

/** Leaves a consumer that there is not. */
function leaveNothing(): void {}

/**
 * An Observable with backpressure. A consumer such as `mapWithBackpressure` or `writeTo` at the end of a pipeline finds
 * it through stock operators and holds it while it is behind.
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
  readonly #flow: Flow;

  /**
   * @param subscribe As for Observable.
   * @param flow What a hold of this Observable holds.
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

  // What stock operators make of this stays a Flowable, and so remembers whom to hold behind a Subject (`share`). RxJS's
  // ConnectableObservable (`publish`) borrows this method from its source: `this` may be no Flowable, but its source is.
  override lift<R>(operator?: Operator<T, R>): Observable<R> {
    let origin: object = this;
    while (!(#flow in origin)) origin = (origin as Observable<T>).source as Observable<T>;
    const lifted = new Flowable<R>(undefined, origin.#flow);
    lifted.source = this as unknown as Observable<R>;
    lifted.operator = operator as unknown as Operator<R, R>;
    return lifted as Observable<R>;
  }

  // The walk up from the source finds the consumer through every operator that keeps the chain. Where one breaks it,
  // the remembered flow stands in; it steps back when the source has found the way, at once or later.
  override subscribe(
    observerOrNext?: Partial<Observer<T>> | ((value: T) => void) | null,
    error?: ((error: unknown) => void) | null,
    complete?: (() => void) | null,
  ): Subscription {
    const subscribe = () => super.subscribe(observerOrNext as (value: T) => void, error, complete);
    const leave = observerOrNext instanceof Subscriber ? joinConsumer(observerOrNext, this.#flow) : leaveNothing;
    if (leave === leaveNothing) return subscribe();
    const subscriber = observerOrNext as object;
    const here = standIns.get(subscriber) ?? new Set();
    standIns.set(subscriber, here);
    const stepBack = () => {
      here.delete(standIn);
      leave();
    };
    const standIn = { origin: this.#flow, stepBack };
    here.add(standIn);
    const subscription = subscribe();
    if (here.has(standIn)) subscription.add(stepBack);
    return subscription;
  }
}

/**
 * A Flowable whose every subscription has a flow of its own.
 * @param run Called at each subscription. It hands its flow to `join` before it subscribes to anything.
 */
export function flowable<T>(
  run: (subscriber: Subscriber<T>, join: (flow: Flow) => void) => TeardownLogic,
): Flowable<T> {
  const all = new FlowSet();
  return new Flowable<T>((subscriber) => {
    const leaves: (() => void)[] = [];
    const teardown = run(subscriber, (flow) => {
      leaves.push(all.add(flow), joinConsumer(subscriber, flow, all));
    });
    subscriber.add(teardown);
    // After the teardown: what a leaving consumer lets go of must find it gone.
    return () => {
      for (const leave of leaves) leave();
    };
  }, all);
}

/**
 * Makes the result of an operator that passes through: a Flowable where the source is one.
 * @param run Called at each subscription; subscribes to the source with a {@link FlowSubscriber}.
 */
export function operate<T, R>(source: Observable<T>, run: (subscriber: Subscriber<R>) => TeardownLogic): Observable<R> {
  return source instanceof Flowable ? source.lift<R>({ call: run }) : new Observable<R>(run);
}
