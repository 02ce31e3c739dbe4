// reconnect(): one connection after another.
import { connect, on, type ReconnectEvent, reconnect } from '@rxsock/core';
import { firstValueFrom, map, retry, take } from 'rxjs';
import { describe, expect, test, vi } from 'vitest';
import { closedPort, drainRaw, rawServer } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';
import { turns } from '../../../../tests/support/turns.js';
import { linkTo, tell } from '../support/reconnecting.js';

const retries = (values: unknown[]) => (values as ReconnectEvent[]).filter(({ type }) => type === 'retry');

describe('a connection that is lost', () => {
  test.each([
    ['by FIN', (peer: { end(): void }) => peer.end(), ['connect', 'end', 'finish', 'disconnect', 'retry'], undefined],
    [
      'by a reset',
      (peer: { resetAndDestroy(): void }) => peer.resetAndDestroy(),
      ['connect', 'disconnect', 'retry'],
      'ECONNRESET',
    ],
  ])('%s is followed by another, in one stream', async (_how, cut, expected, code) => {
    const server = await rawServer();
    const test = linkTo(server.port);
    const { told, values, log } = tell(test);
    const first = await server.next();
    first.write('one');
    await expect.poll(told).toContain('data');
    cut(first as never);
    await expect.poll(told).toContain('retry');
    expect(told().filter((entry) => entry !== 'data')).toEqual(expected);
    const lost = (values as ReconnectEvent[]).find(({ type }) => type === 'disconnect');
    expect(lost).toMatchObject({ report: { bytesRead: 3 } });
    expect((lost as { error?: { code?: string } }).error?.code).toBe(code);
    expect(test.link.readyState).toBe('waiting');
    expect(record(test.link).log).toEqual([]);
    test.clock.pass(100);
    (await server.next()).write('two');
    await expect.poll(() => log.filter((entry) => entry === 'data')).toHaveLength(2);
    expect(values.at(-1)).toEqual({ type: 'data', data: Buffer.from('two') });
    expect(test.link.readyState).toBe('open');
  });

  test('is followed by another on its own time too', async () => {
    const server = await rawServer((peer) => peer.end());
    const link = reconnect(() => connect({ host: '127.0.0.1', port: server.port }), { backoff: { initial: 1 } });
    const { subscription } = record(link);
    await server.next();
    await server.next();
    subscription.unsubscribe();
  });

  test('with allowHalfOpen is lost all the same when the peer has ended', async () => {
    const server = await rawServer();
    const { told } = tell(linkTo(server.port, {}, { allowHalfOpen: true }));
    (await server.next()).end();
    await expect.poll(told).toEqual(['connect', 'end', 'finish', 'disconnect', 'retry']);
  });

  test('tells a later subscriber of the connection there is', async () => {
    const server = await rawServer();
    const { link } = linkTo(server.port);
    const connected = firstValueFrom(link.pipe(on('connect')));
    record(link);
    await connected;
    expect(record(link).log).toEqual(['connect']);
  });
});

describe('a server that never comes back', () => {
  test('is dialled with growing delays, maxRetries times, and then the link fails', async () => {
    const test = linkTo(await closedPort(), {
      maxRetries: 4,
      backoff: { initial: 100, max: 500, factor: 3, jitter: 0 },
    });
    const { values, log, ended } = tell(test);
    for (let attempt = 1; attempt <= 4; attempt++) {
      await expect.poll(() => retries(values)).toHaveLength(attempt);
      test.clock.pass(1000);
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
    expect(test.link.readyState).toBe('closed');
    // A dead link answers on the next turn, so that a retry of it does not spin.
    const late = record(test.link.pipe(retry(2)));
    expect(late.log).toEqual([]);
    test.clock.pass(0);
    expect(await late.ended).toEqual({ error });
  });

  test('with maxRetries 0 is dialled once', async () => {
    const { ended, told } = tell(linkTo(await closedPort(), { maxRetries: 0 }));
    expect((await ended).error).toMatchObject({ code: 'ERR_RECONNECT_EXHAUSTED', attempts: 0 });
    expect(told()).toEqual(['disconnect', 'error:ERR_RECONNECT_EXHAUSTED']);
  });

  test.each([
    ['unsubscribing', (_link: unknown, leave: () => void) => leave()],
    ['error()', (link: { error(): void }) => link.error()],
    ['complete()', (link: { complete(): void }) => link.complete()],
    ['close()', (link: { close(): Promise<void> }) => void link.close()],
  ])('is dialled no more after %s', async (_how, stop) => {
    let dials = 0;
    const port = await closedPort();
    const test = linkTo(() => {
      dials++;
      return port;
    });
    const { values, subscription } = tell(test);
    await expect.poll(() => retries(values)).toHaveLength(1);
    stop(test.link as never, () => subscription.unsubscribe());
    test.clock.pass(1e9);
    await turns();
    expect(dials).toBe(1);
  });

  test('is dialled again when the link is subscribed to again, from the first delay on', async () => {
    const test = linkTo(await closedPort());
    const first = tell(test);
    await expect.poll(() => retries(first.values)).toHaveLength(1);
    test.clock.pass(100);
    await expect.poll(() => retries(first.values)).toHaveLength(2);
    first.subscription.unsubscribe();
    test.clock.pass(0);
    expect(test.link.readyState).toBe('idle');
    const second = tell(test);
    await expect.poll(() => retries(second.values)).toEqual([{ type: 'retry', attempt: 1, delay: 100 }]);
  });
});

describe('backoff', () => {
  test('starts again after a connection that lasted, and goes on after one that did not', async () => {
    const server = await rawServer();
    const test = linkTo(server.port);
    const { values } = tell(test);
    const cutAfter = async (milliseconds: number, count: number) => {
      const peer = await server.next();
      await expect.poll(() => test.link.readyState).toBe('open');
      test.clock.pass(milliseconds);
      peer.end();
      await expect.poll(() => retries(values)).toHaveLength(count);
      test.clock.pass(1000);
    };
    await cutAfter(0, 1);
    await cutAfter(999, 2);
    await cutAfter(1000, 3);
    await cutAfter(0, 4);
    const expected = [1, 2, 1, 2].map((attempt) => ({ type: 'retry', attempt, delay: attempt * 100 }));
    expect(retries(values)).toEqual(expected);
  });

  test.each([
    [0, 1000],
    [0.5, 750],
    [1, 500],
  ])('takes its share by chance: at %s a delay of 1,000 becomes %s', async (chance, delay) => {
    vi.spyOn(Math, 'random').mockReturnValue(chance);
    try {
      const { values } = tell(linkTo(await closedPort(), { backoff: { initial: 1000, jitter: 0.5 } }));
      await expect.poll(() => retries(values)).toEqual([{ type: 'retry', attempt: 1, delay }]);
    } finally {
      vi.restoreAllMocks();
    }
  });

  test('that has no first delay retries on the next turn', async () => {
    const test = linkTo(await closedPort(), { backoff: { initial: 0 }, maxRetries: 3 });
    const { values, ended } = tell(test);
    for (let attempt = 1; attempt <= 3; attempt++) {
      await expect.poll(() => retries(values)).toHaveLength(attempt);
      expect(retries(values).at(-1)).toMatchObject({ delay: 0 });
      test.clock.pass(0);
    }
    await ended;
  });
});

describe('what no retry would mend', () => {
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
  ])('bad options throw at the call: %s', (call, error) => {
    expect(call).toThrow(error as never);
  });

  test('an option that Node refuses ends the link at once', async () => {
    const { ended, told } = tell(linkTo(await closedPort(), {}, { localAddress: 'nonsense' }));
    expect((await ended).error).toMatchObject({ name: 'ConnectError', code: 'ERR_INVALID_IP_ADDRESS' });
    expect(told()).toEqual(['disconnect', 'error:ERR_INVALID_IP_ADDRESS']);
  });

  test("the sockets' own signal ends the link, and what a later call of the factory throws", async () => {
    const server = await rawServer();
    const abort = new AbortController();
    const signalled = tell(linkTo(server.port, {}, { signal: abort.signal }));
    await server.next();
    abort.abort();
    expect((await signalled.ended).error).toMatchObject({ code: 'ERR_SOCKET_ABORTED' });
    const socket = connect({ host: '127.0.0.1', port: server.port });
    const test = linkTo(0);
    const link = reconnect(() => socket, { scheduler: test.clock, backoff: { initial: 0 } });
    const { log, ended } = record(link);
    (await server.next()).end();
    await expect.poll(() => log).toContain('retry');
    test.clock.pass(0);
    expect((await ended).error).toBeInstanceOf(TypeError);
    expect(link.readyState).toBe('closed');
  });

  test('a factory that gives the same socket again', async () => {
    const server = await rawServer();
    const socket = connect({ host: '127.0.0.1', port: server.port });
    const link = reconnect(() => socket);
    const { log, subscription } = record(link);
    await expect.poll(() => log).toContain('connect');
    subscription.unsubscribe();
    await expect.poll(() => link.readyState).toBe('idle');
    expect(socket.readyState).not.toBe('closed');
    const { ended } = record(link);
    const refused = new TypeError('reconnect was given the same socket once more: make a new one at each call');
    expect((await ended).error).toEqual(refused);
  });

  test("the link's signal aborts it, while open, while waiting and before it began", async () => {
    const server = await rawServer();
    const abort = new AbortController();
    const open = tell(linkTo(server.port, { signal: abort.signal }));
    const peer = await server.next();
    await expect.poll(open.told).toEqual(['connect']);
    const waiting = tell(linkTo(await closedPort(), { signal: abort.signal }));
    await expect.poll(waiting.told).toContain('retry');
    const reason = new Error('enough');
    abort.abort(reason);
    const never = linkTo(server.port, { signal: abort.signal });
    for (const { ended } of [open, waiting]) {
      expect((await ended).error).toMatchObject({ name: 'AbortedError', code: 'ERR_SOCKET_ABORTED', cause: reason });
    }
    const { ended } = tell(never);
    expect((await ended).error).toMatchObject({ code: 'ERR_SOCKET_ABORTED' });
    expect((await drainRaw(peer)).end).toBe('ECONNRESET');
    expect(server.peers).toHaveLength(1);
  });
});

describe('leaving', () => {
  test('closes the connection gracefully, by the next turn and not before it', async () => {
    const server = await rawServer();
    const test = linkTo(server.port);
    const { told, subscription } = tell(test);
    const peer = await server.next();
    await expect.poll(told).toEqual(['connect']);
    subscription.unsubscribe();
    expect(test.link.readyState).toBe('open');
    const second = tell(test);
    test.clock.pass(1000);
    expect(second.told()).toEqual(['connect']);
    second.subscription.unsubscribe();
    test.link.next('goodbye');
    test.clock.pass(0);
    expect(test.link.readyState).toBe('idle');
    expect(await drainRaw(peer)).toEqual({ bytes: Buffer.from('goodbye'), end: 'end' });
  });

  test.each([true, 60_000])('closes it where the socket would be kept open (%s)', async (keepOpen) => {
    const server = await rawServer();
    const test = linkTo(server.port, {}, { keepOpen });
    const { told, subscription } = tell(test);
    const peer = await server.next();
    await expect.poll(told).toEqual(['connect']);
    subscription.unsubscribe();
    test.clock.pass(0);
    expect((await drainRaw(peer)).end).toBe('end');
  });

  test('loses nothing that arrives before the next subscriber of the same turn', async () => {
    const server = await rawServer();
    const test = linkTo(server.port);
    const { told, subscription } = tell(test);
    const peer = await server.next();
    await expect.poll(told).toEqual(['connect']);
    subscription.unsubscribe();
    expect(record(test.link.pipe(take(1))).log).toEqual(['connect', 'complete']);
    peer.write('abc');
    await expect.poll(() => test.link.socket?.bytesRead).toBe(3);
    const second = tell(test);
    expect(second.values.at(-1)).toEqual({ type: 'data', data: Buffer.from('abc') });
  });

  test.each([false, true])('gives up a connection that is not open yet (keepOpen: %s)', async (keepOpen) => {
    const test = linkTo(1, {}, { host: 'slow.example', lookup: () => {}, keepOpen });
    const { subscription } = tell(test);
    const { socket } = test.link;
    expect(socket?.readyState).toBe('resolving');
    subscription.unsubscribe();
    test.clock.pass(0);
    expect(test.link.readyState).toBe('idle');
    expect(test.link.socket).toBe(undefined);
    await turns();
    expect(socket?.readyState).toBe('closed');
  });

  test('one of several leaving changes nothing', async () => {
    const server = await rawServer();
    const test = linkTo(server.port);
    const { subscription, told } = tell(test);
    const other = record(test.link.pipe(map(({ type }) => type)));
    await expect.poll(told).toEqual(['connect']);
    subscription.unsubscribe();
    test.clock.pass(1000);
    (await server.next()).write('x');
    await expect.poll(() => other.values).toContain('data');
  });
});

test('readyStates tells each change of state, and looking does not dial', async () => {
  const server = await rawServer();
  const { link, clock } = linkTo(server.port);
  const { log, ended } = record(link.readyStates);
  await turns();
  expect([log, server.peers]).toEqual([['idle'], []]);
  const { subscription } = record(link);
  expect(log).toEqual(['idle', 'connecting']);
  await expect.poll(() => log).toEqual(['idle', 'connecting', 'open']);
  (await server.next()).resetAndDestroy();
  await expect.poll(() => log.slice(3)).toEqual(['waiting']);
  clock.pass(100);
  await server.next();
  await expect.poll(() => log.slice(4)).toEqual(['connecting', 'open']);
  subscription.unsubscribe();
  clock.pass(0);
  expect(log.slice(6)).toEqual(['idle']);
  record(link);
  link.error();
  await ended;
  expect(log.slice(7)).toEqual(['connecting', 'closed', 'complete']);
});

test('who ends it on hearing that it is connecting ends it', async () => {
  const server = await rawServer();
  const { link } = linkTo(server.port);
  link.readyStates.subscribe((state) => state === 'connecting' && link.error('enough'));
  const { ended } = record(link);
  expect((await ended).error).toMatchObject({ name: 'AbortedError', cause: 'enough' });
  expect([link.readyState, link.socket]).toEqual(['closed', undefined]);
});
