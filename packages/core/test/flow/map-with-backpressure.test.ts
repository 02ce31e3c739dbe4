// mapWithBackpressure(): order, bounds, and which sources are held when.
import { mapWithBackpressure } from '@rxsock/core';
import { EMPTY, from, NEVER, type Observable, of, Subject, take, throwError, timer } from 'rxjs';
import { map } from 'rxjs/operators';
import { TestScheduler } from 'rxjs/testing';
import { describe, expect, test } from 'vitest';
import { flowable } from '../../src/flow/flowable.js';
import { Holds } from '../../src/flow/holds.js';
import { Consumer, count, Eager, Probe } from './support.js';

const inVirtualTime = (run: Parameters<TestScheduler['run']>[0]) =>
  new TestScheduler((actual, expected) => expect(actual).toEqual(expected)).run(run);

/** Projects to the value itself, after that many milliseconds. */
const after =
  (times: Record<string, number>) =>
  (name: string): Observable<string> =>
    timer(times[name] as number).pipe(map(() => name));

/** Projections that the test ends by hand, in the order in which they were started. */
class Projections {
  readonly started: number[] = [];
  readonly #ends: Subject<number>[] = [];

  readonly project = (value: number): Observable<number> => {
    const end = new Subject<number>();
    this.started.push(value);
    this.#ends.push(end);
    return end;
  };

  end(at = 0): void {
    const value = this.started.length - this.#ends.length + at;
    const [end] = this.#ends.splice(at, 1);
    end?.next(this.started[value] as number);
    end?.complete();
  }
}

const numbers = (end: number) => [...count(end)];

describe('order', () => {
  test('runs one projection at a time, in order', () =>
    inVirtualTime(({ cold, expectObservable }) => {
      const result = cold('abc|').pipe(mapWithBackpressure(after({ a: 3, b: 3, c: 3 })));
      expectObservable(result).toBe('---a--b--(c|)');
    }));

  test('keeps the order of the source: results of several projections wait for their turn, and so do further projections', () =>
    inVirtualTime(({ cold, expectObservable }) => {
      const result = cold('abc|').pipe(mapWithBackpressure(after({ a: 5, b: 1, c: 4 }), { concurrency: 2 }));
      expectObservable(result).toBe('-----(ab)(c|)');
    }));

  test('emits results as soon as they are ready with ordered: false', () =>
    inVirtualTime(({ cold, expectObservable }) => {
      const options = { concurrency: 2, ordered: false };
      const result = cold('abc|').pipe(mapWithBackpressure(after({ a: 5, b: 1, c: 1 }), options));
      expectObservable(result).toBe('--bc-(a|)');
    }));

  test('emits many results of a projection one after the other in order, or interleaved without order', () =>
    inVirtualTime(({ cold, expectObservable }) => {
      const inner: Record<string, Observable<string>> = { a: cold('--1--2|'), b: cold('-3-4|') };
      const project = (name: string) => inner[name] as Observable<string>;
      expectObservable(cold('(ab|)').pipe(mapWithBackpressure(project, { concurrency: 2 }))).toBe('--1--2(34|)');
      expectObservable(cold('(ab|)').pipe(mapWithBackpressure(project, { concurrency: 2, ordered: false }))).toBe(
        '-314-2|',
      );
    }));

  test('an error of the source comes after the results of the values before it', () =>
    inVirtualTime(({ cold, expectObservable }) => {
      const source = cold('ab#');
      expectObservable(source.pipe(mapWithBackpressure(after({ a: 3, b: 3 })))).toBe('---a--(b#)');
      expectObservable(cold('#').pipe(mapWithBackpressure(after({})))).toBe('#');
    }));

  test('an error of a projection is emitted at once', () =>
    inVirtualTime(({ cold, expectObservable }) => {
      expectObservable(cold('ab').pipe(mapWithBackpressure(() => cold('---#'), { concurrency: 2 }))).toBe('---#');
    }));
});

describe('bounds', () => {
  test('holds a source when the queue is full and releases it at half', () => {
    const source = new Eager(count());
    const projections = new Projections();
    const consumer = new Consumer(source.source.pipe(mapWithBackpressure(projections.project, { highWaterMark: 8 })));
    consumer.start();
    const emitted = [source.emitted];
    for (let i = 0; i < 10; i++) {
      projections.end();
      emitted.push(source.emitted);
    }
    // One runs and eight wait. When four wait there is room for five more, because the next one leaves the queue.
    expect(emitted).toEqual([9, 9, 9, 9, 13, 13, 13, 13, 17, 17, 17]);
    expect(consumer.values).toEqual(numbers(10));
    consumer.stop();
  });

  test.each([
    [1, 1, 2],
    [4, 1, 5],
    [4, 3, 7],
  ])('with concurrency %i and highWaterMark %i it takes %i values', (concurrency, highWaterMark, taken) => {
    const source = new Eager(count());
    const consumer = new Consumer(source.source.pipe(mapWithBackpressure(() => NEVER, { concurrency, highWaterMark })));
    consumer.start();
    expect(source.emitted).toBe(taken);
    consumer.stop();
  });

  test('loses and reorders nothing over many holds', () => {
    const source = new Eager(count(1000));
    const projections = new Projections();
    const options = { concurrency: 3, highWaterMark: 5 };
    const consumer = new Consumer(source.source.pipe(mapWithBackpressure(projections.project, options))).start();
    while (projections.started.length > consumer.values.length) projections.end();
    expect(consumer.values).toEqual(numbers(1000));
    expect(consumer.completed).toBe(true);
  });

  test('does not recurse with an endless source and synchronous projections', () => {
    const source = new Eager(count());
    const result = source.source.pipe(
      mapWithBackpressure((n) => of(n)),
      mapWithBackpressure((n) => [n], { concurrency: 2, ordered: false }),
      take(100_000),
    );
    const consumer = new Consumer(result).start();
    expect(consumer.values).toHaveLength(100_000);
    expect(source.emitted).toBe(100_000);
  });
});

test('does not recurse with a long queue of synchronous projections', () => {
  const source = new Subject<number>();
  const first = new Subject<number>();
  const options = { highWaterMark: 20_000 };
  const consumer = new Consumer(source.pipe(mapWithBackpressure((n) => (n === 0 ? first : of(n)), options))).start();
  for (let n = 0; n < 20_000; n++) source.next(n);
  expect(consumer.values).toEqual([]);
  first.complete();
  expect(consumer.error).toBeUndefined();
  expect(consumer.values).toEqual(numbers(20_000).slice(1));
});

describe('overflow, where the source cannot be held', () => {
  const offer = (options: Parameters<typeof mapWithBackpressure>[1], offered: number) => {
    const source = new Subject<number>();
    const projections = new Projections();
    const consumer = new Consumer(
      source.pipe(mapWithBackpressure(projections.project, { highWaterMark: 4, ...options })),
    );
    consumer.start();
    for (let n = 0; n < offered; n++) source.next(n);
    return { source, projections, consumer };
  };
  const runAll = ({ source, projections, consumer }: ReturnType<typeof offer>) => {
    source.complete();
    while (projections.started.length > consumer.values.length) projections.end();
    expect(consumer.completed).toBe(true);
    return consumer.values;
  };

  test('fails by default at the first value that does not fit', () => {
    const full = offer({}, 5);
    expect(full.consumer.error).toBeUndefined();
    expect(runAll(full)).toEqual(numbers(5));
    const over = offer({}, 6);
    expect(over.consumer.error).toMatchObject({ code: 'ERR_BACKPRESSURE_OVERFLOW', limit: 4 });
    expect(over.source.observed).toBe(false);
  });

  test('drops the newest', () => {
    expect(runAll(offer({ overflow: 'dropNewest' }, 100))).toEqual([0, 1, 2, 3, 4]);
  });

  test('drops the oldest', () => {
    expect(runAll(offer({ overflow: 'dropOldest' }, 100))).toEqual([0, 96, 97, 98, 99]);
  });

  test.each([
    ['dropNewest', [0, 1]],
    ['dropOldest', [0, 99]],
  ] as const)('queues one value with highWaterMark 1: %s', (overflow, kept) => {
    expect(runAll(offer({ overflow, highWaterMark: 1 }, 100))).toEqual(kept);
  });

  test('holds and releases the flow that is passed as an option', () => {
    const flow = new Holds(() => {});
    const { consumer, projections } = offer({ flow }, 5);
    expect(flow.holds).toEqual(['mapWithBackpressure']);
    projections.end();
    projections.end();
    projections.end();
    expect(flow.held).toBe(false);
    consumer.stop();
    expect(offer({ flow }, 100).consumer.error).toBeUndefined();
    expect(flow.held).toBe(true);
  });

  test('releases the passed flow on unsubscription and on an error', () => {
    const flow = new Holds(() => {});
    const left = offer({ flow }, 10);
    left.consumer.stop();
    expect(flow.held).toBe(false);
    const failed = offer({ flow }, 10);
    expect(flow.held).toBe(true);
    failed.source.error('bad');
    expect(flow.held).toBe(false);
  });

  test('keeps the values that a chunk still delivers after the hold', () => {
    const probe = new Probe();
    const consumer = new Consumer(probe.source.pipe(mapWithBackpressure(() => NEVER, { highWaterMark: 4 }))).start();
    for (let n = 0; n < 1 + 4 + 65_536; n++) probe.next(n);
    expect(probe.held).toEqual([true]);
    expect(consumer.error).toBeUndefined();
    probe.next(0);
    expect(consumer.error).toMatchObject({ code: 'ERR_BACKPRESSURE_OVERFLOW' });
    expect(consumer.flows.size).toBe(0);
  });

  test.each([
    ['error', 0],
    ['dropOldest', 65_552],
    ['dropNewest', 65_552],
  ] as const)('applies %s to results that cannot be held, too', (overflow, kept) => {
    const inner = new Subject<number>();
    const consumer = new Consumer(of(1).pipe(mapWithBackpressure(() => inner, { overflow }))).start();
    const release = consumer.flows.hold('slow');
    for (let n = 0; n < 65_552; n++) inner.next(n);
    expect(consumer.error).toBeUndefined();
    inner.next(-1);
    if (overflow === 'error') expect(consumer.error).toMatchObject({ code: 'ERR_BACKPRESSURE_OVERFLOW' });
    release();
    expect(consumer.values).toHaveLength(kept);
    expect(consumer.values.at(-1)).toBe(overflow === 'error' ? undefined : overflow === 'dropOldest' ? -1 : 65_551);
    consumer.stop();
  });
});

describe('when its consumer holds it', () => {
  test('emits nothing, starts no projection, and holds its source', () => {
    const source = new Eager(count());
    const projections = new Projections();
    const options = { concurrency: 2, highWaterMark: 4 };
    const consumer = new Consumer(source.source.pipe(mapWithBackpressure(projections.project, options))).start();
    const release = consumer.flows.hold('slow');
    projections.end();
    projections.end();
    expect(consumer.values).toEqual([]);
    expect(projections.started).toEqual([0, 1]);
    expect(source.emitted).toBe(6);
    release();
    expect(consumer.values).toEqual([0, 1]);
    expect(projections.started).toEqual([0, 1, 2, 3]);
    consumer.stop();
  });

  test('emits one value at a time to a consumer that holds at every value', () => {
    const source = new Eager(count(50));
    const consumer = new Consumer(source.source.pipe(mapWithBackpressure((n) => [n, n], { highWaterMark: 2 })));
    let release: (() => void) | undefined;
    consumer.onNext = () => {
      release = consumer.flows.hold('slow');
    };
    consumer.start();
    for (let taken = 1; taken <= 100; taken++) {
      expect(consumer.values).toHaveLength(taken);
      expect(source.emitted).toBeLessThanOrEqual(Math.ceil(taken / 2) + 3);
      release?.();
    }
    expect(consumer.values).toEqual(numbers(50).flatMap((n) => [n, n]));
    expect(consumer.completed).toBe(true);
  });

  test('completes when the queued values have been taken, not before', () => {
    const source = new Subject<number>();
    const consumer = new Consumer(source.pipe(mapWithBackpressure((n) => [n]))).start();
    const release = consumer.flows.hold('slow');
    source.next(1);
    source.next(2);
    source.complete();
    expect(consumer.completed).toBe(false);
    release();
    expect(consumer.values).toEqual([1, 2]);
    expect(consumer.completed).toBe(true);
  });
});

describe('sources of projections', () => {
  test('are held while their results wait for the consumer', () => {
    const inner = new Eager(count());
    const consumer = new Consumer(of(1).pipe(mapWithBackpressure(() => inner.source)));
    let release: (() => void) | undefined;
    consumer.onNext = () => {
      release = consumer.flows.hold('slow');
    };
    consumer.start();
    for (let taken = 1; taken < 20; taken++) {
      expect(consumer.values).toEqual(numbers(taken));
      expect(inner.emitted).toBeLessThanOrEqual(taken + 1);
      release?.();
    }
    consumer.stop();
  });

  test('are held individually while their results wait for their turn', () => {
    const probes = [new Probe(), new Probe(), new Probe()];
    const project = (n: number) => (probes[n] as Probe).source;
    const consumer = new Consumer(from(numbers(3)).pipe(mapWithBackpressure(project, { concurrency: 3 }))).start();
    const held = () => probes.map((probe) => probe.held[0]);
    for (const probe of probes.slice(0, 2)) probe.next(1);
    expect(held()).toEqual([false, true, false]);
    probes[0]?.complete();
    expect(held()).toEqual([undefined, false, false]);
    expect(consumer.values).toEqual([1, 1]);
    consumer.stop();
    expect(probes.flatMap((probe) => probe.live)).toEqual([]);
  });

  test('that deliver synchronously on release and complete are emitted to the end', () => {
    const subscribed = new Subject<void>();
    const inner = flowable<number>((subscriber, join) => {
      const waiting = [2, 3];
      const flow = new Holds((held) => {
        if (held) return;
        for (const n of waiting.splice(0)) subscriber.next(n);
        subscriber.complete();
      });
      join(flow);
      subscriber.add(
        subscribed.subscribe(() => {
          subscriber.next(0);
          subscriber.next(1);
        }),
      );
    });
    const consumer = new Consumer(of(1).pipe(mapWithBackpressure(() => inner)));
    let release: (() => void) | undefined;
    consumer.onNext = (n) => {
      if (n === 0) release = consumer.flows.hold('slow');
    };
    consumer.start();
    subscribed.next();
    expect(consumer.values).toEqual([0]);
    release?.();
    expect(consumer.values).toEqual([0, 1, 2, 3]);
    expect(consumer.completed).toBe(true);
  });

  test('that never end are unsubscribed when the consumer has enough', () => {
    let emitted = 0;
    function* endless() {
      for (;;) yield emitted++;
    }
    const consumer = new Consumer(of(1).pipe(mapWithBackpressure(endless), take(3))).start();
    expect(consumer.values).toEqual([0, 1, 2]);
    expect(emitted).toBeLessThan(5);
  });

  test('may be promises, and may be empty', async () => {
    const result = from([1, 2, 3]).pipe(mapWithBackpressure((n) => (n === 2 ? EMPTY : Promise.resolve(n))));
    const values: number[] = [];
    await result.forEach((n) => void values.push(n));
    expect(values).toEqual([1, 3]);
  });
});

describe('errors', () => {
  const failing = {
    throws: () => {
      throw 'bad';
    },
    rejects: () => Promise.reject('bad'),
    errors: () => throwError(() => 'bad'),
    'gives what is no input': () => 7 as unknown as Observable<number>,
  };
  test.each(Object.entries(failing))('a projection that %s ends the result and the source', async (_name, project) => {
    const source = new Probe();
    const consumer = new Consumer<number>(source.source.pipe(mapWithBackpressure(project))).start();
    source.next(1);
    await Promise.resolve();
    expect(consumer.error).toBeDefined();
    expect(source.live).toEqual([]);
    expect(consumer.flows.size).toBe(0);
  });

  test('a failed projection ends the others', () => {
    const other = new Probe();
    const bad = new Subject<number>();
    const inner = [other.source, bad];
    const project = (n: number) => inner[n] as Observable<number>;
    const consumer = new Consumer(from([0, 1]).pipe(mapWithBackpressure(project, { concurrency: 2 }))).start();
    expect(other.live).toHaveLength(1);
    bad.error('bad');
    expect(consumer.error).toBe('bad');
    expect(other.live).toEqual([]);
  });

  test.each([0, -1, 1.5, Number.NaN])('rejects concurrency %d', (concurrency) => {
    expect(() => mapWithBackpressure(() => EMPTY, { concurrency })).toThrow(RangeError);
  });

  test.each([0, -1, 1.5, Number.NaN])('rejects highWaterMark %d', (highWaterMark) => {
    expect(() => mapWithBackpressure(() => EMPTY, { highWaterMark })).toThrow(RangeError);
  });
});

test('unsubscribing ends the source and every projection, and starts none of the queued ones', () => {
  const source = new Probe();
  const inner = new Probe();
  const indices: number[] = [];
  const project = (_: number, index: number) => {
    indices.push(index);
    return inner.source;
  };
  const consumer = new Consumer(source.source.pipe(mapWithBackpressure(project, { concurrency: 2, highWaterMark: 1 })));
  consumer.start();
  for (let n = 0; n < 5; n++) source.next(n);
  const live = [...source.live, ...inner.live];
  expect(live).toHaveLength(3);
  consumer.flows.hold('slow');
  consumer.stop();
  expect([...source.live, ...inner.live]).toEqual([]);
  expect(live.filter(({ flow }) => flow.held)).toEqual([]);
  expect(indices).toEqual([0, 1]);
});
