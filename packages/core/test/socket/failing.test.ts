// What a connection does when this side ends it: to the peer, to its subscribers, and to observers.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { data, lines, mapWithBackpressure } from '@rxsock/core';
import { take } from 'rxjs';
import { expect, onTestFinished, test } from 'vitest';
import { drainRaw, pair } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';

/** The codes of the errors of sockets that are published until the test is over. */
function publishedErrors(): string[] {
  const codes: string[] = [];
  const listener = (message: unknown) => codes.push((message as { error: { code: string } }).error.code);
  subscribe('rxsock:socket:error', listener);
  onTestFinished(() => void unsubscribe('rxsock:socket:error', listener));
  return codes;
}

test('a peer that does not end after our FIN sees that FIN, and no reset, when finTimeout has passed', async () => {
  const { socket, peer } = await pair({ finTimeout: 50 });
  const closed = once(peer, 'close');
  const reading = drainRaw(peer);
  socket.next('whole');
  socket.complete();
  expect(await reading).toEqual({ bytes: Buffer.from('whole'), end: 'end' });
  await expect.poll(() => socket.readyState).toBe('closed');
  peer.end('late');
  const [hadError] = await closed;
  expect(hadError).toBe(false);
});

test('an abort is published once', async () => {
  const codes = publishedErrors();
  const { socket } = await pair();
  const events = record(socket);
  socket.error();
  socket.error();
  await events.ended;
  expect(codes).toEqual(['ERR_SOCKET_ABORTED']);
});

test('an abort of a connection that the peer has reset is no error of its own, and reaches everybody at once', async () => {
  const codes = publishedErrors();
  const { socket, peer } = await pair();
  const never = mapWithBackpressure(() => new Promise<string>(() => {}), { highWaterMark: 1 });
  const waiting = record(socket.pipe(data(), lines(), never));
  peer.write('a\nb\nc\n');
  await expect.poll(() => socket.bytesRead).toBe(6);
  // This waits in the socket, which is held.
  peer.write('d\n');
  await expect.poll(() => socket.bytesRead).toBe(8);
  peer.resetAndDestroy();
  await expect.poll(() => codes).toEqual(['ECONNRESET']);
  expect(waiting.log).toEqual([]);
  socket.error();
  expect(waiting.log).toEqual(['error:ECONNRESET']);
  expect(codes).toEqual(['ECONNRESET']);
});

test('the end comes behind bytes that were given back and that all readers have', async () => {
  const { socket, peer } = await pair({ allowHalfOpen: true });
  const release = socket.hold('the test');
  const first = record(socket.pipe(data(), lines(), take(1)));
  const all = record(socket.pipe(data()));
  peer.end('one\nrest');
  await expect.poll(() => socket.readyState).toBe('writeOnly');
  release();
  await all.ended;
  expect(first.log).toEqual(['one', 'complete']);
  expect(all.log).toEqual(['one\nrest', 'complete']);
});
