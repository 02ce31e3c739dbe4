// Sources that can be held and consumers that hold, for the tests of backpressure.
import { asyncScheduler, type Observable, Subject, type Subscriber, VirtualTimeScheduler } from 'rxjs';
import { ByteSource } from '../../src/flow/byte-source.js';
import { FlowSet } from '../../src/flow/flow-set.js';
import { FlowSubscriber } from '../../src/flow/flow-subscriber.js';
import { type Flowable, flowable } from '../../src/flow/flowable.js';
import { Holds } from '../../src/flow/holds.js';

/** One subscription to a {@link Probe}. */
export interface Live {
  readonly subscriber: Subscriber<number>;
  readonly flow: Holds;
}

/** A cold source that the test drives by hand, whether it is held or not. Every subscription has its own flow. */
export class Probe {
  readonly live: Live[] = [];
  /** How often it was subscribed in total. */
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

/** The sources from which a test builds its pipeline. */
export interface Sources {
  readonly a: Probe;
  readonly b: Probe;
  readonly c: Probe;
  /** Not a Flowable. Completes when an inner source may start. */
  readonly gate: Subject<never>;
  readonly clock: VirtualTimeScheduler;
}

export function makeSources(): Sources {
  const clock = new VirtualTimeScheduler(undefined, 1000);
  return { a: new Probe(), b: new Probe(), c: new Probe(), gate: new Subject<never>(), clock };
}

/** The end of a pipeline, which holds when the test says so. */
export class Consumer<T = unknown> {
  readonly flows = new FlowSet();
  readonly values: T[] = [];
  /** Called with each value. */
  onNext: ((value: T) => void) | undefined;
  error: unknown;
  completed = false;
  readonly subscriber: FlowSubscriber<T>;

  /** @param destination Receives the values too. By default nothing does. */
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

  /** Subscribes. Apart from the constructor, so that a consumer can hold before it starts. */
  start(): this {
    this.#source.subscribe(this.subscriber);
    return this;
  }

  stop(): void {
    this.subscriber.unsubscribe();
  }
}

/** Adds a plain subscription that belongs to no consumer. */
export function subscribeStranger(source: Observable<unknown>): void {
  source.subscribe({ error: () => {} });
}

/** A source that emits synchronously for as long as it is not held, as a file or a full inbox does. */
export class Eager<T> {
  /** How many values it has emitted, to all its subscriptions together. */
  emitted = 0;
  readonly source: Flowable<T>;

  constructor(values: Iterable<T>) {
    this.source = flowable((subscriber, join) => {
      const iterator = values[Symbol.iterator]();
      let running = false;
      const run = () => {
        if (running) return;
        running = true;
        while (!flow.held && !subscriber.closed) {
          const { done, value } = iterator.next();
          if (done) subscriber.complete();
          else {
            this.emitted++;
            subscriber.next(value);
          }
        }
        running = false;
      };
      const flow = new Holds((held) => held || run());
      join(flow);
      run();
    });
  }
}

/** The numbers from 0 upwards. */
export function* count(end = Number.POSITIVE_INFINITY): Generator<number> {
  for (let n = 0; n < end; n++) yield n;
}

/** Bytes that can be given back, as those of a socket. */
export function byteSource(source: Observable<Buffer>, onUnread: (bytes: Uint8Array) => void): ByteSource {
  return new ByteSource({
    flow: new Holds(() => {}),
    limits: { scheduler: asyncScheduler },
    opening: { local: undefined, remote: undefined },
    subscribe: (subscriber) => void subscriber.add(source.subscribe(subscriber as Subscriber<unknown>)),
    unread: onUnread,
  });
}
