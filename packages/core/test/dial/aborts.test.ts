// A dial that is given up, at any moment: the peer never sees an end, and nothing stays behind.
import type { ConnectOptions, Socket, SocketEvent } from '@rxsock/core';
import { VirtualClock } from '@rxsock/core/testing';
import { describe, expect, test } from 'vitest';
import { dial, rawServer } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';
import { turns } from '../../../../tests/support/turns.js';
import { hanging, listenOn, resolvesTo, tcpHandles } from '../support/dials.js';

const host = 'several.test';
const both = resolvesTo('127.0.0.6', '::1');

const targets: [string, Partial<ConnectOptions>][] = [
  ['an address', { host: '127.0.0.6' }],
  ['a name', { host, lookup: resolvesTo('127.0.0.6') }],
  ['a name that is resolved at once', { host, lookup: (_host, _options, done) => done(null, '127.0.0.6', 4) }],
  ['two addresses at once', { host, lookup: both, attemptDelay: 0 }],
  ['a silent address and another one', { host, lookup: resolvesTo('127.0.0.5', '127.0.0.6'), attemptDelay: 0 }],
  ['a refusing address and another one', { host, lookup: resolvesTo('127.0.0.7', '127.0.0.6') }],
  ['an address, from a local address', { host: '127.0.0.6', localAddress: '127.0.0.1' }],
];

/** Moments to abort at. */
const moments: [string, (abort: () => void, socket: Socket) => void][] = [
  ['in the same turn', (abort) => abort()],
  ['in the next tick', (abort) => process.nextTick(abort)],
  ['when the kernel has connected and Node does not know it', (abort) => process.nextTick(() => afterTicks(3, abort))],
  ['in the next turn', (abort) => void setImmediate(abort)],
  ['within 3 ms', (abort) => setTimeout(abort, Math.random() * 3)],
  ['at connectionAttempt', (abort, socket) => at('connectionAttempt', socket, abort)],
  ['at connectionAttemptFailed', (abort, socket) => at('connectionAttemptFailed', socket, abort)],
  ['at lookup', (abort, socket) => at('lookup', socket, abort)],
  ['at connect', (abort, socket) => at('connect', socket, abort)],
];

function at(type: SocketEvent['type'], socket: Socket, run: () => void) {
  socket.subscribe({ next: (event) => event.type === type && run(), error: () => {} });
}

/** Runs after some ticks, and then keeps the thread busy, so that the kernel can finish what it does. */
function afterTicks(ticks: number, run: () => void): void {
  if (ticks > 0) return process.nextTick(afterTicks, ticks - 1, run);
  for (const begun = performance.now(); performance.now() - begun < 1; );
  run();
}

const COUNT = 15;

describe.each(targets)('dialling %s', (_target, options) => {
  test.each(moments)('an abort %s is never seen as an end', async (_moment, moment) => {
    const { port, ends } = await listenOn(0, 'silent:127.0.0.5', '127.0.0.6', '::1');
    for (let i = 0; i < COUNT; i++) {
      const socket = dial({ port, ...options });
      const { log, ended } = record(socket);
      let eventsBefore: number | undefined;
      const abort = () => {
        eventsBefore ??= log.length;
        socket.error('enough');
      };
      let handles: string[] | undefined;
      at('close', socket, () => {
        handles = tcpHandles();
      });
      moment(abort, socket);
      // The event of the moment may never come.
      const late = setTimeout(abort, 15);
      const { error } = await ended;
      clearTimeout(late);
      expect(error).toMatchObject({ name: 'AbortedError', cause: 'enough' });
      expect(log.slice(eventsBefore)).toEqual(['close', 'error:ERR_SOCKET_ABORTED']);
      // After `connect` the attempts that have lost may close a little later.
      if (!log.includes('connect')) expect(handles).toEqual([]);
    }
    expect(await ends()).toMatchObject({ empty: 0, whole: 0 });
  });
});

test('an abort while the next attempt waits leaves no timer behind', async () => {
  const { port } = await listenOn(0, 'silent:127.0.0.5');
  const scheduler = new VirtualClock();
  const socket = dial({ port, host, lookup: resolvesTo('127.0.0.5', '127.0.0.6'), scheduler });
  const { log, ended } = record(socket);
  await expect.poll(() => log).toContain('connectionAttempt');
  expect(scheduler.actions).toHaveLength(2);
  socket.error();
  await ended;
  expect(scheduler.actions).toEqual([]);
});

test('an abort with bytes to write is never seen as an end', async () => {
  const { port, ends } = await listenOn(0, '127.0.0.6');
  for (let i = 0; i < COUNT; i++) {
    const socket = dial({ port, host: '127.0.0.6' });
    const written = socket.write('x');
    setImmediate(() => socket.error());
    await written.catch(() => {});
    await record(socket).ended;
  }
  expect(await ends()).toMatchObject({ empty: 0, whole: 0 });
});

test.each([1, 2])('an abort inside the lookup starts no attempt, with %d addresses', async (count) => {
  const server = await rawServer();
  const socket = dial({
    port: server.port,
    host,
    lookup: (_host, _options, done) => {
      socket.error('enough');
      done(null, Array(count).fill({ address: '127.0.0.1', family: 4 }));
    },
  });
  const { log, ended } = record(socket);
  await ended;
  await turns();
  expect(log).toEqual(['close', 'error:ERR_SOCKET_ABORTED']);
  expect(server.peers).toEqual([]);
  expect(tcpHandles()).toEqual(['TCPServerWrap']);
});

test('an answer of the lookup after the abort starts no attempt', async () => {
  const server = await rawServer();
  const { lookup, answer } = hanging();
  const socket = dial({ port: server.port, host, lookup });
  const { log, ended } = record(socket);
  socket.error('enough');
  await ended;
  answer('127.0.0.1');
  await turns();
  expect(log).toEqual(['close', 'error:ERR_SOCKET_ABORTED']);
  expect(server.peers).toEqual([]);
});

test('a lookup that answers twice dials once', async () => {
  const server = await rawServer();
  const socket = dial({
    port: server.port,
    host,
    lookup: (_host, _options, done) => {
      done(null, '127.0.0.1', 4);
      done(null, '127.0.0.2', 4);
    },
  });
  const { log, ended } = record(socket);
  (await server.next()).end();
  await ended;
  expect(log.filter((type) => /^(lookup|connectionAttempt)/.test(type))).toEqual(['lookup', 'connectionAttempt']);
  expect(server.peers).toHaveLength(1);
});
