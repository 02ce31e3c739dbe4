// `setup`: what happens on a new connection before anybody else uses it.
import type net from 'node:net';
import { connect, data, lines, type ReconnectEvent, reader, type Socket } from '@rxsock/core';
import { concatWith, ignoreElements, NEVER, Observable, of } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { drainRaw, rawServer } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';
import { turns } from '../../../../tests/support/turns.js';
import { acquire, poolOf } from '../support/pools.js';
import { reconnectingTo, recordEvents } from '../support/reconnecting.js';

/** Reads the greeting, logs in, and reads the answer. */
async function login(socket: Socket): Promise<void> {
  const bytes = reader(socket);
  const greeting = await bytes.readLine();
  if (greeting === undefined) throw new Error('no greeting came');
  socket.next(`login ${greeting}\n`);
  const answer = await bytes.readLine();
  bytes.release();
  if (answer !== 'ok') throw new Error(`the login was answered with ${answer}`);
}

const disconnects = (values: unknown[]) =>
  (values as ReconnectEvent[]).flatMap((event) => (event.type === 'disconnect' ? [event] : []));

/** What a plain peer has received so far. */
function collect(peer: net.Socket): { text: string } {
  const received = { text: '' };
  peer.resume().on('data', (bytes) => {
    received.text += bytes;
  });
  return received;
}

describe('reconnect({ setup })', () => {
  test('runs on every connection; writes and readers wait for it, and nothing is lost behind it', async () => {
    const server = await rawServer();
    const { reconnecting, clock } = reconnectingTo(server.port, { setup: login });
    const { log, values } = record(reconnecting.eachConnection((bytes) => bytes.pipe(lines())));
    reconnecting.next('hello\n');
    for (const round of ['one', 'two']) {
      const peer = await server.next();
      const received = collect(peer);
      peer.write(`${round}\n`);
      await expect.poll(() => received.text).toBe(`login ${round}\n`);
      expect(reconnecting.readyState).toBe('connecting');
      if (round === 'two') reconnecting.next('again\n');
      peer.write(`ok\nnews ${round}\n`);
      const sent = round === 'one' ? 'hello\n' : 'again\n';
      await expect.poll(() => received.text).toBe(`login ${round}\n${sent}`);
      expect(reconnecting.readyState).toBe('open');
      await expect.poll(() => values.at(-1)).toBe(`news ${round}`);
      peer.end();
      await expect.poll(() => reconnecting.readyState).toBe('waiting');
      clock.tick(100);
    }
    expect(log).toEqual(['news one', 'news two']);
  });

  test('the events of the dial come while it dials, and connect when the setup is done', async () => {
    const server = await rawServer((peer) => peer.write('hi\n'));
    let finish = () => {};
    const done = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const { log } = record(reconnectingTo(server.port, { setup: () => done }).reconnecting);
    await server.next();
    await turns();
    expect(log).toEqual(['connectionAttempt']);
    finish();
    await expect.poll(() => log).toEqual(['connectionAttempt', 'connect', 'data']);
  });

  test.each([
    ['returns nothing', () => undefined],
    ['returns a promise', async () => {}],
    ['returns an Observable that emits and completes', () => of(1, 2)],
  ])('is done when it %s', async (_how, setup) => {
    const server = await rawServer();
    const { reconnecting } = reconnectingTo(server.port, { setup: setup as () => undefined });
    record(reconnecting);
    await server.next();
    await expect.poll(() => reconnecting.readyState).toBe('open');
  });

  test.each([
    [
      'throws',
      () => {
        throw new Error('no');
      },
    ],
    ['rejects', () => Promise.reject(new Error('no'))],
    ['fails', () => new Observable((subscriber) => subscriber.error(new Error('no')))],
  ])('that %s is a failed attempt: the peer sees a reset, and it dials again', async (_how, setup) => {
    const server = await rawServer();
    const recording = reconnectingTo(server.port, { setup });
    const { eventTypes, values } = recordEvents(recording);
    recording.reconnecting.next('waits');
    expect(await drainRaw((await server.next()).resume())).toMatchObject({ bytes: Buffer.alloc(0), end: 'ECONNRESET' });
    await expect.poll(eventTypes).toEqual(['disconnect', 'retry']);
    expect(disconnects(values)[0]?.error).toMatchObject({
      code: 'ERR_SETUP_FAILED',
      phase: 'open',
      message: 'The setup of the connection failed: no',
      cause: new Error('no'),
      remote: { port: server.port },
    });
    recording.clock.tick(100);
    await server.next();
  });

  test('that takes too long is a failed attempt, and is unsubscribed', async () => {
    const server = await rawServer();
    let left = 0;
    const setup = () => new Observable(() => () => left++);
    const recording = reconnectingTo(server.port, { setup, setupTimeout: 500 });
    const { eventTypes, values } = recordEvents(recording);
    await server.next();
    await turns();
    recording.clock.tick(499);
    expect([eventTypes(), left]).toEqual([[], 0]);
    recording.clock.tick(1);
    await expect.poll(eventTypes).toEqual(['disconnect', 'retry']);
    expect(left).toBe(1);
    expect(disconnects(values)[0]?.error).toMatchObject({
      code: 'ETIMEDOUT',
      timeout: 'setupTimeout',
      milliseconds: 500,
      message: 'The setup of the connection was not done within 500 ms (setupTimeout)',
    });
  });

  test('has ten seconds by default, and leaves no timer behind when it is done', async () => {
    const server = await rawServer();
    const slow = reconnectingTo(server.port, { setup: () => NEVER });
    const { eventTypes } = recordEvents(slow);
    await server.next();
    await turns();
    slow.clock.tick(9_999);
    expect(eventTypes()).toEqual([]);
    slow.clock.tick(1);
    await expect.poll(eventTypes).toEqual(['disconnect', 'retry']);
    const quick = reconnectingTo(server.port, { setup: async () => {} });
    record(quick.reconnecting);
    await expect.poll(() => quick.reconnecting.readyState).toBe('open');
    expect(quick.clock.actions).toEqual([]);
  });

  test.each([0, Number.POSITIVE_INFINITY])('with setupTimeout %j has all the time', async (setupTimeout) => {
    const server = await rawServer();
    const { reconnecting, clock } = reconnectingTo(server.port, { setup: () => NEVER, setupTimeout });
    record(reconnecting);
    await server.next();
    await turns();
    expect(clock.actions).toEqual([]);
  });

  test.each([
    ['resets', (peer: net.Socket) => peer.resetAndDestroy(), 'ECONNRESET'],
    ['ends', (peer: net.Socket) => peer.end(), 'ERR_SETUP_FAILED'],
  ])('fails with the connection that the peer %s', async (_how, cut, code) => {
    const server = await rawServer();
    const recording = reconnectingTo(server.port, { setup: login });
    const { eventTypes, values } = recordEvents(recording);
    cut(await server.next());
    await expect.poll(eventTypes).toEqual(['disconnect', 'retry']);
    expect(disconnects(values)[0]?.error?.code).toBe(code);
  });

  test.each([
    ['the last subscriber leaves', 'leave'],
    ['error() is called', 'error'],
    ['close() is called', 'close'],
  ])('is given up when %s: the peer sees a reset', async (_when, how) => {
    const server = await rawServer();
    let left = 0;
    const { reconnecting, clock } = reconnectingTo(server.port, { setup: () => new Observable(() => () => left++) });
    const { subscription } = record(reconnecting);
    const peer = await server.next();
    await turns();
    if (how === 'leave') subscription.unsubscribe();
    else if (how === 'error') reconnecting.error();
    else void reconnecting.close();
    clock.tick(0);
    expect((await drainRaw(peer)).end).toBe('ECONNRESET');
    expect(left).toBe(1);
  });

  test('may give another socket: that one is used', async () => {
    const [first, second] = [await rawServer(), await rawServer()];
    const setup = async (socket: Socket) => {
      const successor = connect({ host: '127.0.0.1', port: second.port });
      void socket.close();
      return successor;
    };
    const { reconnecting } = reconnectingTo(first.port, { setup });
    const { log } = record(reconnecting.eachConnection((bytes) => bytes.pipe(lines())));
    reconnecting.next('hello\n');
    const peer = await second.next();
    const received = collect(peer);
    await expect.poll(() => received.text).toBe('hello\n');
    peer.write('welcome\n');
    await expect.poll(() => log).toEqual(['welcome']);
    expect(reconnecting.socket?.remote).toMatchObject({ port: second.port });
  });
});

describe('connectionPool({ setup })', () => {
  test('runs once on each connection, before the first user', async () => {
    const server = await rawServer((peer) => peer.write('hi\n'));
    let runs = 0;
    const setup = async (socket: Socket) => {
      runs++;
      await login(socket);
    };
    const { pool } = poolOf(server.port, { setup, max: 1 });
    const acquired = acquire(pool);
    const peer = await server.next();
    const received = collect(peer);
    await expect.poll(() => received.text).toBe('login hi\n');
    peer.write('ok\n');
    (await acquired).release();
    await expect.poll(() => pool.idle).toBe(1);
    (await acquire(pool)).release();
    expect(runs).toBe(1);
  });

  test('that fails gives its error to who waits, and the next one dials again', async () => {
    const server = await rawServer();
    let runs = 0;
    const { pool } = poolOf(server.port, {
      setup: () => {
        runs++;
        if (runs === 1) throw new Error('no');
        return undefined;
      },
    });
    await expect(acquire(pool)).rejects.toMatchObject({ code: 'ERR_SETUP_FAILED', cause: new Error('no') });
    (await acquire(pool)).release();
    expect(runs).toBe(2);
  });

  test('that takes too long does so too', async () => {
    const server = await rawServer();
    const { pool, clock } = poolOf(server.port, { setup: () => NEVER, setupTimeout: 500 });
    const acquired = acquire(pool);
    const refused = expect(acquired).rejects.toMatchObject({ code: 'ETIMEDOUT', timeout: 'setupTimeout' });
    const peer = await server.next();
    await turns();
    clock.tick(500);
    await refused;
    expect((await drainRaw(peer)).end).toBe('ECONNRESET');
  });

  test.each([
    ['ends our side', (socket: Socket) => socket.complete(), 'it has ended our side'],
    ['leaves a reader', (socket: Socket) => void reader(socket), 'it has left a reader behind: release it'],
    ['leaves a hold', (socket: Socket) => void socket.hold('mine'), 'it has left a hold behind: mine'],
  ])('that %s has failed', async (_how, leave, problem) => {
    const server = await rawServer();
    const { pool } = poolOf(server.port, {
      setup: (socket) => {
        leave(socket);
        return undefined;
      },
    });
    await expect(acquire(pool)).rejects.toMatchObject({
      code: 'ERR_SETUP_FAILED',
      message: `The setup of the connection failed: ${problem}`,
    });
    expect(['end', 'ECONNRESET']).toContain((await drainRaw(await server.next())).end);
  });

  test('that aborts the connection fails with its reason', async () => {
    const server = await rawServer();
    const { pool } = poolOf(server.port, { setup: async (socket) => socket.error(new Error('me')) });
    await expect(acquire(pool)).rejects.toMatchObject({ code: 'ERR_SOCKET_ABORTED', cause: new Error('me') });
  });

  test('fails if the connection ends meanwhile', async () => {
    const server = await rawServer();
    const { pool } = poolOf(server.port, {
      setup: (socket) => socket.pipe(data(), ignoreElements(), concatWith(NEVER)),
    });
    const refused = expect(acquire(pool)).rejects.toMatchObject({
      code: 'ERR_SETUP_FAILED',
      message: 'The setup of the connection failed: the connection ended before it was done',
    });
    (await server.next()).end();
    await refused;
  });

  test('is given up when nobody waits for the connection any more', async () => {
    const server = await rawServer();
    let left = 0;
    const { pool } = poolOf(server.port, { setup: () => new Observable(() => () => left++) });
    const { subscription } = record(pool.acquire());
    const peer = await server.next();
    await turns();
    subscription.unsubscribe();
    expect((await drainRaw(peer)).end).toBe('ECONNRESET');
    expect(left).toBe(1);
    await pool.close({ drain: 0 });
  });

  test('may return anything: other values mean nothing', async () => {
    const server = await rawServer();
    const { pool } = poolOf(server.port, { setup: ((socket: Socket) => socket.next('hi')) as never });
    (await acquire(pool)).release();
  });

  test('gives the socket that setup gives', async () => {
    const [first, second] = [await rawServer(), await rawServer()];
    const { pool } = poolOf(first.port, {
      setup: async (socket) => {
        const successor = connect({ host: '127.0.0.1', port: second.port });
        void socket.close();
        return successor;
      },
    });
    const { socket, release } = await acquire(pool);
    expect(socket.remote).toMatchObject({ port: second.port });
    release();
  });
});

test.each([
  [{ setup: 'login' }, 'setup must be a function that takes a socket'],
  [{ setupTimeout: -1 }, 'setupTimeout must be'],
])('%o is refused', async (options, message) => {
  expect(() => reconnectingTo(1, options as never)).toThrow(message);
  expect(() => poolOf(1, options as never)).toThrow(message);
});

test('what it returns is not left running if it ends the reconnecting socket', async () => {
  const server = await rawServer();
  let running = 0;
  const work = new Observable<never>(() => {
    running++;
    return () => {
      running--;
    };
  });
  const { reconnecting } = reconnectingTo(server.port, {
    setup: () => {
      reconnecting.error();
      return work;
    },
  });
  await record(reconnecting).ended;
  await turns();
  expect(running).toBe(0);
});
