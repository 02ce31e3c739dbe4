// Whatever is between a socket and a slow consumer: queues stay under their limits, the peer has to wait while it
// offers far more, and nothing is lost or reordered when the consumer continues.
import { mapWithBackpressure } from '@rxsock/core';
import fc from 'fast-check';
import {
  catchError,
  concat,
  connect,
  dematerialize,
  distinctUntilChanged,
  filter,
  finalize,
  from,
  groupBy,
  map,
  materialize,
  merge,
  mergeAll,
  mergeMap,
  NEVER,
  type Observable,
  type OperatorFunction,
  of,
  publish,
  refCount,
  scan,
  share,
  switchMap,
  takeWhile,
  tap,
  throwError,
  window,
} from 'rxjs';
import { expect, test } from 'vitest';
import { checkProperty, runs } from '../support/property.js';
import { Feed, LEAST, mapper, puller, standstill, type Taker } from './backpressure-model.js';

/** Operators that change nothing. */
const passing: Record<string, OperatorFunction<string, string>> = {
  map: map((line) => line),
  filter: filter(() => true),
  tap: tap(() => {}),
  scan: scan((_, line: string) => line, ''),
  distinctUntilChanged: distinctUntilChanged(),
  takeWhile: takeWhile(() => true),
  finalize: finalize(() => {}),
  catchError: catchError((error: unknown) => throwError(() => error)),
  'materialize, dematerialize': (source) => source.pipe(materialize(), dematerialize()),
  mergeMap: mergeMap((line) => of(line)),
  switchMap: switchMap((line) => of(line)),
  'groupBy, mergeAll': (source) =>
    source.pipe(
      groupBy((line) => line.length),
      mergeAll(),
    ),
  'window, mergeAll': (source) => source.pipe(window(NEVER), mergeAll()),
  share: share(),
  connect: connect((shared) => shared),
  'publish, refCount': (source) => source.pipe(publish(), refCount() as OperatorFunction<string, string>),
};

/** Ways to combine several sources into one. */
const joining: Record<string, (feeds: readonly Feed[]) => Observable<string>> = {
  merge: (feeds) => merge(...feeds.map(({ lines }) => lines)),
  mergeMap: (feeds) => from(feeds).pipe(mergeMap(({ lines }) => lines)),
  concat: (feeds) => concat(...feeds.map(({ lines }) => lines)),
  switchMap: (feeds) => of(feeds).pipe(switchMap((all) => merge(...all.map(({ lines }) => lines)))),
  'mapWithBackpressure, ordered': (feeds) =>
    from(feeds).pipe(mapWithBackpressure(({ lines }) => lines, { concurrency: feeds.length })),
  'mapWithBackpressure, unordered': (feeds) =>
    from(feeds).pipe(mapWithBackpressure(({ lines }) => lines, { concurrency: feeds.length, ordered: false })),
};
const inOrder = ['concat', 'mapWithBackpressure, ordered'];

const taking: Record<string, (source: Observable<string>, highWaterMark: number, concurrency: number) => Taker> = {
  toAsyncIterable: (source, highWaterMark) => puller(source, highWaterMark),
  // Unlike the pull, it must queue one value at least.
  mapWithBackpressure: (source, highWaterMark, concurrency) =>
    mapper(source, { highWaterMark: Math.max(1, highWaterMark), concurrency }),
};

const feedOptions = fc.record({
  lineLength: fc.integer({ min: 256, max: 8192 }),
  socket: fc.record({ highWaterMark: fc.constantFrom(1, 1024, 16_384, 65_536, 262_144) }),
  framing: fc.constantFrom('ours' as const, 'foreign' as const),
  failures: fc.oneof(
    { weight: 3, arbitrary: fc.constant(0) },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: 2 }) },
  ),
  failAt: fc.integer({ min: 0, max: LEAST - 1 }),
  forwarded: fc.oneof({ weight: 3, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  operators: fc.array(fc.constantFrom(...Object.keys(passing)), { maxLength: 5 }),
});

const scenario = fc.record({
  feeds: fc.array(feedOptions, { minLength: 1, maxLength: 3 }),
  join: fc.constantFrom(...Object.keys(joining)),
  consumer: fc.constantFrom(...Object.keys(taking)),
  highWaterMark: fc.integer({ min: 0, max: 40 }),
  concurrency: fc.integer({ min: 1, max: 4 }),
  takes: fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 3 }),
});

/** The number at the start of a line; the rest is padding. */
const named = (line: string) => line.slice(0, line.indexOf(' '));

const property = fc.asyncProperty(
  scenario,
  async ({ feeds: options, join, consumer, highWaterMark, concurrency, takes }) => {
    const feeds = await Promise.all(
      options.map((each, id) => {
        const operators = each.operators.map((name) => passing[name] as OperatorFunction<string, string>);
        return new Feed(id, { ...each, operators }).start();
      }),
    );
    const source = joining[join]?.(feeds) as Observable<string>;
    const taker = taking[consumer]?.(source, highWaterMark, concurrency) as Taker;
    try {
      for (const count of takes) {
        await taker.take(count);
        await standstill(feeds);
        const waiting = feeds.reduce((sum, { left }) => sum + left, 0) - taker.taken.length;
        const burst = feeds.reduce((sum, feed) => sum + feed.burst, 0);
        expect(waiting, 'lines that wait').toBeLessThanOrEqual(taker.limit + burst);
      }
      for (const feed of feeds) feed.stop();
      await taker.take(Number.POSITIVE_INFINITY);

      expect(taker.ended).toBe(true);
      const taken = taker.taken.map(named);
      const expected = feeds.map((feed) => feed.expected);
      if (inOrder.includes(join)) expect(taken).toEqual(expected.flat());
      const byFeed = feeds.map(({ id }) => taken.filter((name) => name.startsWith(`${id}/`)));
      expect(byFeed).toEqual(expected);
    } finally {
      await taker.stop();
      await Promise.all(feeds.map((feed) => feed.close()));
    }
    const readers = feeds.flatMap((feed) => feed.readers);
    expect(readers.flatMap(({ socket }) => [...socket.holds])).toEqual([]);
  },
);

test(
  'a slow consumer stops the peers, within its limits, and loses nothing',
  () => checkProperty(property, { numRuns: Math.ceil(runs / 4), timeout: 30_000 }),
  30_000 + runs * 1000,
);
