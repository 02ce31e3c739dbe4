// Two sockets in memory behave like a real connection, on a clock that the test controls.
import { data, lines, on, ResetError, relay, SocketTimeoutError } from '@rxsock/core';
import { chunkings } from '@rxsock/core/fast-check';
import { type SocketPairOptions, socketPair, VirtualClock } from '@rxsock/core/testing';
import fc from 'fast-check';
import { concat, lastValueFrom, map, of, scan, timer, toArray, VirtualTimeScheduler } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { describe, expect, test } from 'vitest';
import { record } from '../../../../tests/support/record.js';

function pairOn(options: SocketPairOptions = {}) {
  const clock = new VirtualClock();
  const [a, b] = socketPair({ scheduler: clock, keepOpen: true, ...options });
  return { clock, a, b };
}

describe('as a connection', () => {
  test('is open at once, and carries bytes in both directions on the real clock', async () => {
    const [a, b] = socketPair();
    expect([a.readyState, b.readyState]).toEqual(['open', 'open']);
    const answers = lastValueFrom(a.pipe(data(), lines(), toArray()));
    b.pipe(
      data(),
      lines(),
      map((line) => `${line}!\n`),
    ).subscribe((answer) => b.next(answer));
    a.next('one\ntwo\n');
    a.complete();
    expect(await answers).toEqual(['one!', 'two!']);
    expect(await Promise.all([a.close(), b.close()])).toMatchObject([{ how: 'fin' }, { how: 'fin' }]);
  });

  test('a FIN ends one direction only, and a late reply still arrives', () => {
    const { clock, a, b } = pairOn({ allowHalfOpen: true });
    const heardByA = record(a);
    const heardByB = record(b);
    a.next('request');
    a.complete();
    clock.tick(30_000);
    expect(heardByB.log).toEqual(['connect', 'data', 'end']);
    expect(heardByA.log).toEqual(['connect', 'finish']);
    expect([a.readyState, b.readyState]).toEqual(['readOnly', 'writeOnly']);
    b.next('reply');
    b.complete();
    clock.tick(0);
    expect(heardByA.log).toEqual(['connect', 'finish', 'data', 'end', 'close', 'complete']);
    expect(heardByB.log).toEqual(['connect', 'data', 'end', 'finish', 'close', 'complete']);
  });

  test('one FIN is answered by another if half-open is not allowed', () => {
    const { clock, a, b } = pairOn();
    const received = [record(a), record(b)];
    b.complete();
    clock.tick(0);
    expect(received.map(({ log }) => log.slice(-3))).toEqual([
      ['finish', 'close', 'complete'],
      ['end', 'close', 'complete'],
    ]);
  });

  test('an abort is a reset at the other end, after the bytes before it', () => {
    const { clock, a, b } = pairOn({ latency: 10 });
    const received = record(b);
    const sender = record(a);
    a.next('part');
    clock.tick(0);
    a.error(new Error('enough'));
    clock.tick(9);
    expect(received.log).toEqual(['connect']);
    clock.tick(1);
    expect(received.log).toEqual(['connect', 'data', 'close', 'error:ECONNRESET']);
    expect(b.readyState).toBe('closed');
    expect(sender.log.at(-1)).toBe('error:ERR_SOCKET_ABORTED');
  });

  test('an abort drops queued writes', () => {
    const { clock, a, b } = pairOn({ bandwidth: 1000 });
    const received = record(b.pipe(data()));
    a.next(Buffer.alloc(100));
    a.next(Buffer.alloc(100));
    clock.tick(50);
    a.error();
    clock.tick(1000);
    expect(Buffer.concat(received.values)).toHaveLength(100);
    expect(received.log.at(-1)).toBe('error:ECONNRESET');
  });

  test('bytes for an end that has closed are answered with a reset', async () => {
    const { clock, a, b } = pairOn({ allowHalfOpen: true, latency: 10 });
    const received = record(b);
    const closed = a.close({ timeout: 100 });
    clock.tick(110);
    expect((await closed).how).toBe('timeout');
    expect(received.log).toEqual(['connect', 'end']);
    b.next('too late');
    clock.tick(19);
    expect(received.log).toEqual(['connect', 'end']);
    clock.tick(1);
    expect(received.log.at(-1)).toBe('error:ECONNRESET');
  });

  test('when both ends are closed nothing waits for bytes in flight', () => {
    const { clock, a, b } = pairOn({ latency: 3_600_000 });
    record(a);
    record(b);
    a.next('never to arrive');
    clock.tick(0);
    a.error();
    b.error();
    clock.tick(0);
    expect([a.readyState, b.readyState]).toEqual(['closed', 'closed']);
    expect(clock.actions).toEqual([]);
  });

  test('copies what is written', () => {
    const { clock, a, b } = pairOn({ latency: 10 });
    const received = record(b.pipe(data()));
    const bytes = Buffer.from('mine');
    a.next(bytes);
    clock.tick(1);
    bytes.fill(0);
    clock.tick(10);
    expect(received.log).toEqual(['mine']);
  });

  test('a held end makes the other wait, and its release lets it continue', () => {
    const { clock, a, b } = pairOn({ highWaterMark: 1000 });
    const received = record(a.pipe(data()));
    const drains = record(b.pipe(on('drain')));
    const release = a.hold('test');
    let written = 0;
    let room = true;
    while (room && written < 100_000) {
      room = b.next(Buffer.alloc(500));
      clock.tick(1);
      // A mark is reached in every turn. It stops the writer only where nothing is sent.
      if (!room && b.writableLength === 0) room = true;
      written += 500;
    }
    expect(room).toBe(false);
    expect(written).toBeLessThanOrEqual(3500);
    clock.tick(60_000);
    expect(drains.values).toEqual([]);
    expect(received.values).toEqual([]);
    release();
    clock.tick(0);
    expect(drains.log).toEqual(['drain']);
    expect(Buffer.concat(received.values)).toHaveLength(written);
  });

  test('two pairs form a line through relay()', () => {
    const clock = new VirtualClock();
    const options = { scheduler: clock, latency: 10, keepOpen: true };
    const [client, left] = socketPair(options);
    const [right, server] = socketPair(options);
    const relaying = record(relay(left, right));
    const received = record(server.pipe(data()));
    client.next('hello');
    client.complete();
    server.complete();
    clock.tick(20);
    expect(received.log).toEqual(['hello', 'complete']);
    expect(relaying.log).toEqual(['complete']);
  });
});

describe('the options of the second socket', () => {
  test('are those of the first, unless others are given', () => {
    const { clock, a, b } = pairOn({ idleTimeout: 1000 });
    expect([a.allowHalfOpen, b.allowHalfOpen]).toEqual([false, false]);
    const received = [record(a), record(b)];
    clock.tick(1000);
    for (const { log } of received) expect(log).toContain('timeout');
  });

  test('may differ', () => {
    const clock = new VirtualClock();
    const first = { scheduler: clock, keepOpen: true, idleTimeout: 1000 };
    const [a, b] = socketPair(first, { allowHalfOpen: true, idleTimeout: 0 });
    expect([a.allowHalfOpen, b.allowHalfOpen]).toEqual([false, true]);
    const received = [record(a), record(b)];
    clock.tick(1000);
    expect(received.map(({ log }) => log.includes('timeout'))).toEqual([true, false]);
  });

  test('are those of the first where they are undefined', () => {
    const clock = new VirtualClock();
    const first = { scheduler: clock, keepOpen: true, idleTimeout: 1000 };
    const received = socketPair(first, { scheduler: undefined, idleTimeout: undefined }).map(record);
    clock.tick(1000);
    for (const { log } of received) expect(log).toContain('timeout');
  });

  test('highWaterMark bounds what is on its way to that socket', () => {
    const written = (first: number, second: number) => {
      const clock = new VirtualClock();
      const options = { scheduler: clock, keepOpen: true, highWaterMark: first, latency: 1000 };
      const [a, b] = socketPair(options, { highWaterMark: second });
      record(b.pipe(data()));
      a.next(Buffer.alloc(100_000));
      clock.tick(1);
      a.next(Buffer.alloc(100_000));
      clock.tick(1);
      return 200_000 - a.writableLength;
    };
    expect(written(10, 1_000_000)).toBe(200_000);
    expect(written(1_000_000, 10)).toBe(0);
  });
});

describe('on virtual time', () => {
  test('nothing, FIN included, arrives before its latency, and then everything does', () => {
    const { clock, a, b } = pairOn({ latency: 50 });
    const received = record(b.pipe(data()));
    a.next('one');
    clock.tick(20);
    a.next('two');
    a.complete();
    clock.tick(29);
    expect(received.log).toEqual([]);
    clock.tick(1);
    expect(received.log).toEqual(['one']);
    clock.tick(19);
    expect(received.log).toEqual(['one']);
    clock.tick(1);
    expect(received.log).toEqual(['one', 'two', 'complete']);
  });

  test('a whole conversation is one flush, and no timeout fires in between', () => {
    const clock = new VirtualTimeScheduler();
    const [client, server] = socketPair({ latency: 50, scheduler: clock, idleTimeout: 101 });
    server.pipe(data(), lines()).subscribe({
      next: (line) => void server.next(`${line.toUpperCase()}\n`),
    });
    const answers = record(
      client.pipe(
        data(),
        lines(),
        map((line) => `${line} at ${clock.now()}`),
      ),
    );
    client.next('hello\n');
    client.complete();
    clock.flush();
    expect(answers.log).toEqual(['HELLO at 100', 'complete']);
    expect(clock.now()).toBeLessThan(200);
    expect([client.readyState, server.readyState]).toEqual(['closed', 'closed']);
    expect(clock.actions).toEqual([]);
  });

  test('a timeout of the engine runs on the virtual clock', () => {
    const { clock, a, b } = pairOn({ latency: 50, idleTimeout: 1000 });
    const silent = record(a);
    const other = record(b);
    clock.tick(1000);
    expect(silent.log.slice(1)).toEqual(['timeout', 'close', 'error:ETIMEDOUT']);
    return Promise.all([
      expect(silent.ended).resolves.toEqual({ error: expect.any(SocketTimeoutError) }),
      expect(other.ended).resolves.toEqual({ error: expect.any(Error) }),
    ]);
  });

  test('no scheduler is needed inside TestScheduler.run()', () => {
    const scheduler = new TestScheduler((actual, expected) => expect(actual).toEqual(expected));
    scheduler.run(({ expectObservable }) => {
      const [a, b] = socketPair({ latency: 50 });
      a.next('x');
      a.complete();
      expectObservable(b.pipe(data(), map(String))).toBe('50ms (x|)');
    });
  });

  test('bandwidth limits the bytes per second, in small portions, and delays drain until they are out', () => {
    const { clock, a, b } = pairOn({ bandwidth: 1000, latency: 5 });
    const sizes = record(
      b.pipe(
        data(),
        scan((sum, { length }) => sum + length, 0),
      ),
    );
    const drained = record(a.pipe(on('finish')));
    a.next(Buffer.alloc(500));
    a.complete();
    clock.tick(255);
    expect(sizes.values.at(-1)).toBe(250);
    clock.tick(244);
    expect(drained.values).toEqual([]);
    clock.tick(1);
    expect(drained.log.slice(0, 1)).toEqual(['finish']);
    expect(sizes.values.at(-1)).toBe(490);
    clock.tick(5);
    expect(sizes.log.slice(-2)).toEqual(['500', 'complete']);
  });

  test('slices arrive one by one, whatever their sizes', () => {
    const { clock, a, b } = pairOn({ slicer: { sizes: [1, 3] } });
    const received = record(b.pipe(data()));
    a.next('abcdefg');
    a.next('hi');
    a.complete();
    clock.tick(0);
    expect(received.log).toEqual(['a', 'bcd', 'e', 'fg', 'h', 'i', 'complete']);
  });

  test('a data limit is a FIN after that many bytes, and the other direction continues', () => {
    const { clock, a, b } = pairOn({ limitData: 4, allowHalfOpen: true });
    const received = record(b);
    const answers = record(a.pipe(data()));
    a.next('abc');
    a.next('def');
    a.complete();
    clock.tick(0);
    b.next('yes');
    b.complete();
    clock.tick(0);
    expect(received.log).toEqual(['connect', 'data', 'data', 'end', 'finish', 'close', 'complete']);
    expect(b.bytesRead).toBe(4);
    expect(answers.log).toEqual(['yes', 'complete']);
  });

  test.each([0, 4])('after %i bytes a reset ends both sides, and is never an end', async (reset) => {
    const { clock, a, b } = pairOn({ resetPeer: { bytes: reset } });
    const received = [record(a), record(b)];
    if (reset > 0) a.next('abcdef');
    clock.tick(0);
    expect([a.readyState, b.readyState]).toEqual(['closed', 'closed']);
    expect(b.bytesRead).toBe(reset);
    for (const { log, ended } of received) {
      expect(log).not.toContain('end');
      expect(await ended).toEqual({ error: expect.any(ResetError) });
    }
  });

  test('any chunking over any line yields the same bytes at the same time', () => {
    const bytes = Buffer.from(Array.from({ length: 200 }, (_, index) => index));
    const sizes = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(chunkings(bytes), sizes, fc.nat(3), (chunks, sizes, every) => {
        const clock = new VirtualTimeScheduler();
        const [a, b] = socketPair({
          scheduler: clock,
          slicer: { sizes },
          latency: 7,
          bandwidth: 10_000,
          highWaterMark: 64,
        });
        const received = record(b.pipe(data()));
        const writing = concat(...chunks.map((chunk) => concat(timer(every, clock), of(chunk))));
        let stop = 0;
        writing.subscribe({
          next: (chunk) => chunk !== 0 && void a.next(chunk as Uint8Array),
          complete: () => {
            a.complete();
            stop = clock.now();
          },
        });
        clock.flush();
        expect(Buffer.concat(received.values)).toEqual(bytes);
        expect(received.log.at(-1)).toBe('complete');
        expect(clock.now()).toBeGreaterThanOrEqual(Math.max(stop, 20) + 7 - 1e-6);
      }),
    );
  });
});

test('rejects invalid numbers', () => {
  for (const options of [
    { latency: -1 },
    { bandwidth: -1 },
    { slicer: { averageSize: 0 } },
    { slicer: { sizes: [] } },
    { slicer: { averageSize: 1.5 } },
    { limitData: -1 },
  ]) {
    expect(() => socketPair(options), JSON.stringify(options)).toThrow(RangeError);
  }
  expect(() => socketPair({ limitData: 1, resetPeer: {} })).toThrow(TypeError);
});
