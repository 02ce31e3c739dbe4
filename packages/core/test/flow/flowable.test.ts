// Flowable, flowable(), operate() and FlowSubscriber: who is found, who stands in, and for how long.
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
import { Holds } from '../../src/flow/flow.js';
import { Flowable, FlowSubscriber, flowable, joinConsumer, operate } from '../../src/flow/flowable.js';
import { Consumer, makeSources, subscribeStranger } from './support.js';

test('a Flowable holds what it was given, from outside too', () => {
  const holds = new Holds(() => {});
  const source = new Flowable<number>(() => {}, holds);
  const release = source.hold('lunch');
  expect(source.holds).toEqual(['lunch']);
  expect(source.pipe(map((n) => n)) as Flowable<number>).toHaveProperty('holds', ['lunch']);
  release();
  expect(holds.held).toBe(false);
});

test('holding flowable() from outside holds all its subscriptions, later ones too', () => {
  const { a } = makeSources();
  subscribeStranger(a.source);
  const release = a.source.hold('all');
  subscribeStranger(a.source);
  expect(a.held).toEqual([true, true]);
  release();
  expect(a.held).toEqual([false, false]);
});

test('a cold source that is subscribed twice is held only where its consumer is behind', () => {
  const { a } = makeSources();
  const slow = new Consumer(a.source.pipe(map((n) => n))).start();
  const fast = new Consumer(a.source.pipe(map((n) => n))).start();
  const release = slow.flows.hold('slow');
  expect(a.held).toEqual([true, false]);
  fast.flows.hold('fast');
  release();
  expect(a.held).toEqual([false, true]);
});

test('one consumer of the same source twice, behind a Subject and directly, holds both', () => {
  const { a } = makeSources();
  const consumer = new Consumer(merge(a.source.pipe(share()), a.source)).start();
  const release = consumer.flows.hold('slow');
  expect(a.held).toEqual([true, true]);
  release();
  expect(a.held).toEqual([false, false]);
  consumer.stop();
  expect(consumer.flows.size).toBe(0);
});

test('what stands in behind a Subject stays when other sources are found', () => {
  const { a, b } = makeSources();
  const consumer = new Consumer(a.source.pipe(connect((shared) => merge(shared, b.source)))).start();
  consumer.flows.hold('slow');
  expect([a.held, b.held]).toEqual([[true], [true]]);
});

test('what stands in for a source that is found later steps back then, and never lets it flow', () => {
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

test('what stands in steps back without a gap in the hold', () => {
  const changes: boolean[] = [];
  const source = flowable<number>((_subscriber, join) => join(new Holds((held) => changes.push(held))));
  const consumer = new Consumer(source.pipe(map((n) => n)));
  consumer.flows.hold('slow');
  consumer.start();
  expect(changes).toEqual([true]);
});

test('a stand-in leaves with its consumer, after the source is gone', () => {
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

test('a source that ends at once leaves nothing joined', () => {
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

test('a Flowable whose subscribe function joins nobody is held by what it remembers', () => {
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

test('behind a creation function, which is no Flowable, what a Subject breaks is not found', () => {
  const { a } = makeSources();
  const consumer = new Consumer(defer(() => a.source).pipe(share())).start();
  consumer.flows.hold('slow');
  expect(a.held).toEqual([false]);
  consumer.flows.add(a.source);
  expect(a.held).toEqual([true]);
});

test('the nearest consumer is the one that joins', () => {
  const { a } = makeSources();
  const far = new Consumer<number>(NEVER);
  const near = new Consumer<number>(a.source, far.subscriber).start();
  far.flows.hold('far');
  expect(a.held).toEqual([false]);
  near.flows.hold('near');
  expect(a.held).toEqual([true]);
});

test('joinConsumer leads nowhere for a plain subscriber', () => {
  const holds = new Holds(() => {});
  expect(() => joinConsumer(new Subscriber<number>(), holds)()).not.toThrow();
});

test('what is made of a ConnectableObservable remembers the source beneath it', () => {
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

test('operate() makes a Flowable of a Flowable only', () => {
  const { a } = makeSources();
  expect(operate(a.source, () => {})).toBeInstanceOf(Flowable);
  expect(operate(of(1), () => {})).not.toBeInstanceOf(Flowable);
});

test('a FlowSubscriber passes errors and completion on unless it is told otherwise', () => {
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

test.each(['next', 'error', 'complete'] as const)('what a FlowSubscriber throws in %s is an error', (signal) => {
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
});

test('what a FlowSubscriber throws after it has unsubscribed itself is an error too', () => {
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
