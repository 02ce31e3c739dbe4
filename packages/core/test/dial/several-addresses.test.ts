// A host with several addresses: in which order they are tried and when, and which attempt wins (RFC 8305).
import { ConnectError, on, type Socket } from '@rxsock/core';
import { controlOf } from '@rxsock/core/internal';
import { VirtualClock } from '@rxsock/core/testing';
import { take } from 'rxjs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { closedPort, dial, opened, rawServer } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';
import { turns } from '../../../../tests/support/turns.js';
import { listenOn, resolvesTo, tcpHandles } from '../support/dials.js';

const host = 'several.test';

/** The addresses that a socket tries, as it tries them. */
function attemptsOf(socket: Socket): string[] {
  const attempts: string[] = [];
  socket.pipe(on('connectionAttempt')).subscribe({ next: ({ address }) => attempts.push(address), error: () => {} });
  return attempts;
}

const addressOf = (socket: Socket) => socket.remote && 'address' in socket.remote && socket.remote.address;

describe('an address that does not answer', () => {
  test.each([
    [undefined, 250],
    [1000, 1000],
  ])('with an attemptDelay of %s, the next one is tried after %d ms', async (attemptDelay, milliseconds) => {
    const { port, ends } = await listenOn(0, 'silent:127.0.0.5', '127.0.0.6');
    const scheduler = new VirtualClock();
    const socket = dial({ port, host, lookup: resolvesTo('127.0.0.5', '127.0.0.6'), attemptDelay, scheduler });
    const attempts = attemptsOf(socket);
    await expect.poll(() => attempts).toEqual(['127.0.0.5']);
    scheduler.tick(milliseconds - 1);
    await turns();
    expect(attempts).toEqual(['127.0.0.5']);
    expect(socket.readyState).toBe('connecting');
    scheduler.tick(1);
    expect(attempts).toEqual(['127.0.0.5', '127.0.0.6']);
    await opened(socket);
    expect(addressOf(socket)).toBe('127.0.0.6');
    await socket.write('x');
    await socket.close();
    expect(await ends()).toEqual({ empty: 0, whole: 1, reset: 0 });
  });

  test('costs a quarter of a second by default', async () => {
    const { port } = await listenOn(0, 'silent:127.0.0.5', '127.0.0.6');
    const begun = performance.now();
    await opened(dial({ port, host, lookup: resolvesTo('127.0.0.5', '127.0.0.6') }));
    const took = performance.now() - begun;
    expect(took).toBeGreaterThan(240);
    expect(took).toBeLessThan(2000);
  });

  test('is not given up: it wins if it answers late', async () => {
    const peer = await listenOn(0, 'silent:127.0.0.5');
    const lookup = resolvesTo('127.0.0.5', '127.0.0.7', '127.0.0.8');
    const socket = dial({ port: peer.port, host, lookup, attemptDelay: 20 });
    const failed: string[] = [];
    const watch = socket.pipe(on('connectionAttemptFailed'));
    watch.subscribe({ next: ({ address, code }) => failed.push(`${address} ${code}`), error: () => {} });
    await expect.poll(() => failed).toEqual(['127.0.0.7 ECONNREFUSED', '127.0.0.8 ECONNREFUSED']);
    expect(socket.readyState).toBe('connecting');
    // The kernel repeats its SYN after a second.
    peer.accept();
    await opened(socket);
    expect(addressOf(socket)).toBe('127.0.0.5');
  });

  test('leaves no timer, handle or connection behind when another one wins', async () => {
    const { port, ends } = await listenOn(0, 'silent:127.0.0.5', '127.0.0.6');
    const scheduler = new VirtualClock();
    const lookup = resolvesTo('127.0.0.5', '127.0.0.6', '127.0.0.7');
    const socket = dial({ port, host, lookup, scheduler, keepOpen: true });
    const attempts = attemptsOf(socket);
    await expect.poll(() => attempts).toHaveLength(1);
    scheduler.tick(250);
    await opened(socket);
    // The lost stream closes within a turn.
    await turns(2);
    expect(tcpHandles()).toEqual(['TCPSocketWrap']);
    expect(scheduler.actions).toEqual([]);
    await socket.close();
    expect(tcpHandles()).toEqual([]);
    expect(attempts).toHaveLength(2);
    expect(await ends()).toEqual({ empty: 1, whole: 0, reset: 0 });
  });
});

describe('an address that refuses', () => {
  test('the next one is tried at once', async () => {
    const { port } = await listenOn(0, '127.0.0.6');
    const socket = dial({ port, host, lookup: resolvesTo('127.0.0.7', '127.0.0.6'), scheduler: new VirtualClock() });
    const { log } = record(socket);
    await opened(socket);
    expect(log).toEqual([
      'lookup',
      'lookup',
      'connectionAttempt',
      'connectionAttemptFailed',
      'connectionAttempt',
      'connect',
    ]);
  });

  test('the next one is tried at once, also while an older attempt waits', async () => {
    const { port } = await listenOn(0, 'silent:127.0.0.5', '127.0.0.6');
    const scheduler = new VirtualClock();
    const socket = dial({ port, host, lookup: resolvesTo('127.0.0.5', '127.0.0.7', '127.0.0.6'), scheduler });
    const attempts = attemptsOf(socket);
    await expect.poll(() => attempts).toHaveLength(1);
    scheduler.tick(250);
    await opened(socket);
    expect(attempts).toEqual(['127.0.0.5', '127.0.0.7', '127.0.0.6']);
  });

  test('the attemptDelay counts from the last attempt, not from the first', async () => {
    const { port } = await listenOn(0, 'silent:127.0.0.5', '127.0.0.6');
    const scheduler = new VirtualClock();
    const socket = dial({ port, host, lookup: resolvesTo('127.0.0.7', '127.0.0.5', '127.0.0.6'), scheduler });
    const attempts = attemptsOf(socket);
    // Before the kernel refuses the first attempt.
    socket.pipe(on('connectionAttempt'), take(1)).subscribe(() => queueMicrotask(() => scheduler.tick(100)));
    await expect.poll(() => attempts).toEqual(['127.0.0.7', '127.0.0.5']);
    scheduler.tick(249);
    await turns();
    expect(attempts).toHaveLength(2);
    scheduler.tick(1);
    await opened(socket);
    expect(attempts).toHaveLength(3);
  });

  test('an older attempt that fails does not start the next one before its time', async () => {
    const { port, refuse } = await listenOn(0, 'silent:127.0.0.5', 'silent:127.0.0.9', '127.0.0.6');
    const scheduler = new VirtualClock();
    const socket = dial({ port, host, lookup: resolvesTo('127.0.0.5', '127.0.0.9', '127.0.0.6'), scheduler });
    const attempts = attemptsOf(socket);
    const { log } = record(socket);
    await expect.poll(() => attempts).toHaveLength(1);
    scheduler.tick(250);
    // The kernel repeats its SYN after a second.
    refuse();
    await expect.poll(() => log).toContain('connectionAttemptFailed');
    expect(attempts).toEqual(['127.0.0.5', '127.0.0.9']);
    scheduler.tick(250);
    expect(attempts).toEqual(['127.0.0.5', '127.0.0.9', '127.0.0.6']);
    await opened(socket);
  });

  test('if an older attempt is the last one to fail, the dial fails', async () => {
    const { port, refuse } = await listenOn(0, 'silent:127.0.0.5');
    const socket = dial({ port, host, lookup: resolvesTo('127.0.0.5', '127.0.0.7'), attemptDelay: 10 });
    const { log, ended } = record(socket);
    await expect.poll(() => log).toContain('connectionAttemptFailed');
    refuse();
    const attempts = ['127.0.0.7', '127.0.0.5'].map((address) => ({ address, port, code: 'ECONNREFUSED' }));
    expect((await ended).error).toMatchObject({ name: 'ConnectError', attempts });
  });

  test('when all have failed, the error lists every attempt, and its cause every error', async () => {
    const port = await closedPort();
    const socket = dial({ port, host, lookup: resolvesTo('127.0.0.2', '127.0.0.3', '::1') });
    const { log, ended } = record(socket);
    const { error } = await ended;
    const tried = ['127.0.0.2', '::1', '127.0.0.3'];
    expect(error).toBeInstanceOf(ConnectError);
    expect(error).toMatchObject({
      code: 'ECONNREFUSED',
      phase: 'open',
      message: `Cannot connect to ${host}:${port}: ${tried.map((each) => `${each} ECONNREFUSED`).join(', ')}`,
      attempts: tried.map((address) => ({ address, port, code: 'ECONNREFUSED' })),
      cause: { code: 'ECONNREFUSED', errors: tried.map((address) => ({ address, port, syscall: 'connect' })) },
    });
    expect(log.slice(-2)).toEqual(['close', 'error:ECONNREFUSED']);
  });
});

describe('the order of the addresses', () => {
  test.each([
    [
      ['127.0.0.2', '127.0.0.3', '127.0.0.4', '::1'],
      ['127.0.0.2', '::1', '127.0.0.3', '127.0.0.4'],
    ],
    [
      ['::1', '::ffff:127.0.0.3', '127.0.0.2'],
      ['::1', '127.0.0.2', '::ffff:127.0.0.3'],
    ],
    [
      ['127.0.0.2', '::1', '::ffff:127.0.0.3', '::ffff:127.0.0.4'],
      ['127.0.0.2', '::1', '::ffff:127.0.0.3', '::ffff:127.0.0.4'],
    ],
    [
      ['127.0.0.2', '::1', '127.0.0.2', '::1'],
      ['127.0.0.2', '::1'],
    ],
    [
      ['127.0.0.2', 'nonsense', '127.0.0.3'],
      ['127.0.0.2', '127.0.0.3'],
    ],
  ])('%j are tried as %j: the families in turn, each address once', async (found, tried) => {
    const socket = dial({ port: await closedPort(), host, lookup: resolvesTo(...found), attemptDelay: 1000 });
    const { values, ended } = record(socket);
    const { error } = await ended;
    expect((error as ConnectError).attempts.map(({ address }) => address)).toEqual(tried);
    const lookups = values.filter((event) => event.type === 'lookup');
    expect(lookups).toEqual(
      tried.map((address) => ({ type: 'lookup', host, address, family: address.includes(':') ? 'IPv6' : 'IPv4' })),
    );
  });
});

describe('two addresses that answer', () => {
  test('the first one wins, and the second one is not tried', async () => {
    const { port, ends } = await listenOn(0, '127.0.0.6', '::1');
    const socket = dial({ port, host, lookup: resolvesTo('::1', '127.0.0.6') });
    const attempts = attemptsOf(socket);
    await opened(socket);
    await socket.write('x');
    await socket.close();
    expect(attempts).toEqual(['::1']);
    expect(await ends()).toEqual({ empty: 0, whole: 1, reset: 0 });
  });

  test('at the same time: one is used, and the other sees a reset and never an end', async () => {
    const { port, ends } = await listenOn(0, '127.0.0.6', '127.0.0.7', '::1');
    // Without a delay, the three attempts overlap.
    const scheduler = new VirtualClock();
    const lookup = resolvesTo('::1', '127.0.0.6', '127.0.0.7');
    const count = 100;
    for (let i = 0; i < count; i++) {
      const socket = dial({ port, host, lookup, attemptDelay: 0, scheduler });
      const overlap = socket.pipe(on('connectionAttempt'));
      overlap.subscribe({ next: () => queueMicrotask(() => scheduler.tick(0)), error: () => {} });
      await socket.write('x');
      await socket.close();
    }
    const { empty, whole, reset } = await ends();
    expect({ empty, whole }).toEqual({ empty: 0, whole: count });
    expect(reset).toBeGreaterThan(0);
  });
});

test('the stream that wins has no listener of the dial any more', async () => {
  const { port } = await listenOn(0, '127.0.0.6');
  const socket = dial({ port, host: '127.0.0.6', keepOpen: true });
  await opened(socket);
  const stream = controlOf(socket).handOver().stream;
  onTestFinished(() => void stream.destroy());
  expect(['error', 'close', 'connect'].map((event) => stream.listenerCount(event))).toEqual([0, 0, 0]);
});

describe('connectTimeout', () => {
  test('is for all attempts together, and ends them without a FIN', async () => {
    const { port, ends } = await listenOn(0, 'silent:127.0.0.5', 'silent:127.0.0.6');
    const scheduler = new VirtualClock();
    const lookup = resolvesTo('127.0.0.5', '127.0.0.6');
    const socket = dial({ port, host, lookup, connectTimeout: 1000, scheduler });
    const attempts = attemptsOf(socket);
    const { log, ended } = record(socket);
    await expect.poll(() => attempts).toHaveLength(1);
    scheduler.tick(250);
    scheduler.tick(749);
    expect(attempts).toHaveLength(2);
    expect(log).not.toContain('close');
    scheduler.tick(1);
    expect((await ended).error).toMatchObject({ name: 'SocketTimeoutError', timeout: 'connectTimeout' });
    expect(log.filter((type) => type === 'connectionAttemptFailed')).toEqual([]);
    expect(await ends()).toEqual({ empty: 0, whole: 0, reset: 0 });
  });

  test.each([0, Number.POSITIVE_INFINITY, 1e12])('%d is no limit', async (connectTimeout) => {
    const server = await rawServer((peer) => peer.end());
    const socket = dial({ port: server.port, host, lookup: resolvesTo('127.0.0.1'), connectTimeout });
    expect(await record(socket).ended).toEqual({});
  });
});
