// How a socket ends: gracefully, at once, before it has started, and when the last subscriber leaves.
import dgram from 'node:dgram';
import { once } from 'node:events';
import type { LookupFunction } from 'node:net';
import { on, toReadable } from '@rxsock/core';
import { VirtualClock } from '@rxsock/core/testing';
import { bind, connect, type DatagramSocket } from '@rxsock/udp';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { record } from '../../../../tests/support/record.js';
import { turns } from '../../../../tests/support/turns.js';
import { bound, connected, live, rawPeer } from '../support/peers.js';

const silent: LookupFunction = () => {};
const remote = { address: 'somebody.test', port: 9 };

/** Whether the port is free again. */
async function free(port: number): Promise<boolean> {
  const probe = dgram.createSocket('udp4');
  return new Promise((resolve) => {
    probe.once('error', () => resolve(false));
    probe.bind(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}

describe('complete()', () => {
  test('sends queued datagrams, then closes', async () => {
    const peer = await rawPeer();
    const { socket, log, ended, local } = await connected({ port: peer.port });
    for (let i = 0; i < 100; i++) socket.next(`${i}`);
    socket.complete();
    expect(socket.readyState).toBe('closing');
    expect(await ended).toEqual({});
    expect(log).toEqual(['listening', 'close', 'complete']);
    expect(socket.readyState).toBe('closed');
    expect(socket.local).toBeUndefined();
    await expect.poll(() => peer.received).toHaveLength(100);
    expect(await free(local.port)).toBe(true);
  });

  test('before the start with nothing to send does not bind', async () => {
    const create = vi.spyOn(dgram, 'createSocket');
    const socket = bind();
    socket.complete();
    expect(socket.readyState).toBe('closed');
    const { log, ended } = record(socket);
    expect(log).toEqual([]);
    await ended;
    expect(log).toEqual(['close', 'complete']);
    expect(create).not.toHaveBeenCalled();
    create.mockRestore();
  });

  test('before the start still sends what is queued', async () => {
    const peer = await rawPeer();
    const socket = connect({ port: peer.port, lingerTimeout: 0 });
    socket.next('hello');
    socket.complete();
    expect(await socket.close()).toMatchObject({ messagesWritten: 1, bytesWritten: 5 });
    await expect.poll(() => peer.received).toEqual(['hello']);
  });

  test('delivers messages until everything is sent', async () => {
    const peer = await rawPeer();
    const server = await bound({ lookup: silent });
    server.socket.next({ data: 'x', remote });
    server.socket.complete();
    await peer.send('still heard', server.local.port);
    await expect.poll(() => server.log).toEqual(['listening', 'message']);
  });
});

describe('lingerTimeout', () => {
  const waiting = async (options: { lingerTimeout?: number }) => {
    const scheduler = new VirtualClock();
    const server = await bound({ lookup: silent, scheduler, ...options });
    const sent = server.socket.send({ data: 'x', remote });
    return { ...server, scheduler, sent };
  };

  test('ends the wait for datagrams that cannot be sent', async () => {
    const { socket, scheduler, sent, log } = await waiting({ lingerTimeout: 1000 });
    const report = socket.close();
    scheduler.tick(999);
    await turns();
    expect(log).toEqual(['listening']);
    scheduler.tick(1);
    await expect(sent).rejects.toMatchObject({ code: 'ERR_SOCKET_CLOSED' });
    expect(await report).toMatchObject({ messagesWritten: 0, messagesUnsent: 1, duration: 1000 });
    expect(log).toEqual(['listening', 'sendError', 'close', 'complete']);
  });

  test('leaves no timer behind', async () => {
    const { socket, scheduler, ended } = await waiting({ lingerTimeout: 1000 });
    socket.complete();
    expect(scheduler.actions).toHaveLength(1);
    socket.error();
    await ended;
    expect(scheduler.actions).toEqual([]);
  });

  test('is five seconds, 0 is no limit, and close({ timeout }) has its own', async () => {
    const { socket, scheduler } = await waiting({});
    socket.complete();
    scheduler.tick(4999);
    await turns();
    expect(socket.readyState).toBe('closing');
    scheduler.tick(1);
    await expect.poll(() => socket.readyState).toBe('closed');

    const longer = await waiting({});
    longer.socket.complete();
    longer.socket.close({ timeout: 10_000 });
    longer.scheduler.tick(9999);
    await turns();
    expect(longer.socket.readyState).toBe('closing');
    longer.scheduler.tick(1);
    await longer.ended;

    const unlimited = await waiting({ lingerTimeout: 0 });
    unlimited.socket.complete();
    unlimited.scheduler.tick(1e9);
    const report = unlimited.socket.close();
    unlimited.scheduler.tick(1e9);
    await turns();
    expect(unlimited.socket.readyState).toBe('closing');
    unlimited.socket.close({ timeout: 10 });
    unlimited.socket.complete(); // a second call changes nothing
    unlimited.scheduler.tick(10);
    expect(await report).toMatchObject({ messagesUnsent: 1 });

    const never = await waiting({});
    expect(await never.socket.close({ timeout: 0 })).toMatchObject({ messagesUnsent: 1 });
    expect(() => never.socket.close({ timeout: -1 })).toThrow(RangeError);
  });
});

describe('error()', () => {
  test('closes at once, and drops queued datagrams', async () => {
    const server = await bound({ lookup: silent });
    const sent = server.socket.send({ data: 'x', remote });
    const reason = new Error('enough');
    server.socket.error(reason);
    await expect(sent).rejects.toMatchObject({ name: 'AbortedError', cause: reason });
    expect((await server.ended).error).toMatchObject({
      name: 'AbortedError',
      code: 'ERR_SOCKET_ABORTED',
      cause: reason,
    });
    expect(server.log).toEqual(['listening', 'sendError', 'close', 'error:ERR_SOCKET_ABORTED']);
    expect(await free(server.local.port)).toBe(true);
  });

  test('counts a datagram in flight once, as unsent', async () => {
    const peer = await rawPeer();
    const { socket, ended } = await connected({ port: peer.port });
    socket.next('x');
    socket.error();
    await ended;
    await turns();
    expect(socket.report).toMatchObject({ messagesWritten: 0, messagesUnsent: 1 });
    expect(socket.writableLength).toBe(0);
  });

  test('emits no drain', async () => {
    const server = await bound({ lookup: silent, highWaterMark: 1 });
    expect(server.socket.next({ data: 'x', remote })).toBe(false);
    server.socket.error();
    await server.ended;
    expect(server.log).toEqual(['listening', 'sendError', 'close', 'error:ERR_SOCKET_ABORTED']);
  });

  test('works before the start', async () => {
    const socket = bind();
    socket.error(new Error('enough'));
    expect((await record(socket).ended).error).toMatchObject({ name: 'AbortedError' });
    await expect(socket.bind()).rejects.toMatchObject({ name: 'AbortedError' });
  });
});

describe('close()', () => {
  test('reports how long it was open, although the wall clock was set back', async () => {
    const { socket } = await bound();
    const wallClock = Date.now;
    const clock = vi.spyOn(Date, 'now').mockImplementation(() => wallClock() - 3_600_000);
    onTestFinished(() => clock.mockRestore());
    expect(socket.report.duration).toBeGreaterThanOrEqual(0);
    expect((await socket.close()).duration).toBeGreaterThanOrEqual(0);
  });

  test('returns the same report each time', async () => {
    const peer = await rawPeer();
    const scheduler = new VirtualClock();
    const server = await bound({ scheduler });
    await peer.send('12345', server.local.port);
    await expect.poll(() => server.log).toHaveLength(2);
    await server.socket.send({ data: 'abc', remote: { address: '127.0.0.1', port: peer.port } });
    scheduler.tick(250);
    expect(server.socket.report.duration).toBe(250);
    const report = {
      messagesRead: 1,
      bytesRead: 5,
      messagesWritten: 1,
      bytesWritten: 3,
      messagesUnsent: 0,
      messagesDropped: 0,
      messagesBlocked: 0,
      duration: 250,
    };
    expect(await server.socket.close()).toEqual(report);
    expect(server.values.at(-1)).toEqual({ type: 'close', report });
    scheduler.tick(250);
    expect(await server.socket.close()).toEqual(report);
    expect(server.socket.report).toEqual(report);
  });

  test.each([
    ['in the same turn', async () => {}],
    ['a tick later', () => new Promise<void>((resolve) => process.nextTick(resolve))],
    ['a turn later', () => new Promise<void>((resolve) => setImmediate(resolve))],
  ])('works while the socket is being bound, %s', async (_name, wait) => {
    for (const socket of [bind(), connect({ port: 9 })]) {
      const { log, ended } = record(socket);
      await wait();
      expect(await socket.close()).toMatchObject({ messagesRead: 0, messagesWritten: 0 });
      await ended;
      expect(log.slice(-2)).toEqual(['close', 'complete']);
    }
  });

  test('works while the name of its host is being resolved', async () => {
    let answer = () => {};
    const lookup: LookupFunction = (_name, _options, done) => {
      answer = () => done(null, '127.0.0.1', 4);
    };
    const create = vi.spyOn(dgram, 'createSocket');
    const socket = bind({ host: 'own.test', lookup });
    const { log, ended } = record(socket);
    const binding = socket.bind();
    await socket.close();
    await ended;
    await expect(binding).rejects.toMatchObject({ code: 'ERR_SOCKET_CLOSED' });
    answer();
    await turns();
    expect(log).toEqual(['close', 'complete']);
    expect(create).not.toHaveBeenCalled();
    create.mockRestore();
  });

  test('ends bind(), for pending and later calls', async () => {
    const socket = bind();
    expect(await socket.bind()).toMatchObject({ address: '127.0.0.1' });
    await socket.close();
    await expect(socket.bind()).rejects.toMatchObject({ code: 'ERR_SOCKET_CLOSED' });
  });

  test('harms nobody if the promise of bind() is ignored', async () => {
    const socket = bind();
    socket.bind();
    await socket.close();
    await turns(); // an unhandled rejection would fail the run
    expect(socket.readyState).toBe('closed');
  });

  test('with its own timeout is not shortened by a subscriber that leaves', async () => {
    const scheduler = new VirtualClock();
    const { socket, subscription } = await bound({ lookup: silent, scheduler });
    socket.next({ data: 'x', remote });
    socket.close({ timeout: Number.POSITIVE_INFINITY });
    subscription.unsubscribe();
    scheduler.tick(1e6);
    await turns();
    expect(socket.readyState).toBe('closing');
  });

  test('works inside the events', async () => {
    for (const type of ['listening', 'message'] as const) {
      const peer = await rawPeer();
      const socket: DatagramSocket = bind();
      const first = record(socket);
      socket.subscribe((event) => {
        if (event.type === type) socket.close();
        else if (event.type === 'listening') peer.send('x', event.address.port);
      });
      const last = record(socket);
      await Promise.all([first.ended, last.ended]);
      expect(first.log).toEqual(last.log);
      expect(last.log.slice(-3)).toEqual([type, 'close', 'complete']);
    }
  });

  test('is called at the end of an await using block', async () => {
    const socket = bind();
    {
      await using own = socket;
      await own.bind();
      expect(own.readyState).toBe('open');
    }
    expect(socket.readyState).toBe('closed');
  });
});

describe('unsubscribing', () => {
  test('the last subscriber closes it by the next turn, and queued datagrams are sent', async () => {
    const peer = await rawPeer();
    const scheduler = new VirtualClock();
    const { socket, subscription } = await connected({ port: peer.port, scheduler });
    const second = record(socket);
    subscription.unsubscribe();
    scheduler.tick(1000);
    expect(socket.readyState).toBe('open');
    socket.next('goodbye');
    second.subscription.unsubscribe();
    expect(socket.readyState).toBe('open');
    scheduler.tick(0);
    expect(socket.readyState).toBe('closing');
    expect(await socket.close()).toMatchObject({ messagesWritten: 1 });
    await expect.poll(() => peer.received).toEqual(['goodbye']);
  });

  test('a subscriber of the same turn keeps it open', async () => {
    const scheduler = new VirtualClock();
    const { socket, subscription } = await bound({ scheduler });
    subscription.unsubscribe();
    const { log } = record(socket);
    scheduler.tick(1000);
    expect([socket.readyState, log]).toEqual(['open', ['listening']]);
  });

  test('at once, before it is bound, leaves nothing behind', async () => {
    const socket = bind();
    record(socket).subscription.unsubscribe();
    await expect.poll(() => socket.readyState).toBe('closed');
    const late = record(socket);
    await late.ended;
    expect(late.log).toEqual(['close', 'complete']);
  });

  test.each([
    [500, 499, 1],
    [false, -1, 1],
  ])('keepOpen %o', async (keepOpen, before, rest) => {
    const scheduler = new VirtualClock();
    const { socket, subscription } = await bound({ scheduler, keepOpen });
    subscription.unsubscribe();
    if (before >= 0) scheduler.tick(before);
    expect(socket.readyState).toBe('open');
    scheduler.tick(rest);
    await expect.poll(() => socket.readyState).toBe('closed');
  });

  test('leaves no timer behind', async () => {
    const scheduler = new VirtualClock();
    const { socket, subscription } = await bound({ scheduler, keepOpen: 500 });
    subscription.unsubscribe();
    expect(scheduler.actions).toHaveLength(1);
    await socket.close();
    expect(scheduler.actions).toEqual([]);
  });

  test('keepOpen true and bind() keep it open without limit', async () => {
    const scheduler = new VirtualClock();
    const kept = await bound({ scheduler, keepOpen: true });
    const explicit = bind({ scheduler });
    await explicit.bind();
    const { subscription } = await live(explicit);
    for (const each of [kept.subscription, subscription]) each.unsubscribe();
    scheduler.tick(1e9);
    expect([kept.socket.readyState, explicit.readyState]).toEqual(['open', 'open']);
  });
});

test.each(['error()', 'a signal'])('an abort by %s reaches a consumer that does not read', async (how) => {
  const abort = new AbortController();
  const { socket, local } = await bound({ signal: abort.signal });
  const readable = toReadable(socket.pipe(on('message')), { objectMode: true, highWaterMark: 1 });
  const failed = once(readable, 'error');
  readable.read(0);
  const peer = await rawPeer();
  for (let count = 0; count < 5; count++) await peer.send(`${count}`, local.port);
  await expect.poll(() => readable.readableLength).toBe(1);
  if (how === 'error()') socket.error(new Error('enough'));
  else abort.abort(new Error('enough'));
  expect(await failed).toMatchObject([{ name: 'AbortedError' }]);
});

describe('signal', () => {
  test('aborts it, and has no listener left', async () => {
    const abort = new AbortController();
    const remove = vi.spyOn(abort.signal, 'removeEventListener');
    const { ended, log } = await bound({ signal: abort.signal });
    abort.abort(new Error('enough'));
    expect((await ended).error).toMatchObject({ name: 'AbortedError', cause: abort.signal.reason });
    expect(log).toEqual(['listening', 'close', 'error:ERR_SOCKET_ABORTED']);
    expect(remove).toHaveBeenCalled();
  });

  test('fails it if it was aborted before', async () => {
    const { error } = await record(bind({ signal: AbortSignal.abort() })).ended;
    expect(error).toMatchObject({ name: 'AbortedError' });
  });
});
