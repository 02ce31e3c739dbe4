// Sources that can be held and consumers that hold, for the tests of backpressure.
import { type Observable, Subject, type Subscriber, VirtualTimeScheduler } from 'rxjs';
import { FlowSet, Holds } from '../../src/flow/flow.js';
import { type Flowable, FlowSubscriber, flowable } from '../../src/flow/flowable.js';

/** One subscription to a {@link Probe}. */
export interface Live {
  readonly subscriber: Subscriber<number>;
  readonly flow: Holds;
}

/** A cold source that is driven by hand, whether held or not. Every subscription has a flow of its own. */
export class Probe {
  readonly live: Live[] = [];
  /** How often it was subscribed, ever. */
  subscribed = 0;
  readonly source: Flowable<number> = flowable((subscriber, join) => {
    const live = { subscriber, flow: new Holds(() => {}) };
    this.subscribed++;
    this.live.push(live);
    join(live.flow);
    return () => {
      this.live.splice(this.live.indexOf(live), 1);
    };
  });

  next(value: number): void {
    for (const { subscriber } of [...this.live]) subscriber.next(value);
  }

  error(error: unknown): void {
    for (const { subscriber } of [...this.live]) subscriber.error(error);
  }

  complete(): void {
    for (const { subscriber } of [...this.live]) subscriber.complete();
  }

  /** Whether each of its subscriptions is held, in the order of subscribing. */
  get held(): readonly boolean[] {
    return this.live.map(({ flow }) => flow.held);
  }
}

/** What the pipelines of a test are made of. */
export interface Sources {
  readonly a: Probe;
  readonly b: Probe;
  readonly c: Probe;
  /** Not a Flowable; completes when an inner source may go on. */
  readonly gate: Subject<never>;
  readonly clock: VirtualTimeScheduler;
}

export function makeSources(): Sources {
  const clock = new VirtualTimeScheduler(undefined, 1000);
  return { a: new Probe(), b: new Probe(), c: new Probe(), gate: new Subject<never>(), clock };
}

/** The end of a pipeline that holds when told to. */
export class Consumer<T = unknown> {
  readonly flows = new FlowSet();
  readonly values: T[] = [];
  /** Called with each value. */
  onNext: ((value: T) => void) | undefined;
  error: unknown;
  completed = false;
  readonly subscriber: FlowSubscriber<T>;

  /** @param destination Where values go on to; by default nowhere. */
  constructor(source: Observable<T>, destination?: Subscriber<T>) {
    this.subscriber = new FlowSubscriber<T>(
      destination as Subscriber<never> | undefined,
      {
        next: (value) => {
          this.values.push(value);
          this.onNext?.(value);
        },
        error: (error) => {
          this.error = error;
        },
        complete: () => {
          this.completed = true;
        },
      },
      this.flows,
    );
    this.#source = source;
  }

  readonly #source: Observable<T>;

  /** Begins; apart from the constructor, so that a consumer can be clogged before it begins. */
  start(): this {
    this.#source.subscribe(this.subscriber);
    return this;
  }

  stop(): void {
    this.subscriber.unsubscribe();
  }
}

/** Subscribes somebody who is nobody's consumer. */
export function subscribeStranger(source: Observable<unknown>): void {
  source.subscribe({ error: () => {} });
}

/** A source that emits at once for as long as it is not held, as a file or a full inbox does. */
export class Eager<T> {
  /** How many values it has given, to all its subscriptions together. */
  given = 0;
  readonly source: Flowable<T>;

  constructor(values: Iterable<T>) {
    this.source = flowable((subscriber, join) => {
      const iterator = values[Symbol.iterator]();
      let running = false;
      const run = () => {
        if (running) return;
        running = true;
        while (!own.held && !subscriber.closed) {
          const { done, value } = iterator.next();
          if (done) subscriber.complete();
          else {
            this.given++;
            subscriber.next(value);
          }
        }
        running = false;
      };
      const own = new Holds((held) => held || run());
      join(own);
      run();
    });
  }
}

/** The numbers from 0 up. */
export function* count(end = Number.POSITIVE_INFINITY): Generator<number> {
  for (let n = 0; n < end; n++) yield n;
}
