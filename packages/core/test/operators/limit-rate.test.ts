// limitRate(): how many bytes pass, and when; what waits holds the source and is not lost.
import { data, flowFrom, limitRate, mapWithBackpressure } from '@rxsock/core';
import { socketPair, VirtualClock } from '@rxsock/core/testing';
import { type SchedulerAction, Subject, type Subscription, take } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { pair } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';
import { turns } from '../../../../tests/support/turns.js';
import { LONGEST_TIMER } from '../../src/base/deadline.js';
import { NarrowClock } from '../support/narrow-clock.js';

/** A source that a test feeds, at 10 bytes a second in virtual time. */
function limited(options: Partial<Parameters<typeof limitRate>[0]> = {}) {
  const scheduler = new VirtualClock();
  const source = new Subject<Uint8Array>();
  const { log, subscription } = record(source.pipe(limitRate({ bytes: 10, scheduler, ...options })));
  const feed = (text: string) => source.next(Buffer.from(text));
  return { scheduler, source, log, subscription, feed };
}

/** Its timers fire too late. */
class LateClock extends VirtualClock {
  /** In milliseconds. */
  lateness = 0;

  override schedule<T>(work: (this: SchedulerAction<T>, state?: T) => void, delay = 0, state?: T): Subscription {
    return super.schedule(work, delay + this.lateness, state);
  }
}

describe('the rate', () => {
  test('a burst passes at once, and then each chunk when its time has come', () => {
    const { scheduler, log, feed } = limited();
    for (const text of ['abcdefghij', 'klmno', 'pq']) feed(text);
    expect(log).toEqual(['abcdefghij']);
    scheduler.tick(499);
    expect(log).toHaveLength(1);
    scheduler.tick(1);
    expect(log).toEqual(['abcdefghij', 'klmno']);
    scheduler.tick(199);
    expect(log).toHaveLength(2);
    scheduler.tick(1);
    expect(log).toEqual(['abcdefghij', 'klmno', 'pq']);
    expect(scheduler.actions).toEqual([]);
  });

  test('a pause saves no more than one burst', () => {
    const { scheduler, log, feed } = limited({ burst: 4 });
    scheduler.tick(60_000);
    feed('abcd');
    feed('e');
    expect(log).toEqual(['abcd']);
    scheduler.tick(100);
    expect(log).toEqual(['abcd', 'e']);
  });

  test('a chunk that is longer than a burst is cut', () => {
    const { scheduler, log, feed } = limited({ burst: 4 });
    feed('abcdefghij');
    expect(log).toEqual(['abcd']);
    scheduler.tick(400);
    expect(log).toEqual(['abcd', 'efgh']);
    scheduler.tick(200);
    expect(log).toEqual(['abcd', 'efgh', 'ij']);
  });

  test('a piece can be moved to another thread without the rest of its chunk', () => {
    const scheduler = new VirtualClock();
    const source = new Subject<Uint8Array>();
    const pieces: string[] = [];
    source.pipe(limitRate({ bytes: 10_000, scheduler })).subscribe((piece) => {
      const moved = structuredClone(piece, { transfer: [piece.buffer as ArrayBuffer] });
      pieces.push(`${moved.length}${String.fromCharCode(...new Set(moved))}`);
    });
    source.next(new Uint8Array(25_000).fill(97));
    scheduler.tick(1_500);
    expect(pieces).toEqual(['10000a', '10000a', '5000a']);
  });

  test('per is the time for so many bytes', () => {
    const { scheduler, log, feed } = limited({ per: 100 });
    feed('abcdefghij');
    feed('k');
    scheduler.tick(9);
    expect(log).toHaveLength(1);
    scheduler.tick(1);
    expect(log).toHaveLength(2);
  });

  test('timers that are late do not lower the rate, but a long standstill does', () => {
    const scheduler = new LateClock();
    const { log, feed } = limited({ bytes: 1000, burst: 10, scheduler });
    const passed = () => log.join('').length;
    feed('x'.repeat(1_000_000));
    scheduler.lateness = 15;
    scheduler.tick(10_000);
    expect(passed()).toBeGreaterThan(9_900);
    expect(passed()).toBeLessThanOrEqual(10_010);
    const before = passed();
    scheduler.lateness = 1000;
    scheduler.tick(10_000);
    // A tenth of a second is made up for each time.
    expect(passed() - before).toBeLessThan(1_300);
  });

  test('over a minute, however the bytes come, the rate is right', () => {
    const { scheduler, log, feed } = limited({ burst: 3 });
    for (let i = 0; i < 200; i++) feed('x'.repeat(1 + (i % 7)));
    scheduler.tick(60_000);
    expect(log.join('').length).toBeLessThanOrEqual(603);
    expect(log.join('').length).toBeGreaterThan(590);
  });
});

describe('the clock', () => {
  /** Three bytes from a socket in memory, at one a second. */
  function threeBytes(options: { scheduler?: VirtualClock } = {}) {
    const clock = new VirtualClock();
    const [socket, peer] = socketPair({ scheduler: clock });
    const { log } = record(socket.pipe(data(), limitRate({ bytes: 1, ...options })));
    peer.next('abc');
    clock.tick(0);
    expect(log).toEqual(['a']);
    return { clock, log };
  }

  test('is that of the socket whose data() comes directly before', () => {
    const { clock, log } = threeBytes();
    clock.tick(1000);
    expect(log).toEqual(['a', 'b']);
    clock.tick(1000);
    expect(log).toEqual(['a', 'b', 'c']);
  });

  test('is another scheduler that is given', () => {
    const scheduler = new VirtualClock();
    const { clock, log } = threeBytes({ scheduler });
    clock.tick(60_000);
    expect(log).toEqual(['a']);
    scheduler.tick(1000);
    expect(log).toEqual(['a', 'b']);
  });
});

describe('the end', () => {
  test('completes when everything has passed', () => {
    const { scheduler, source, log, feed } = limited();
    feed('abcdefghij');
    feed('k');
    source.complete();
    expect(log).toEqual(['abcdefghij']);
    scheduler.tick(100);
    expect(log).toEqual(['abcdefghij', 'k', 'complete']);
  });

  test('an error comes after the bytes before it', () => {
    const { scheduler, source, log, feed } = limited();
    feed('abcdefghij');
    feed('k');
    source.error(new Error('broken'));
    expect(log).toEqual(['abcdefghij']);
    scheduler.tick(100);
    expect(log).toEqual(['abcdefghij', 'k', 'error:Error: broken']);
  });

  test('an abort of this side comes at once', async () => {
    const { socket, peer } = await pair();
    const { log, ended } = record(socket.pipe(data(), limitRate({ bytes: 1 })));
    peer.write('abc');
    await expect.poll(() => log).toEqual(['a']);
    socket.error(new Error('enough'));
    await ended;
    expect(log).toEqual(['a', 'error:ERR_SOCKET_ABORTED']);
  });

  test('who leaves gives back what has not passed', async () => {
    const { socket, peer } = await pair({ keepOpen: true });
    const scheduler = new VirtualClock();
    const first = record(socket.pipe(data(), limitRate({ bytes: 2, scheduler }), take(1)));
    peer.write('abcdef');
    await expect.poll(() => first.log).toEqual(['ab', 'complete']);
    const { log } = record(socket.pipe(data()));
    await expect.poll(() => log).toEqual(['cdef']);
  });
});

test('who leaves while bytes wait leaves no timer', () => {
  const { scheduler, log, subscription, feed } = limited();
  feed('abcdefghij');
  feed('k');
  expect(scheduler.actions).toHaveLength(1);
  subscription.unsubscribe();
  expect([log, scheduler.actions]).toEqual([['abcdefghij'], []]);
});

describe('backpressure', () => {
  test('holds the socket while bytes wait, and names itself', async () => {
    const { socket, peer } = await pair();
    record(socket.pipe(data(), limitRate({ bytes: 1000, scheduler: new VirtualClock() })));
    for (let i = 0; i < 20; i++) peer.write(Buffer.alloc(1_000_000));
    await expect.poll(() => socket.holds).toEqual(['limitRate']);
    await turns();
    expect(socket.bytesRead).toBeLessThan(4 * 65_536);
  });

  test('a consumer that holds stops it, and does not make it faster afterwards', async () => {
    const scheduler = new VirtualClock();
    const gate = new Subject<void>();
    const chunks = Array.from({ length: 100 }, () => Buffer.alloc(10));
    const { values } = record(
      flowFrom(chunks).pipe(
        limitRate({ bytes: 10, scheduler }),
        mapWithBackpressure(() => gate, { concurrency: 1, highWaterMark: 1 }),
      ),
    );
    for (let second = 0; second < 20; second++) {
      await turns();
      scheduler.tick(1000);
    }
    gate.next();
    await turns();
    expect(values.length).toBeLessThan(5);
  });

  test('fails when too much waits and the source cannot be held', () => {
    const { log, source } = limited();
    for (let i = 0; i < 66; i++) source.next(Buffer.alloc(1024 * 1024));
    expect(log.at(-1)).toBe('error:ERR_BACKPRESSURE_OVERFLOW');
  });

  test('bytes that have passed do not wait any more', () => {
    const { log, source, scheduler } = limited({ bytes: 1024 * 1024 });
    for (let i = 0; i < 66; i++) {
      source.next(Buffer.alloc(1024 * 1024));
      scheduler.tick(1000);
    }
    expect(log).toHaveLength(66);
  });
});

test.each([
  [{}, TypeError, 'bytes must be'],
  [{ bytes: 0 }, RangeError, 'bytes must be'],
  [{ bytes: 10, per: 0 }, RangeError, 'per must be more than 0 ms'],
  [{ bytes: 10, burst: 1.5 }, RangeError, 'burst must be'],
  [{ bytes: 10, scheduler: null }, TypeError, 'scheduler must be'],
  [{ bytes: 10, scheduler: 5 }, TypeError, 'scheduler must be'],
])('refuses %j', (options, type, message) => {
  expect(() => limitRate(options as never)).toThrow(type);
  expect(() => limitRate(options as never)).toThrow(message);
});

test('a chunk may wait longer than a timer can', () => {
  const scheduler = new NarrowClock();
  const { log, feed } = limited({ bytes: 1, per: LONGEST_TIMER, burst: 3, scheduler });
  for (const text of ['abc', 'de']) feed(text);
  scheduler.tick(2 * LONGEST_TIMER - 1);
  expect(log).toEqual(['abc']);
  scheduler.tick(1);
  expect(log).toEqual(['abc', 'de']);
});
