// Everything that writes more than one chunk notifies its subscriber in the context in which it subscribed.
import { sendFrom, writeTo } from '@rxsock/core';
import { Subject } from 'rxjs';
import { expect, test } from 'vitest';
import { as, watchAs } from '../../../../tests/support/contexts.js';
import { pair } from '../../../../tests/support/raw-peers.js';
import { turns } from '../../../../tests/support/turns.js';

test('writeTo() reports progress in the context of its subscriber, not of the user whose bytes left before', async () => {
  const { socket, peer } = await pair();
  as('other', () => socket.next(Buffer.alloc(4_000_000)));
  const source = new Subject<Buffer>();
  const written = watchAs('writer', source.pipe(writeTo(socket, { end: false })));
  as('writer', () => source.next(Buffer.alloc(1000)));
  peer.resume();
  await expect.poll(() => written.values.at(-1)).toEqual({ bytesSent: 1000 });
  as('other', () => source.complete());
  await written.ended;
  expect(written.users).toEqual(new Set(['writer']));
});

test('writeTo() completes in the context of its subscriber when another user completes its source', async () => {
  const { socket, peer } = await pair();
  peer.resume();
  const source = new Subject<Buffer>();
  const written = watchAs('writer', source.pipe(writeTo(socket)));
  as('other', () => source.complete());
  await written.ended;
  expect(written.log).toEqual(['complete']);
  expect(written.users).toEqual(new Set(['writer']));
});

test('writeTo() and sendFrom() fail in the context of their subscribers when another user aborts the socket', async () => {
  const { socket } = await pair();
  const written = watchAs('writer', new Subject<Buffer>().pipe(writeTo(socket)));
  const sent = watchAs(
    'sender',
    sendFrom(
      socket,
      (async function* () {
        yield Buffer.alloc(1000);
        await new Promise(() => {});
      })(),
    ),
  );
  await turns();
  as('other', () => socket.error());
  await Promise.all([written.ended, sent.ended]);
  expect([...written.users, ...sent.users]).toEqual(['writer', 'sender']);
});
