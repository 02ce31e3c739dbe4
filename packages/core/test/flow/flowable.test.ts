// Flowable, flowable(), operate() and FlowSubscriber: which sources a consumer finds, which sources stand in for them,
// and for how long.
import {
  type ConnectableObservable,
  connect,
  defer,
  map,
  merge,
  NEVER,
  Observable,
  of,
  publish,
  Subject,
  Subscriber,
  share,
  subscribeOn,
} from 'rxjs';
import { expect, test } from 'vitest';
import { joinConsumer } from '../../src/flow/discovery.js';
import { FlowSubscriber } from '../../src/flow/flow-subscriber.js';
import { Flowable, flowable, operate } from '../../src/flow/flowable.js';
import { Holds } from '../../src/flow/holds.js';
import { Consumer, makeSources, subscribeStranger } from './support.js';

test('holding a Flowable from outside holds the flow it was given', () => {
  const holds = new Holds(() => {});
  const source = new Flowable<number>(() => {}, holds);
  const release = source.hold('lunch');
  expect(source.holds).toEqual(['lunch']);
  expect(source.pipe(map((n) => n)) as Flowable<number>).toHaveProperty('holds', ['lunch']);
  release();
  expect(holds.held).toBe(false);
});

test('holding a flowable() from outside holds all its subscriptions, later ones too', () => {
  const { a } = makeSources();
  subscribeStranger(a.source);
  const release = a.source.hold('all');
  subscribeStranger(a.source);
  expect(a.held).toEqual([true, true]);
  release();
  expect(a.held).toEqual([false, false]);
});

test('a cold source with two subscriptions is held only on the subscription that leads to the consumer', () => {
  const { a } = makeSources();
  const slow = new Consumer(a.source.pipe(map((n) => n))).start();
  const fast = new Consumer(a.source.pipe(map((n) => n))).start();
  const release = slow.flows.hold('slow');
  expect(a.held).toEqual([true, false]);
  fast.flows.hold('fast');
  release();
  expect(a.held).toEqual([false, true]);
});

test('a consumer that subscribes to the same source behind a Subject and directly holds both subscriptions', () => {
  const { a } = makeSources();
  const consumer = new Consumer(merge(a.source.pipe(share()), a.source)).start();
  const release = consumer.flows.hold('slow');
  expect(a.held).toEqual([true, true]);
  release();
  expect(a.held).toEqual([false, false]);
  consumer.stop();
  expect(consumer.flows.size).toBe(0);
});

test('a stand-in behind a Subject stays when other sources are found', () => {
  const { a, b } = makeSources();
  const consumer = new Consumer(a.source.pipe(connect((shared) => merge(shared, b.source)))).start();
  consumer.flows.hold('slow');
  expect([a.held, b.held]).toEqual([[true], [true]]);
});

test('a stand-in for a source that is found later leaves then, and never lets the source flow in between', () => {
  const { a, clock } = makeSources();
  subscribeStranger(a.source);
  const consumer = new Consumer(a.source.pipe(subscribeOn(clock)));
  consumer.flows.hold('slow');
  consumer.start();
  expect(a.held).toEqual([true]);
  clock.flush();
  expect(a.held).toEqual([false, true]);
  consumer.stop();
  expect(a.held).toEqual([false]);
});

test('a stand-in leaves without a gap in the hold', () => {
  const changes: boolean[] = [];
  const source = flowable<number>((_subscriber, join) => join(new Holds((held) => changes.push(held))));
  const consumer = new Consumer(source.pipe(map((n) => n)));
  consumer.flows.hold('slow');
  consumer.start();
  expect(changes).toEqual([true]);
});

test('a stand-in leaves with its consumer, even after the source has ended', () => {
  const log: string[] = [];
  const source = flowable<number>((_subscriber, join) => {
    join(new Holds((held) => log.push(held ? 'held' : 'released')));
    return () => log.push('gone');
  });
  const consumer = new Consumer(source.pipe(share())).start();
  consumer.flows.hold('slow');
  consumer.stop();
  expect(log).toEqual(['held', 'gone', 'released']);
});

test('a source that ends at once leaves no flow joined', () => {
  const source = flowable<number>((subscriber, join) => {
    join(new Holds(() => {}));
    subscriber.complete();
  });
  for (const pipeline of [source, source.pipe(map((n) => n)), source.pipe(share())]) {
    const consumer = new Consumer(pipeline).start();
    expect(consumer.completed).toBe(true);
    expect(consumer.flows.size).toBe(0);
  }
});

test('a Flowable whose subscribe function joins no flow is held through the flow it remembers', () => {
  const holds = new Holds(() => {});
  const subject = new Subject<number>();
  const consumer = new Consumer(new Flowable<number>((subscriber) => subject.subscribe(subscriber), holds)).start();
  consumer.flows.hold('slow');
  expect(holds.held).toBe(true);
  consumer.stop();
  expect(holds.held).toBe(false);
});

test('a plain Observable made by hand breaks the chain', () => {
  const { a } = makeSources();
  const byHand = new Observable<number>((subscriber) => a.source.subscribe({ next: (n) => subscriber.next(n) }));
  const consumer = new Consumer(byHand).start();
  consumer.flows.hold('slow');
  expect(a.held).toEqual([false]);
});

test('sources behind a Subject are not found behind a creation function, because its result is not a Flowable', () => {
  const { a } = makeSources();
  const consumer = new Consumer(defer(() => a.source).pipe(share())).start();
  consumer.flows.hold('slow');
  expect(a.held).toEqual([false]);
  consumer.flows.add(a.source);
  expect(a.held).toEqual([true]);
});

test('a flow joins the nearest consumer', () => {
  const { a } = makeSources();
  const far = new Consumer<number>(NEVER);
  const near = new Consumer<number>(a.source, far.subscriber).start();
  far.flows.hold('far');
  expect(a.held).toEqual([false]);
  near.flows.hold('near');
  expect(a.held).toEqual([true]);
});

test('joinConsumer() finds nothing for a plain subscriber', () => {
  const holds = new Holds(() => {});
  expect(joinConsumer(new Subscriber<number>(), holds)).toBeUndefined();
});

test('operators on a ConnectableObservable remember the source beneath it', () => {
  const { a } = makeSources();
  const published = a.source.pipe(
    map((n) => n),
    publish(),
  );
  const consumer = new Consumer(published.pipe(map((n) => n))).start();
  const connection = (published as ConnectableObservable<number>).connect();
  consumer.flows.hold('slow');
  expect(a.held).toEqual([true]);
  consumer.stop();
  expect(a.held).toEqual([false]);
  connection.unsubscribe();
});

test('operate() returns a Flowable only for a Flowable', () => {
  const { a } = makeSources();
  expect(operate(a.source, () => {})).toBeInstanceOf(Flowable);
  expect(operate(of(1), () => {})).not.toBeInstanceOf(Flowable);
});

test('a FlowSubscriber forwards errors and completion by default', () => {
  for (const [end, expected] of [
    [(s: Subject<number>) => s.error('bad'), 'bad'],
    [(s: Subject<number>) => s.complete(), true],
  ] as const) {
    const source = new Subject<number>();
    const consumer = new Consumer<number>(NEVER);
    source.subscribe(new FlowSubscriber<number>(consumer.subscriber as Subscriber<never>, { next: () => {} }));
    end(source);
    expect(consumer.error ?? consumer.completed).toBe(expected);
    expect(source.observed).toBe(false);
  }
});

test.each(['next', 'error', 'complete'] as const)(
  "an exception in a FlowSubscriber's %s handler is an error notification",
  (signal) => {
    const source = new Subject<number>();
    const consumer = new Consumer<number>(NEVER);
    const fail = () => {
      throw 'thrown';
    };
    const handlers = { next: () => {}, [signal]: fail };
    source.subscribe(new FlowSubscriber<number>(consumer.subscriber as Subscriber<never>, handlers));
    source[signal](1);
    expect(consumer.error).toBe('thrown');
    expect(source.observed).toBe(false);
  },
);

test('an exception in a FlowSubscriber after it has unsubscribed itself is also an error notification', () => {
  const source = new Subject<number>();
  const consumer = new Consumer<number>(NEVER);
  const subscriber = new FlowSubscriber<number>(consumer.subscriber as Subscriber<never>, {
    next: () => {
      subscriber.unsubscribe();
      throw 'thrown';
    },
  });
  source.subscribe(subscriber);
  source.next(1);
  expect(consumer.error).toBe('thrown');
});
