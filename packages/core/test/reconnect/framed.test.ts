// framed() over a reconnecting socket: frames of all connections, none of them joined from two.
import { once } from 'node:events';
import type net from 'node:net';
import { framed, jsonLinesCodec, linesCodec, mapWithBackpressure } from '@rxsock/core';
import { Subject } from 'rxjs';
import { expect, test } from 'vitest';
import { rawServer } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';
import { turns } from '../../../../tests/support/turns.js';
import { reconnectingTo } from '../support/reconnecting.js';

/** What a plain peer receives next. */
async function nextText(peer: net.Socket): Promise<string> {
  const [bytes] = await once(peer.resume(), 'data');
  return `${bytes}`;
}

test('each connection has its own decoder, and what is written goes to the present one', async () => {
  const server = await rawServer();
  const { reconnecting, clock } = reconnectingTo(server.port);
  const rpc = framed(reconnecting, jsonLinesCodec<{ id: number }>({ trailing: 'drop' }));
  const { values, log } = record(rpc);
  expect(rpc.next({ id: 1 })).toBe(true);
  const first = await server.next();
  expect(await nextText(first)).toBe('{"id":1}\n');
  first.write('{"id":2}\n{"id":');
  await expect.poll(() => values).toEqual([{ id: 2 }]);
  first.resetAndDestroy();
  await expect.poll(() => reconnecting.readyState).toBe('waiting');
  const written = rpc.write({ id: 3 });
  clock.tick(100);
  const second = await server.next();
  await written;
  expect(await nextText(second)).toBe('{"id":3}\n');
  second.write('{"id":4}\n');
  await expect.poll(() => values).toEqual([{ id: 2 }, { id: 4 }]);
  rpc.complete();
  second.end();
  await expect.poll(() => log.at(-1)).toBe('complete');
});

test('a bad frame aborts its connection, and the next one goes on', async () => {
  const server = await rawServer();
  const { reconnecting, clock } = reconnectingTo(server.port);
  const { values, log } = record(framed(reconnecting, jsonLinesCodec()));
  (await server.next()).write('{bad}\n');
  await expect.poll(() => reconnecting.readyState).toBe('waiting');
  clock.tick(100);
  (await server.next()).write('1\n');
  await expect.poll(() => values).toEqual([1]);
  expect(log).toEqual(['1']);
});

test('a consumer that is behind holds the connection, and without subscribers it waits', async () => {
  const server = await rawServer();
  const { reconnecting } = reconnectingTo(server.port);
  const lines = framed(reconnecting, linesCodec());
  const gate = new Subject<void>();
  const { subscription } = record(lines.pipe(mapWithBackpressure(() => gate, { highWaterMark: 1 })));
  const peer = await server.next();
  peer.write('1\n2\n3\n');
  await expect.poll(() => reconnecting.holds).toEqual(['framed ← mapWithBackpressure']);
  subscription.unsubscribe();
  await expect.poll(() => reconnecting.holds).toEqual(['framed ← no subscriber']);
  peer.write('4\n');
  const { values } = record(lines);
  await expect.poll(() => values.at(-1)).toBe('4');
});

test('error() ends the reconnecting socket', async () => {
  const server = await rawServer();
  const { reconnecting } = reconnectingTo(server.port);
  const lines = framed(reconnecting, linesCodec());
  const { ended } = record(lines);
  await server.next();
  await turns();
  lines.error(new Error('enough'));
  expect((await ended).error).toMatchObject({ code: 'ERR_SOCKET_ABORTED', cause: new Error('enough') });
  expect(lines.socket.readyState).toBe('closed');
});
