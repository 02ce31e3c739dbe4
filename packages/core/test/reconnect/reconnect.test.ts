// reconnect(): one connection after another.
import type { LookupFunction } from 'node:net';
import { connect, on, type ReconnectEvent, reconnect } from '@rxsock/core';
import { VirtualClock } from '@rxsock/core/testing';
import { firstValueFrom, map, retry, take } from 'rxjs';
import { describe, expect, test, vi } from 'vitest';
import { closedPort, drainRaw, rawServer } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';
import { turns } from '../../../../tests/support/turns.js';
import { answers } from '../support/dials.js';
import { reconnectingTo, recordEvents } from '../support/reconnecting.js';

const retries = (values: unknown[]) => (values as ReconnectEvent[]).filter(({ type }) => type === 'retry');

describe('a lost connection', () => {
  test.each([
    ['by FIN', (peer: { end(): void }) => peer.end(), ['connect', 'end', 'finish', 'disconnect', 'retry'], undefined],
    [
      'by a reset',
      (peer: { resetAndDestroy(): void }) => peer.resetAndDestroy(),
      ['connect', 'disconnect', 'retry'],
      'ECONNRESET',
    ],
  ])('is followed by another in the same stream, after %s', async (_how, cut, expected, code) => {
    const server = await rawServer();
    const setup = reconnectingTo(server.port);
    const { eventTypes, values, log } = recordEvents(setup);
    const first = await server.next();
    first.write('one');
    await expect.poll(eventTypes).toContain('data');
    cut(first as never);
    await expect.poll(eventTypes).toContain('retry');
    expect(eventTypes().filter((entry) => entry !== 'data')).toEqual(expected);
    const lost = (values as ReconnectEvent[]).find(({ type }) => type === 'disconnect');
    expect(lost).toMatchObject({ report: { bytesRead: 3 } });
    expect((lost as { error?: { code?: string } }).error?.code).toBe(code);
    expect(setup.reconnecting.readyState).toBe('waiting');
    expect(record(setup.reconnecting).log).toEqual([]);
    setup.clock.tick(100);
    (await server.next()).write('two');
    await expect.poll(() => log.filter((entry) => entry === 'data')).toHaveLength(2);
    expect(values.at(-1)).toEqual({ type: 'data', data: Buffer.from('two') });
    expect(setup.reconnecting.readyState).toBe('open');
  });

  test('is followed by another on the real clock too', async () => {
    const server = await rawServer((peer) => peer.end());
    const reconnecting = reconnect(() => connect({ host: '127.0.0.1', port: server.port }), {
      backoff: { initial: 1 },
    });
    const { subscription } = record(reconnecting);
    await server.next();
    await server.next();
    subscription.unsubscribe();
  });

  test('with allowHalfOpen also counts as lost when the peer has ended', async () => {
    const server = await rawServer();
    const { eventTypes } = recordEvents(reconnectingTo(server.port, {}, { allowHalfOpen: true }));
    (await server.next()).end();
    await expect.poll(eventTypes).toEqual(['connect', 'end', 'finish', 'disconnect', 'retry']);
  });

  test('later subscribers learn about the current connection', async () => {
    const server = await rawServer();
    const { reconnecting } = reconnectingTo(server.port);
    const connected = firstValueFrom(reconnecting.pipe(on('connect')));
    record(reconnecting);
    await connected;
    expect(record(reconnecting).log).toEqual(['connect']);
  });
});

test('a name that has no address at first is looked up again', async () => {
  const server = await rawServer();
  const lookups = [answers([]), answers([]), answers(['127.0.0.1'])];
  const lookup: LookupFunction = (...question) => lookups.shift()?.(...question);
  const setup = reconnectingTo(server.port, {}, { host: 'late.test', lookup });
  const { values, eventTypes } = recordEvents(setup);
  for (const attempt of [1, 2]) {
    await expect.poll(() => retries(values)).toHaveLength(attempt);
    setup.clock.tick(1000);
  }
  await expect.poll(eventTypes).toEqual(['disconnect', 'retry', 'disconnect', 'retry', 'connect']);
  expect(values[0]).toMatchObject({ type: 'disconnect', error: { code: 'ENOTFOUND' } });
});

describe('a server that never comes back', () => {
  test('is dialled with growing delays, maxRetries times, and then the socket fails', async () => {
    const setup = reconnectingTo(await closedPort(), {
      maxRetries: 4,
      backoff: { initial: 100, max: 500, factor: 3, jitter: 0 },
    });
    const { values, log, ended } = recordEvents(setup);
    for (let attempt = 1; attempt <= 4; attempt++) {
      await expect.poll(() => retries(values)).toHaveLength(attempt);
      setup.clock.tick(1000);
    }
    const { error } = await ended;
    expect(retries(values)).toEqual([100, 300, 500, 500].map((delay, i) => ({ type: 'retry', attempt: i + 1, delay })));
    expect(error).toMatchObject({
      name: 'ReconnectError',
      code: 'ERR_RECONNECT_EXHAUSTED',
      attempts: 4,
      cause: { name: 'ConnectError', code: 'ECONNREFUSED' },
    });
    expect(log.filter((entry) => entry === 'disconnect')).toHaveLength(5);
    expect(setup.reconnecting.readyState).toBe('closed');
    // A failed socket answers on the next turn, so that a retry of it does not spin.
    const late = record(setup.reconnecting.pipe(retry(2)));
    expect(late.log).toEqual([]);
    setup.clock.tick(0);
    expect(await late.ended).toEqual({ error });
  });

  test('is not taken for one that stayed open because a consumer held its end back', async () => {
    const clock = new VirtualClock();
    const server = await rawServer((peer) => peer.end('sorry, closed'));
    const reconnecting = reconnect(() => connect({ port: server.port, scheduler: clock }), {
      backoff: { initial: 100, jitter: 0, resetAfter: 1000 },
      maxRetries: 2,
      scheduler: clock,
    });
    const { values, ended } = record(reconnecting);
    for (const count of [1, 2, 3]) {
      const release = reconnecting.hold('slow');
      // The delay before this connection.
      clock.tick(count === 1 ? 0 : 50 * 2 ** (count - 1));
      await expect.poll(() => reconnecting.socket?.readyState).toBe('writeOnly');
      clock.tick(5000);
      release();
      clock.tick(0);
      await expect.poll(() => reconnecting.readyState).not.toBe('open');
      expect(retries(values).length).toBe(Math.min(count, 2));
    }
    expect(retries(values)).toMatchObject([
      { attempt: 1, delay: 100 },
      { attempt: 2, delay: 200 },
    ]);
    expect((await ended).error).toMatchObject({ code: 'ERR_RECONNECT_EXHAUSTED' });
  });

  test('with maxRetries 0 is dialled once', async () => {
    const { ended, eventTypes } = recordEvents(reconnectingTo(await closedPort(), { maxRetries: 0 }));
    expect((await ended).error).toMatchObject({ code: 'ERR_RECONNECT_EXHAUSTED', attempts: 0 });
    expect(eventTypes()).toEqual(['disconnect', 'error:ERR_RECONNECT_EXHAUSTED']);
  });

  test.each([
    ['unsubscribing', (_link: unknown, leave: () => void) => leave()],
    ['error()', (reconnecting: { error(): void }) => reconnecting.error()],
    ['complete()', (reconnecting: { complete(): void }) => reconnecting.complete()],
    ['close()', (reconnecting: { close(): Promise<void> }) => void reconnecting.close()],
  ])('is not dialled again after %s', async (_how, stop) => {
    let dials = 0;
    const port = await closedPort();
    const setup = reconnectingTo(() => {
      dials++;
      return port;
    });
    const { values, subscription } = recordEvents(setup);
    await expect.poll(() => retries(values)).toHaveLength(1);
    stop(setup.reconnecting as never, () => subscription.unsubscribe());
    setup.clock.tick(1e9);
    await turns();
    expect(dials).toBe(1);
  });

  test('is dialled again when the socket is subscribed again, starting from the first delay', async () => {
    const setup = reconnectingTo(await closedPort());
    const first = recordEvents(setup);
    await expect.poll(() => retries(first.values)).toHaveLength(1);
    setup.clock.tick(100);
    await expect.poll(() => retries(first.values)).toHaveLength(2);
    first.subscription.unsubscribe();
    setup.clock.tick(0);
    expect(setup.reconnecting.readyState).toBe('idle');
    const second = recordEvents(setup);
    await expect.poll(() => retries(second.values)).toEqual([{ type: 'retry', attempt: 1, delay: 100 }]);
  });
});

describe('backoff', () => {
  test('starts again after a connection that lasted, and continues after one that did not', async () => {
    const server = await rawServer();
    const setup = reconnectingTo(server.port);
    const { values } = recordEvents(setup);
    const cutAfter = async (milliseconds: number, count: number) => {
      const peer = await server.next();
      await expect.poll(() => setup.reconnecting.readyState).toBe('open');
      setup.clock.tick(milliseconds);
      peer.end();
      await expect.poll(() => retries(values)).toHaveLength(count);
      setup.clock.tick(1000);
    };
    await cutAfter(0, 1);
    await cutAfter(999, 2);
    await cutAfter(1000, 3);
    await cutAfter(0, 4);
    const expected = [1, 2, 1, 2].map((attempt) => ({ type: 'retry', attempt, delay: attempt * 100 }));
    expect(retries(values)).toEqual(expected);
  });

  test('grows from the first delay when a connection lasted and the server is then gone', async () => {
    const server = await rawServer();
    const closed = await closedPort();
    const ports = [server.port];
    const setup = reconnectingTo(() => ports.shift() ?? closed, { maxRetries: 5 });
    const { values, ended } = recordEvents(setup);
    const peer = await server.next();
    await expect.poll(() => setup.reconnecting.readyState).toBe('open');
    setup.clock.tick(2000);
    peer.resetAndDestroy();
    for (let attempt = 1; attempt <= 5; attempt++) {
      await expect.poll(() => retries(values)).toHaveLength(attempt);
      setup.clock.tick(1600);
    }
    const delays = [100, 200, 400, 800, 1600];
    expect(retries(values)).toEqual(delays.map((delay, index) => ({ type: 'retry', attempt: index + 1, delay })));
    expect((await ended).error).toMatchObject({ code: 'ERR_RECONNECT_EXHAUSTED', attempts: 5 });
  });

  test.each([
    [0, 1000],
    [0.5, 750],
    [1, 500],
  ])('applies the jitter: at %s a delay of 1,000 becomes %s', async (chance, delay) => {
    vi.spyOn(Math, 'random').mockReturnValue(chance);
    try {
      const { values } = recordEvents(reconnectingTo(await closedPort(), { backoff: { initial: 1000, jitter: 0.5 } }));
      await expect.poll(() => retries(values)).toEqual([{ type: 'retry', attempt: 1, delay }]);
    } finally {
      vi.restoreAllMocks();
    }
  });

  test('without a first delay retries on the next turn', async () => {
    const setup = reconnectingTo(await closedPort(), { backoff: { initial: 0 }, maxRetries: 3 });
    const { values, ended } = recordEvents(setup);
    for (let attempt = 1; attempt <= 3; attempt++) {
      await expect.poll(() => retries(values)).toHaveLength(attempt);
      expect(retries(values).at(-1)).toMatchObject({ delay: 0 });
      setup.clock.tick(0);
    }
    await ended;
  });
});

describe('errors that a retry would not repair', () => {
  const make = () => connect({ port: 1 });

  test.each([
    [() => reconnect(undefined as never), TypeError],
    [() => reconnect((() => ({})) as never), TypeError],
    [() => reconnect((async () => make()) as never), /not a promise/],
    [() => reconnect(() => connect({ port: 70_000 })), RangeError],
    [() => reconnect(make, { maxRetries: -1 }), /maxRetries/],
    [() => reconnect(make, { maxWriteBuffer: Number.NaN }), /maxWriteBuffer/],
    [() => reconnect(make, { overflow: 'drop' as never }), /overflow/],
    [() => reconnect(make, { backoff: { initial: -1 } }), /backoff.initial/],
    [() => reconnect(make, { backoff: { initial: 100, max: 99 } }), /backoff.max/],
    [() => reconnect(make, { backoff: { max: 2 ** 31 } }), /backoff.max/],
    [() => reconnect(make, { backoff: { factor: 0.5 } }), /backoff.factor/],
    [() => reconnect(make, { backoff: { jitter: 2 } }), /backoff.jitter/],
    [() => reconnect(make, { backoff: { resetAfter: Number.NaN } }), /backoff.resetAfter/],
  ])('rejects bad options at the call: %s', (call, error) => {
    expect(call).toThrow(error as never);
  });

  test('an address that Node rejects ends the socket at once', async () => {
    const lookup = ((_host, _options, found) => found(null, [{ address: 'nonsense', family: 4 }])) as LookupFunction;
    const setup = reconnectingTo(await closedPort(), {}, { host: 'somewhere', lookup });
    const { ended, eventTypes } = recordEvents(setup);
    expect((await ended).error).toMatchObject({ name: 'ConnectError', code: 'ERR_INVALID_IP_ADDRESS' });
    expect(eventTypes()).toEqual(['disconnect', 'error:ERR_INVALID_IP_ADDRESS']);
  });

  test('the signal of the dialled sockets, and an exception in a later call of the factory, end the socket', async () => {
    const server = await rawServer();
    const abort = new AbortController();
    const signalled = recordEvents(reconnectingTo(server.port, {}, { signal: abort.signal }));
    await server.next();
    abort.abort();
    expect((await signalled.ended).error).toMatchObject({ code: 'ERR_SOCKET_ABORTED' });
    const socket = connect({ host: '127.0.0.1', port: server.port });
    const setup = reconnectingTo(0);
    const reconnecting = reconnect(() => socket, { scheduler: setup.clock, backoff: { initial: 0 } });
    const { log, ended } = record(reconnecting);
    (await server.next()).end();
    await expect.poll(() => log).toContain('retry');
    setup.clock.tick(0);
    expect((await ended).error).toBeInstanceOf(TypeError);
    expect(reconnecting.readyState).toBe('closed');
  });

  test('a factory that returns the same socket again ends the socket', async () => {
    const server = await rawServer();
    const socket = connect({ host: '127.0.0.1', port: server.port });
    const reconnecting = reconnect(() => socket);
    const { log, subscription } = record(reconnecting);
    await expect.poll(() => log).toContain('connect');
    subscription.unsubscribe();
    await expect.poll(() => reconnecting.readyState).toBe('idle');
    expect(socket.readyState).not.toBe('closed');
    const { ended } = record(reconnecting);
    const refused = new TypeError(
      'The factory of reconnect() returned the same socket again: return a new one at each call',
    );
    expect((await ended).error).toEqual(refused);
  });

  test("the socket's signal aborts it while open, while waiting, and before it started", async () => {
    const server = await rawServer();
    const abort = new AbortController();
    const open = recordEvents(reconnectingTo(server.port, { signal: abort.signal }));
    const peer = await server.next();
    await expect.poll(open.eventTypes).toEqual(['connect']);
    const waiting = recordEvents(reconnectingTo(await closedPort(), { signal: abort.signal }));
    await expect.poll(waiting.eventTypes).toContain('retry');
    const reason = new Error('enough');
    abort.abort(reason);
    const never = reconnectingTo(server.port, { signal: abort.signal });
    for (const { ended } of [open, waiting]) {
      expect((await ended).error).toMatchObject({ name: 'AbortedError', code: 'ERR_SOCKET_ABORTED', cause: reason });
    }
    const { ended } = recordEvents(never);
    expect((await ended).error).toMatchObject({ code: 'ERR_SOCKET_ABORTED' });
    expect((await drainRaw(peer)).end).toBe('ECONNRESET');
    expect(server.peers).toHaveLength(1);
  });
});

describe('unsubscribing', () => {
  test('closes the connection gracefully, by the next turn and not before it', async () => {
    const server = await rawServer();
    const setup = reconnectingTo(server.port);
    const { eventTypes, subscription } = recordEvents(setup);
    const peer = await server.next();
    await expect.poll(eventTypes).toEqual(['connect']);
    subscription.unsubscribe();
    expect(setup.reconnecting.readyState).toBe('open');
    const second = recordEvents(setup);
    setup.clock.tick(1000);
    expect(second.eventTypes()).toEqual(['connect']);
    second.subscription.unsubscribe();
    setup.reconnecting.next('goodbye');
    setup.clock.tick(0);
    expect(setup.reconnecting.readyState).toBe('idle');
    expect(await drainRaw(peer)).toEqual({ bytes: Buffer.from('goodbye'), end: 'end' });
  });

  test.each([true, 60_000])(
    'closes the connection even if the dialled socket would be kept open (%s)',
    async (keepOpen) => {
      const server = await rawServer();
      const setup = reconnectingTo(server.port, {}, { keepOpen });
      const { eventTypes, subscription } = recordEvents(setup);
      const peer = await server.next();
      await expect.poll(eventTypes).toEqual(['connect']);
      subscription.unsubscribe();
      setup.clock.tick(0);
      expect((await drainRaw(peer)).end).toBe('end');
    },
  );

  test('loses nothing that arrives before the next subscriber of the same turn', async () => {
    const server = await rawServer();
    const setup = reconnectingTo(server.port);
    const { eventTypes, subscription } = recordEvents(setup);
    const peer = await server.next();
    await expect.poll(eventTypes).toEqual(['connect']);
    subscription.unsubscribe();
    expect(record(setup.reconnecting.pipe(take(1))).log).toEqual(['connect', 'complete']);
    peer.write('abc');
    await expect.poll(() => setup.reconnecting.socket?.bytesRead).toBe(3);
    const second = recordEvents(setup);
    expect(second.values.at(-1)).toEqual({ type: 'data', data: Buffer.from('abc') });
  });

  test.each([false, true])('gives up a connection that is not open yet (keepOpen: %s)', async (keepOpen) => {
    const setup = reconnectingTo(1, {}, { host: 'slow.example', lookup: () => {}, keepOpen });
    const { subscription } = recordEvents(setup);
    const { socket } = setup.reconnecting;
    expect(socket?.readyState).toBe('resolving');
    subscription.unsubscribe();
    setup.clock.tick(0);
    expect(setup.reconnecting.readyState).toBe('idle');
    expect(setup.reconnecting.socket).toBe(undefined);
    await turns();
    expect(socket?.readyState).toBe('closed');
  });

  test('changes nothing while another subscriber is left', async () => {
    const server = await rawServer();
    const setup = reconnectingTo(server.port);
    const { subscription, eventTypes } = recordEvents(setup);
    const other = record(setup.reconnecting.pipe(map(({ type }) => type)));
    await expect.poll(eventTypes).toEqual(['connect']);
    subscription.unsubscribe();
    setup.clock.tick(1000);
    (await server.next()).write('x');
    await expect.poll(() => other.values).toContain('data');
  });
});

test('readyStates emits each change of state, and watching does not dial', async () => {
  const server = await rawServer();
  const { reconnecting, clock } = reconnectingTo(server.port);
  const { log, ended } = record(reconnecting.readyStates);
  await turns();
  expect([log, server.peers]).toEqual([['idle'], []]);
  const { subscription } = record(reconnecting);
  expect(log).toEqual(['idle', 'connecting']);
  await expect.poll(() => log).toEqual(['idle', 'connecting', 'open']);
  (await server.next()).resetAndDestroy();
  await expect.poll(() => log.slice(3)).toEqual(['waiting']);
  clock.tick(100);
  await server.next();
  await expect.poll(() => log.slice(4)).toEqual(['connecting', 'open']);
  subscription.unsubscribe();
  clock.tick(0);
  expect(log.slice(6)).toEqual(['idle']);
  record(reconnecting);
  reconnecting.error();
  await ended;
  expect(log.slice(7)).toEqual(['connecting', 'closed', 'complete']);
});

test("ending the socket from a 'connecting' notification ends it", async () => {
  const server = await rawServer();
  const { reconnecting } = reconnectingTo(server.port);
  reconnecting.readyStates.subscribe((state) => state === 'connecting' && reconnecting.error('enough'));
  const { ended } = record(reconnecting);
  expect((await ended).error).toMatchObject({ name: 'AbortedError', cause: 'enough' });
  expect([reconnecting.readyState, reconnecting.socket]).toEqual(['closed', undefined]);
});
