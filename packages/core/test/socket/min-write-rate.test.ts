// minWriteRate, on a virtual clock: which peers are too slow. The peer reads only what a test takes from it.
import { fromDuplex, SocketTimeoutError } from '@rxsock/core';
import { VirtualClock } from '@rxsock/core/testing';
import { expect, test } from 'vitest';
import { dial, opened, rawServer } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';
import { duplexPair } from '../../src/testing/memory-duplex.js';

const WINDOW = 1000;

/** A socket that must be read at 100 bytes per second, and a peer that takes at most 1,000 bytes ahead. */
function arrange(options: object = { minWriteRate: 100, writeGracePeriod: 10_000 }) {
  const scheduler = new VirtualClock();
  const [near, far] = duplexPair({
    scheduler,
    windows: [WINDOW, WINDOW],
    faults: [{}, {}],
    connectionNumber: 0,
  });
  const socket = fromDuplex(near, { scheduler, keepOpen: true, ...options });
  const recording = record(socket);
  const peer = fromDuplex(far, { scheduler, keepOpen: true, highWaterMark: 100 });
  /** The peer reads, and time passes. */
  const pass = (milliseconds: number, reads: boolean) => {
    const release = reads ? () => {} : peer.hold();
    scheduler.tick(milliseconds);
    release();
  };
  peer.subscribe({ error: () => {} });
  /** Writes in pieces, so that progress can be seen. */
  const write = (bytes: number) => {
    for (let left = bytes; left > 0; left -= 100) socket.next(Buffer.alloc(Math.min(left, 100)));
  };
  return { scheduler, socket, peer, pass, write, ...recording };
}

test('a peer that reads nothing is given up after once to twice the grace period', async () => {
  const { socket, peer, write, scheduler, ended } = arrange();
  peer.hold();
  write(50_000);
  scheduler.tick(19_999);
  expect(socket.readyState).toBe('open');
  scheduler.tick(1);
  const { error } = await ended;
  expect(error).toBeInstanceOf(SocketTimeoutError);
  expect(error).toMatchObject({ timeout: 'minWriteRate', milliseconds: 10_000 });
  expect((error as Error).message).toContain('was read at less than 100 bytes per second for 10000 ms (minWriteRate)');
  expect(await socket.close()).toMatchObject({ by: 'local', how: 'timeout' });
});

test('bytes that were written before the connection was open count, too', async () => {
  const scheduler = new VirtualClock();
  const server = await rawServer();
  const options = { scheduler, keepOpen: true, minWriteRate: 100, writeGracePeriod: 10_000 };
  const socket = dial({ port: server.port, ...options });
  socket.next(Buffer.alloc(20_000_000));
  await Promise.all([server.next(), opened(socket)]);
  scheduler.tick(20_000);
  expect(await socket.close()).toMatchObject({ how: 'timeout' });
});

test('a peer that takes everything is fast enough, however little that is', () => {
  const { socket, pass, write } = arrange();
  for (let second = 0; second < 200; second++) {
    write(1);
    pass(1000, true);
  }
  expect(socket.readyState).toBe('open');
});

test('a peer that stops reading later is given up, too', () => {
  const { socket, peer, write, scheduler } = arrange();
  write(5_000);
  scheduler.tick(60_000);
  expect(socket.readyState).toBe('open');
  peer.hold();
  write(50_000);
  scheduler.tick(20_000);
  expect(socket.readyState).toBe('closed');
});

test('nothing runs while nothing waits', () => {
  const { socket, write, scheduler } = arrange();
  write(5_000);
  scheduler.tick(20_000);
  expect(socket.writableLength).toBe(0);
  expect(scheduler.actions).toEqual([]);
});

test('nothing runs after the end', () => {
  const { socket, peer, write, scheduler } = arrange();
  peer.hold();
  write(50_000);
  socket.error();
  scheduler.tick(0);
  expect(socket.readyState).toBe('closed');
  expect(scheduler.actions).toEqual([]);
});

test('the time limit of a close() replaces it', async () => {
  const { socket, peer, write, scheduler } = arrange();
  peer.hold();
  write(50_000);
  const closed = socket.close({ timeout: 60_000 });
  scheduler.tick(59_999);
  expect(socket.readyState).toBe('closing');
  scheduler.tick(1);
  expect(await closed).toMatchObject({ how: 'timeout' });
});

test('is off by default', () => {
  const { socket, peer, write, scheduler } = arrange({});
  peer.hold();
  write(50_000);
  scheduler.tick(1e9);
  expect(socket.readyState).toBe('open');
});
