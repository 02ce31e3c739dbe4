// A socket notifies each subscriber in the AsyncLocalStorage context in which it subscribed, whoever causes the event.
import { data, on } from '@rxsock/core';
import { take } from 'rxjs';
import { expect, test } from 'vitest';
import { as, watchAs } from '../../../../tests/support/contexts.js';
import { pair } from '../../../../tests/support/raw-peers.js';

test('notifies each subscriber of bytes, events and the end in its own context', async () => {
  const { socket, peer } = await pair();
  const reader = watchAs('reader', socket);
  const bytes = watchAs('bytes', socket.pipe(data()));
  const watcher = watchAs('watcher', socket.pipe(on('end')));
  peer.end('x');
  await bytes.ended;
  as('closer', () => socket.complete());
  await reader.ended;
  await watcher.ended;
  expect(reader.log).toEqual(['connect', 'data', 'end', 'finish', 'close', 'complete']);
  expect(bytes.log).toEqual(['x', 'complete']);
  expect(watcher.log).toEqual(['end', 'complete']);
  expect([reader.users, bytes.users, watcher.users]).toEqual([
    new Set(['reader']),
    new Set(['bytes']),
    new Set(['watcher']),
  ]);
});

test('notifies each subscriber in its own context of an error that another user causes', async () => {
  const { socket } = await pair();
  const first = watchAs('first', socket);
  const second = watchAs('second', socket.pipe(data()));
  as('other', () => socket.error(new Error('by another user')));
  await Promise.all([first.ended, second.ended]);
  expect(first.log).toEqual(['connect', 'close', 'error:ERR_SOCKET_ABORTED']);
  expect(second.log).toEqual(['error:ERR_SOCKET_ABORTED']);
  expect(first.users).toEqual(new Set(['first']));
  expect(second.users).toEqual(new Set(['second']));
});

test('delivers in the context of the reader when another user releases its hold', async () => {
  const { socket, peer } = await pair();
  const reader = watchAs('reader', socket.pipe(data(), take(1)));
  const release = as('other', () => socket.hold());
  peer.write('x');
  await expect.poll(() => socket.bytesRead).toBe(1);
  as('other', () => release());
  expect(reader.log).toEqual(['x', 'complete']);
  expect(reader.users).toEqual(new Set(['reader']));
});

test('notifies observers of readyStates in their own context', async () => {
  const { socket } = await pair();
  const first = watchAs('first', socket.readyStates);
  const second = watchAs('second', socket.readyStates);
  as('other', () => socket.error());
  await Promise.all([first.ended, second.ended]);
  expect(first.log).toEqual(['open', 'closing', 'closed', 'complete']);
  expect(second.log).toEqual(first.log);
  expect(first.users).toEqual(new Set(['first']));
  expect(second.users).toEqual(new Set(['second']));
});
