// A datagram socket notifies each subscriber in the AsyncLocalStorage context in which it subscribed.
import { VirtualClock } from '@rxsock/core/testing';
import { bind, connect, request } from '@rxsock/udp';
import { expect, onTestFinished, test } from 'vitest';
import { as, watchAs } from '../../../../tests/support/contexts.js';
import { rawPeer } from '../support/peers.js';

test('all subscribers are notified in their own contexts, of events and of the end', async () => {
  const socket = bind();
  const first = watchAs('first', socket);
  const second = watchAs('second', socket);
  const states = watchAs('states', socket.readyStates);
  const { port } = await as('other', () => socket.bind());
  const peer = await rawPeer();
  await peer.send('x', port);
  as('writer', () => socket.next({ data: 'x', remote: { address: '127.0.0.1', port: 0 } }));
  await expect.poll(() => second.log).toEqual(expect.arrayContaining(['message', 'sendError']));
  await as('closer', () => socket.close());
  await Promise.all([first.ended, second.ended, states.ended]);
  const late = watchAs('late', socket);
  await late.ended;
  expect(first.log).toEqual(second.log);
  expect(first.log.slice(-2)).toEqual(['close', 'complete']);
  expect([first.users, second.users, states.users, late.users]).toEqual([
    new Set(['first']),
    new Set(['second']),
    new Set(['states']),
    new Set(['late']),
  ]);
});

test('an abort by another user fails each subscriber, and a request, in its own context', async () => {
  const silent = await rawPeer();
  const socket = connect({ host: '127.0.0.1', port: silent.port });
  onTestFinished(() => socket.error());
  const reader = watchAs('reader', socket);
  const asking = watchAs('asking', request(socket, 'question', { timeout: 0 }));
  await expect.poll(() => silent.received).toEqual(['question']);
  as('other', () => socket.error());
  await Promise.all([reader.ended, asking.ended]);
  expect(reader.log.slice(-2)).toEqual(['close', 'error:ERR_SOCKET_ABORTED']);
  expect(asking.log).toEqual(['error:ERR_SOCKET_ABORTED']);
  expect([reader.users, asking.users]).toEqual([new Set(['reader']), new Set(['asking'])]);
});

test('timers notify a request, and a subscriber that comes after the end, in their own contexts', async () => {
  const silent = await rawPeer();
  const scheduler = new VirtualClock();
  const socket = connect({ host: '127.0.0.1', port: silent.port, scheduler });
  const asking = watchAs('asking', request(socket, 'question', { timeout: 100, retries: 0 }));
  await expect.poll(() => silent.received).toEqual(['question']);
  as('other', () => scheduler.tick(100));
  expect(asking.log).toEqual(['error:ETIMEDOUT']);
  await socket.close();
  const late = watchAs('late', socket);
  as('other', () => scheduler.tick(0));
  expect(late.log).toEqual(['close', 'complete']);
  expect([asking.users, late.users]).toEqual([new Set(['asking']), new Set(['late'])]);
});
