// A pair, and the engine, on fake timers: those of Vitest, which are those of sinon and Jest, and those of node:test.
import { mock } from 'node:test';
import { connect, data, lines, mapWithBackpressure, SocketTimeoutError, writeTo } from '@rxsock/core';
import { type SocketPairOptions, socketPair } from '@rxsock/core/testing';
import { asyncScheduler, from, map, timer, VirtualTimeScheduler } from 'rxjs';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { opened, rawServer } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';
import { elapsedTime } from '../../src/base/clock.js';
import { spendTurn } from '../../src/base/turn-budget.js';

const never = () => {
  throw new Error('nothing is scheduled here');
};

const pair = (options: SocketPairOptions = {}) => socketPair({ keepOpen: true, ...options });

afterEach(() => {
  vi.useRealTimers();
  mock.timers.reset();
});

type Timers = [name: string, enable: () => void, pass: (milliseconds: number) => void];

const advance = (milliseconds: number) => void vi.advanceTimersByTime(milliseconds);

/** node:test sets its clock to the end of a tick before it runs the timers in it. */
const tick = (milliseconds: number) => {
  for (let passed = 0; passed < milliseconds; passed++) mock.timers.tick(1);
};

// In Node 20 an interval of node:test that is cleared in its own callback goes on, and RxJS does that.
const hasNodeTest = Number.parseInt(process.versions.node, 10) >= 22;
const nodeTest: Timers[] = hasNodeTest ? [['node:test', () => mock.timers.enable(), tick]] : [];

/** Each turn of a pair takes a millisecond of fake time, as setInterval() does. So many milliseconds are enough. */
const SOME_TURNS = 10;

describe.each<Timers>([
  ['Vitest', () => vi.useFakeTimers(), advance],
  [
    'Vitest without performance',
    () => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'] }),
    advance,
  ],
  ...nodeTest,
])('with the fake timers of %s', (_, enable, pass) => {
  beforeEach(enable);

  test('bytes and FIN arrive when their latency has passed', () => {
    const [a, b] = pair({ latency: 50 });
    const received = record(b.pipe(data(), lines()));
    a.next('one\ntwo\n');
    a.complete();
    pass(49);
    expect(received.log).toEqual([]);
    pass(1 + SOME_TURNS);
    expect(received.log).toEqual(['one', 'two', 'complete']);
  });

  test('a limited bandwidth needs its time', () => {
    const [a, b] = pair({ bandwidth: 1000, slicer: { averageSize: 100 } });
    const received = record(
      b.pipe(
        data(),
        map(({ length }) => length),
      ),
    );
    a.next(Buffer.alloc(1000));
    pass(500 + SOME_TURNS);
    expect(received.values).toHaveLength(5);
    pass(500 + SOME_TURNS);
    expect(received.values).toHaveLength(10);
  });

  test('the time limits of the engine expire when theirs has passed', async () => {
    const [a, b] = pair({ idleTimeout: 10_000 });
    const received = record(a);
    record(b);
    pass(6000);
    a.next('still here');
    pass(9999);
    expect(received.log).toEqual(['connect']);
    pass(1 + SOME_TURNS);
    expect(received.log.slice(1)).toEqual(['timeout', 'close', 'error:ETIMEDOUT']);
    expect((await received.ended).error).toBeInstanceOf(SocketTimeoutError);
  });

  test('what a consumer does later holds the peer as long', () => {
    const [a, b] = pair({ highWaterMark: 16 });
    const received = record(
      b.pipe(
        data(),
        lines(),
        mapWithBackpressure((line) => timer(100).pipe(map(() => line))),
      ),
    );
    from(['a\n', 'b\n', 'c\n']).pipe(writeTo(a)).subscribe();
    pass(250);
    expect(received.log).toEqual(['a', 'b']);
    pass(1000);
    expect(received.log).toEqual(['a', 'b', 'c', 'complete']);
  });

  test('a promise of the socket settles when the time has passed', async () => {
    const [a, b] = pair({ latency: 10 });
    record(b);
    const report = a.close();
    pass(100);
    const { how, duration } = await report;
    expect(how).toBe('fin');
    expect(duration).toBeGreaterThanOrEqual(20);
    expect(duration).toBeLessThanOrEqual(20 + SOME_TURNS);
  });

  test('the clock is that of the fake timers, as long as there are any', () => {
    const before = elapsedTime(asyncScheduler);
    pass(10_000);
    expect(elapsedTime(asyncScheduler) - before).toBe(10_000);
    vi.useRealTimers();
    mock.timers.reset();
    const started = performance.now();
    const elapsed = elapsedTime(asyncScheduler);
    expect(elapsed).toBeGreaterThanOrEqual(started);
    expect(elapsed).toBeLessThanOrEqual(performance.now());
  });

  test('virtual time is that of its scheduler, also where it is close to the fake date', () => {
    const scheduler = new VirtualTimeScheduler();
    const offset = Date.now();
    const times: number[] = [];
    const sample = () => times.push(elapsedTime({ now: () => offset + scheduler.now(), schedule: never }));
    for (const at of [20, 30]) scheduler.schedule(sample, at);
    scheduler.flush();
    expect(times).toEqual([offset + 20, offset + 30]);
  });

  test('a connection over the network goes on by itself', async () => {
    const server = await rawServer((peer) => peer.pipe(peer));
    const socket = connect({ port: server.port, host: '127.0.0.1', keepOpen: true });
    await opened(socket);
    const received = record(socket.pipe(data()));
    // More than the engine writes in one turn of the event loop.
    for (let chunk = 0; chunk < 64; chunk++) socket.next(Buffer.alloc(65_536));
    socket.complete();
    await received.ended;
    expect(Buffer.concat(received.values)).toHaveLength(64 * 65_536);
  });
});

test('a turn that begins with fake timers ends although they are switched off', async () => {
  vi.useFakeTimers();
  while (spendTurn(65_536));
  vi.useRealTimers();
  await new Promise(setImmediate);
  expect(spendTurn(1)).toBe(true);
});

test('a fake date alone does not stop the time', () => {
  const before = elapsedTime(asyncScheduler);
  const fakes = [() => vi.useFakeTimers({ toFake: ['Date'] }), () => mock.timers.enable({ apis: ['Date'] })];
  for (const fake of fakes) {
    fake();
    const elapsed = elapsedTime(asyncScheduler);
    vi.useRealTimers();
    mock.timers.reset();
    expect(elapsed).toBeGreaterThanOrEqual(before);
    expect(elapsed).toBeLessThanOrEqual(performance.now());
  }
});
