// discard() stops delivery while writing continues. The peer does not notice.
import { discard, reader } from '@rxsock/core';
import { describe, expect, test } from 'vitest';
import { drainRaw, pair } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';
import { turns } from '../../../../tests/support/turns.js';

const MIB = 1024 * 1024;

describe('discard()', () => {
  test('takes all that the peer sends, keeps none of it, and writing continues', async () => {
    const { socket, peer } = await pair({ allowHalfOpen: true });
    for (let i = 0; i < 32; i++) peer.write(Buffer.alloc(MIB));
    await turns();
    expect(peer.writableLength).toBeGreaterThan(0);
    const { log, ended } = record(socket.pipe(discard()));
    await expect.poll(() => peer.writableLength).toBe(0);
    await expect.poll(() => socket.bytesRead).toBe(32 * MIB);
    await socket.write('still ');
    peer.end();
    await socket.write('here');
    socket.complete();
    expect(await drainRaw(peer)).toEqual({ bytes: Buffer.from('still here'), end: 'end' });
    expect(await ended).toEqual({});
    expect(log).toEqual(['complete']);
  });

  test('stops what a reader has started', async () => {
    const { socket, peer } = await pair({ highWaterMark: 1000 });
    peer.write('head\n');
    for (let i = 0; i < 32; i++) peer.write(Buffer.alloc(MIB));
    {
      using read = reader(socket);
      expect(await read.readLine()).toBe('head');
    }
    record(socket.pipe(discard()));
    await expect.poll(() => socket.bytesRead).toBe(5 + 32 * MIB);
    expect(peer.writableLength).toBe(0);
  });

  test('stops while it is held', async () => {
    const { socket, peer } = await pair({ highWaterMark: 1000 });
    const release = socket.hold('lunch');
    record(socket.pipe(discard()));
    for (let i = 0; i < 32; i++) peer.write(Buffer.alloc(MIB));
    await turns();
    expect(peer.writableLength).toBeGreaterThan(0);
    release();
    await expect.poll(() => peer.writableLength).toBe(0);
  });

  test('fails with the socket', async () => {
    const { socket, peer } = await pair();
    const { log, ended } = record(socket.pipe(discard()));
    peer.resetAndDestroy();
    await ended;
    expect(log).toEqual(['error:ECONNRESET']);
  });
});
