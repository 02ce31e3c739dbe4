// on(): the events of one type, of a socket and of any other source.
import { on, type SocketEvent } from '@rxsock/core';
import { of } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { closedPort, dial, pair } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';

test('picks the events of its type from any source', () => {
  const events = of<SocketEvent[]>({ type: 'drain' }, { type: 'end' }, { type: 'drain' });
  expect(record(events.pipe(on('drain'))).log).toEqual(['drain', 'drain', 'complete']);
});

test('refuses a type that is not a string', () => {
  expect(() => on(7 as never)).toThrow(new TypeError('type must be a string that is not empty, not 7'));
});

describe('of a socket that fails', () => {
  test.each(['connect', 'end', 'finish'] as const)('fails too while the event %s is still to come', async (type) => {
    const socket = dial({ port: await closedPort(), keepOpen: true });
    expect(await record(socket.pipe(on(type))).ended).toEqual({
      error: expect.objectContaining({ code: 'ECONNREFUSED' }),
    });
  });

  test('completes if the event that comes once has come', async () => {
    const { socket, peer } = await pair({ allowHalfOpen: true });
    const finish = record(socket.pipe(on('finish')));
    socket.complete();
    await expect.poll(() => finish.log).toEqual(['finish']);
    peer.resetAndDestroy();
    expect(await finish.ended).toEqual({});
  });

  test('completes for events that may come often', async () => {
    const { socket, peer } = await pair();
    const drain = record(socket.pipe(on('drain')));
    const reading = record(socket);
    peer.resetAndDestroy();
    expect(await reading.ended).toEqual({ error: expect.objectContaining({ code: 'ECONNRESET' }) });
    expect(await drain.ended).toEqual({});
  });
});

test('of a socket only the type data reads', async () => {
  const { socket, peer } = await pair();
  record(socket.pipe(on('end')));
  peer.write('hello');
  await expect.poll(() => socket.readableLength).toBe(5);
  const received = record(socket.pipe(on('data')));
  await expect.poll(() => received.values.map(({ data }) => data.toString())).toEqual(['hello']);
});
