// A socket notifies each subscriber in the AsyncLocalStorage context in which it subscribed, whoever causes the event.
import type { Socket } from 'node:net';
import { data, on } from '@rxsock/core';
import { take, tap } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { as, enterAs, watchAs } from '../../../../tests/support/contexts.js';
import { pair } from '../../../../tests/support/raw-peers.js';
import { type Recording, record } from '../../../../tests/support/record.js';

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

describe('a reader that receives many chunks', () => {
  test('is notified in its own context, which is not that of the code that dialled', async () => {
    const { socket, peer } = await as('dialler', () => pair());
    const reader = watchAs('reader', socket.pipe(data()));
    await sendEach(peer, reader, ['a', 'b', 'c']);
    expect(reader.users).toEqual(new Set(['reader']));
  });

  test('does not pass on the store that it enters to the next reader', async () => {
    const { socket, peer } = await as('dialler', () => pair({ keepOpen: true }));
    const first = as('dialler', () => record(socket.pipe(data(), tap(enterAsFirst), take(2))));
    await sendEach(peer, first, ['a', 'b']);
    const second = watchAs('dialler', socket.pipe(data()));
    await sendEach(peer, second, ['c', 'd']);
    expect(second.users).toEqual(new Set(['dialler']));
  });

  test('does not disturb another reader by the store that it enters', async () => {
    const { socket, peer } = await as('dialler', () => pair());
    const enter = (chunk: Buffer) => chunk.toString() === 'b' && enterAsFirst();
    as('dialler', () => record(socket.pipe(data(), tap(enter))));
    const second = watchAs('dialler', socket.pipe(data()));
    await sendEach(peer, second, ['a', 'b', 'c']);
    expect(second.users).toEqual(new Set(['dialler']));
  });
});

const enterAsFirst = () => enterAs('first');

/** Sends chunk after chunk, each when the one before it was received. */
async function sendEach(peer: Socket, reader: Recording<unknown>, chunks: readonly string[]): Promise<void> {
  for (const chunk of chunks) {
    peer.write(chunk);
    await expect.poll(() => reader.log).toContain(chunk);
  }
}
