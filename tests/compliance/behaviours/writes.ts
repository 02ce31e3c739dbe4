// Writing: what next() returns, when write() settles, and what happens to bytes that cannot be sent.
import { SocketError, WriteBufferOverflowError } from '@rxsock/core';
import { expect } from 'vitest';
import { bytes, expectSame, fillBuffers, MORE_THAN_KERNEL_BUFFERS } from '../support/bytes.js';
import { readAll, recordStory } from '../support/story.js';
import { topic } from '../support/topic.js';
import { until } from '../support/until.js';

const MEGABYTE = 1_000_000;

export const writes = topic('Writing', (behaviour) => {
  behaviour('write() settles in order, when the bytes are handed to the system', async ({ connected }) => {
    const { near, far } = await connected();
    const received = readAll(far);
    const order: number[] = [];
    const all = [0, 1, 2, 3].map((index) => near.write(bytes(100_000, index)).then(() => order.push(index)));
    await Promise.all(all);
    expect([order, near.writableLength, near.bytesWritten]).toEqual([[0, 1, 2, 3], 0, 400_000]);
    near.complete();
    expectSame(await received, Buffer.concat([0, 1, 2, 3].map((index) => bytes(100_000, index))));
  });

  behaviour('write() does not settle while the peer reads nothing', async ({ connected, settle }) => {
    const { near, far } = await connected();
    const received = readAll(far);
    const release = far.hold('busy');
    let settled = false;
    fillBuffers(near);
    const written = near.write('last').finally(() => {
      settled = true;
    });
    await settle();
    expect(settled).toBe(false);
    release();
    near.complete();
    await written;
    expect(await received).toHaveLength(MORE_THAN_KERNEL_BUFFERS + 4);
  });

  behaviour('next() returns false at highWaterMark, and one drain follows', async ({ connected, settle }) => {
    const { near, far } = await connected({ highWaterMark: 10_000 });
    const heard = recordStory(near);
    const release = far.hold('busy');
    const received = readAll(far);
    fillBuffers(near);
    expect(near.next('and more')).toBe(false);
    await settle();
    expect(heard.story).toEqual([]);
    release();
    await until(() => heard.story.length > 0);
    expect(near.writableLength).toBe(0);
    expect(heard.story).toEqual(['drain']);
    await until(() => far.bytesRead === MORE_THAN_KERNEL_BUFFERS + 8);
    await settle();
    expect(near.next('little')).toBe(true);
    await settle();
    expect(heard.story).toEqual(['drain']);
    near.complete();
    expect(await received).toHaveLength(MORE_THAN_KERNEL_BUFFERS + 14);
  });

  behaviour('written and queued bytes add up to all accepted bytes', async ({ connected, settle }) => {
    const { near, far } = await connected();
    recordStory(near);
    far.hold('busy');
    fillBuffers(near);
    await settle();
    expect(near.bytesWritten + near.writableLength).toBe(MORE_THAN_KERNEL_BUFFERS);
    near.error();
    const { bytesWritten, bytesUnsent } = await near.close();
    expect(bytesWritten + bytesUnsent).toBe(MORE_THAN_KERNEL_BUFFERS);
    expect(bytesUnsent).toBeGreaterThan(MEGABYTE);
  });

  behaviour('the socket fails beyond maxWriteBuffer', async ({ connected }) => {
    const { near, far } = await connected({ maxWriteBuffer: 5 * MEGABYTE });
    recordStory(far);
    far.hold('busy');
    const heard = recordStory(near);
    for (let i = 0; i < 40 && !heard.over; i++) near.next(Buffer.alloc(MEGABYTE));
    const { error } = await heard.ended;
    expect(error).toBeInstanceOf(WriteBufferOverflowError);
    expect(error).toMatchObject({ code: 'ERR_WRITE_BUFFER_OVERFLOW', limit: 5 * MEGABYTE });
    expect(near.next('no more')).toBe(false);
  });

  behaviour(
    'maxWriteBuffer counts the bytes queued before the current chunk: one chunk of any size passes',
    async (lab) => {
      const { near, far } = await lab.connected({ maxWriteBuffer: 1000 });
      const sent = bytes(MEGABYTE);
      near.next(sent);
      near.complete();
      expectSame(await readAll(far), sent);
    },
  );

  behaviour('error() rejects every queued write with the error of the socket', async ({ connected }) => {
    const { near, far } = await connected();
    recordStory(far);
    far.hold('busy');
    const heard = recordStory(near);
    fillBuffers(near);
    const written = Promise.allSettled([near.write('waits'), near.write('too')]);
    near.error(new Error('enough'));
    const { error } = await heard.ended;
    expect((await written).map((write) => 'reason' in write && write.reason)).toEqual([error, error]);
  });

  behaviour('a queued write is rejected when the peer is gone: it never hangs', async ({ connected }) => {
    const { near, far } = await connected({ allowHalfOpen: true });
    recordStory(far);
    far.hold('busy');
    const heard = recordStory(near);
    fillBuffers(near);
    const written = near.write('waits');
    far.error();
    const [outcome] = await Promise.allSettled([written]);
    expect(outcome).toEqual({ status: 'rejected', reason: expect.any(SocketError) });
    expect((await heard.ended).error).toBeInstanceOf(SocketError);
  });

  behaviour('writing to a closed socket is rejected, with a warning', async ({ connected, warnings }) => {
    const { near } = await connected();
    await near.close();
    expect(near.next('too late')).toBe(false);
    expect(warnings()).toEqual(['ERR_STREAM_WRITE_AFTER_END']);
    await expect(near.write('too late')).rejects.toMatchObject({ name: 'SocketError' });
  });

  behaviour('a rejection that nobody handles is harmless', async ({ connected, settle }) => {
    const { near } = await connected();
    recordStory(near);
    fillBuffers(near);
    void near.write('waits');
    near.error();
    void near.write('too late');
    await settle();
    expect(near.readyState).toBe('closed');
  });
});
