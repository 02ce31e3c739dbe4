// OpenSSL takes less than 2^31 bytes in one call.
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Socket } from 'node:net';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { setNodeInternals } from '../../../../tests/support/node-internals.js';
import { versions } from '../support/identities.js';
import { pair } from '../support/peers.js';

const MiB = 1024 * 1024;

describe.each(versions)('%s', (version) => {
  test('a chunk in pieces is reported where the writes of the stream cannot be patched', async () => {
    onTestFinished(setNodeInternals({ writes: false }));
    const { socket, peer } = await pair('dialled', version);
    peer.resume();
    const large = socket.write(Buffer.alloc(40 * MiB));
    await large;
    await socket.write('after');
    expect(socket.bytesWritten).toBe(40 * MiB + 5);
    socket.complete();
    await once(peer, 'end');
  });

  test('a chunk of more than 2^31 bytes begins to arrive', async () => {
    const { socket, peer } = await pair('dialled', version);
    // Its memory is never touched, so it takes none.
    const chunk = Buffer.alloc(2 ** 31 + 1);
    const rejected = vi.fn();
    socket.write(chunk).catch(rejected);
    let received = 0;
    peer.on('data', ({ length }: Buffer) => {
      received += length;
    });
    await expect.poll(() => received).toBeGreaterThan(40 * MiB);
    expect(rejected).not.toHaveBeenCalled();
    expect(socket.bytesWritten + socket.writableLength).toBe(chunk.length);
  });

  test('a chunk that is given to the stream in pieces arrives whole, and what is written after it arrives next', async () => {
    const writes = vi.spyOn(Socket.prototype, 'write');
    const { socket, peer } = await pair('dialled', version);
    const hash = createHash('sha256');
    peer.on('data', (bytes: Buffer) => hash.update(bytes));
    const [first, large] = [randomBytes(10), randomBytes(40 * MiB)];
    const order: string[] = [];
    socket.write(first).then(() => order.push('first'));
    socket.write(large).then(() => order.push('large'));
    socket.write('after').then(() => order.push('after'));
    socket.complete();
    await once(peer, 'end');
    const expected = createHash('sha256').update(first).update(large).update('after');
    expect(hash.digest('hex')).toBe(expected.digest('hex'));
    expect(order).toEqual(['first', 'large', 'after']);
    expect(socket.bytesWritten).toBe(40 * MiB + 15);
    const sizes = writes.mock.calls.map(([bytes]) => (bytes as Uint8Array).length);
    expect(Math.max(...sizes)).toBe(16 * MiB);
    writes.mockRestore();
  });
});
