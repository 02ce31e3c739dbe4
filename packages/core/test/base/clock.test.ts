// Time limits and durations when somebody sets the wall clock.
import { listen, on, reconnect, type Socket } from '@rxsock/core';
import { socketPair } from '@rxsock/core/testing';
import { asyncScheduler, firstValueFrom } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { afterEach, expect, test, vi } from 'vitest';
import { dial, pair, rawClient, rawServer } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';
import { elapsedTime, hasVirtualTime } from '../../src/base/clock.js';
import { Deadline } from '../../src/base/deadline.js';

const HOUR = 3_600_000;
const wallClock = Date.now;

/** Sets the wall clock ahead, or back if `milliseconds` is negative. */
function setClockBy(milliseconds: number): void {
  vi.spyOn(Date, 'now').mockImplementation(() => wallClock() + milliseconds);
}

afterEach(() => {
  vi.restoreAllMocks();
});

test.each([HOUR, -HOUR])('a step of the wall clock by %i ms does not change the elapsed time', (step) => {
  const before = elapsedTime(asyncScheduler);
  setClockBy(step);
  const elapsed = elapsedTime(asyncScheduler) - before;
  expect(elapsed).toBeGreaterThanOrEqual(0);
  expect(elapsed).toBeLessThan(HOUR / 2);
});

test.each([HOUR, -HOUR, 60])('a step by %i ms between two readings of the clock is not virtual time', (step) => {
  const before = elapsedTime(asyncScheduler);
  for (const read of [elapsedTime, hasVirtualTime]) {
    setClockBy(step);
    vi.mocked(Date.now).mockImplementationOnce(wallClock);
    const result = read(asyncScheduler);
    if (result === false) continue;
    expect(Number(result) - before).toBeGreaterThanOrEqual(0);
    expect(Number(result) - before).toBeLessThan(HOUR / 2);
  }
});

test('a deadline expires although the wall clock was set back', async () => {
  await new Promise<void>((resolve) => {
    new Deadline(asyncScheduler, 20, resolve).start();
    setClockBy(-HOUR);
  });
});

test('a deadline that was restarted does not expire early because the wall clock was set ahead', async () => {
  const started = performance.now();
  await new Promise<void>((resolve) => {
    const deadline = new Deadline(asyncScheduler, 200, resolve);
    deadline.start();
    setTimeout(() => {
      deadline.touch();
      setClockBy(HOUR);
    }, 100);
  });
  expect(performance.now() - started).toBeGreaterThanOrEqual(295);
});

test.each<[string, () => Promise<Socket>]>([
  ['idleTimeout', async () => (await pair({ idleTimeout: 50 })).socket],
  ['connectTimeout', async () => dial({ port: 1, host: 'somewhere', lookup: () => {}, connectTimeout: 50 })],
])('%s expires although the wall clock was set back', async (timeout, make) => {
  const { ended } = record(await make());
  setClockBy(-HOUR);
  expect((await ended).error).toMatchObject({ code: 'ETIMEDOUT', timeout });
});

test('close({ drain }) ends although the wall clock was set back', async () => {
  const server = listen();
  const { values } = record(server);
  const { address } = await firstValueFrom(server.pipe(on('listening')));
  rawClient(address.port);
  await expect.poll(() => values).toHaveLength(2);
  const closed = server.close({ drain: 50 });
  setClockBy(-HOUR);
  await closed;
});

test.each([HOUR, -HOUR])('a step of the wall clock by %i ms is not in the duration of a report', async (step) => {
  const { socket } = await pair();
  setClockBy(step);
  socket.error();
  const { duration } = await socket.close();
  expect(duration).toBeGreaterThanOrEqual(0);
  expect(duration).toBeLessThan(HOUR / 2);
});

test('a connection that was open for a short time does not reset the backoff because the clock was set', async () => {
  const server = await rawServer();
  const reconnecting = reconnect(() => dial({ port: server.port }), { backoff: { initial: 1, jitter: 0 } });
  const { values } = record(reconnecting);
  const retries = () => values.flatMap((event) => (event.type === 'retry' ? [event.attempt] : []));
  (await server.next()).end();
  await expect.poll(retries).toEqual([1]);
  const second = await server.next();
  await expect.poll(() => reconnecting.readyState).toBe('open');
  setClockBy(HOUR);
  second.end();
  await expect.poll(retries).toEqual([1, 2]);
  reconnecting.error();
});

test('a connection in memory delivers in time although the wall clock was set back', async () => {
  const [one, other] = socketPair({ latency: 5, bandwidth: 1_000_000 });
  const { values } = record(other.pipe(on('data')));
  one.next('a');
  setClockBy(-HOUR);
  one.next('b');
  await expect.poll(() => values.map(({ data }) => `${data}`).join('')).toBe('ab');
  one.error();
});

test('with virtual time the clock is that of the scheduler', () => {
  const scheduler = new TestScheduler(() => {});
  scheduler.run(() => {
    expect(hasVirtualTime(asyncScheduler)).toBe(true);
    const before = elapsedTime(asyncScheduler);
    asyncScheduler.schedule(() => expect(elapsedTime(asyncScheduler) - before).toBe(HOUR), HOUR);
    scheduler.flush();
  });
});
