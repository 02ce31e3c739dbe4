// Bytes arrive whole, in order and unchanged, whatever their number and chunking.
import { data } from '@rxsock/core';
import { expect } from 'vitest';
import { bytes, expectSame, sizes } from '../support/bytes.js';
import { readAll, recordStory } from '../support/story.js';
import { topic } from '../support/topic.js';
import { until } from '../support/until.js';

const MEBIBYTE = 1_048_576;

export const dataTopic = topic('Data', (behaviour) => {
  for (const size of [1, 1023, 65_535, 65_536, 65_537, MEBIBYTE]) {
    behaviour(`${size.toLocaleString('en')} bytes in one write arrive whole`, async ({ connected }) => {
      const { near, far } = await connected();
      const sent = bytes(size);
      near.next(sent);
      near.complete();
      expectSame(await readAll(far), sent);
    });
  }

  behaviour('a FIN without bytes is an end and nothing else', async ({ connected }) => {
    const { near, far } = await connected();
    const heard = recordStory(far);
    near.complete();
    expect((await heard.ended).story.filter((event) => event !== 'finish')).toEqual(['end', 'close', 'complete']);
  });

  behaviour('an empty chunk sends nothing', async ({ connected }) => {
    const { near, far } = await connected();
    const heard = recordStory(far);
    await near.write('');
    expect(near.next(new Uint8Array(0))).toBe(true);
    await near.write('x');
    await near.write(Buffer.alloc(0));
    near.complete();
    expect(`${(await heard.ended).bytes}`).toBe('x');
    expect(near.bytesWritten).toBe(1);
  });

  behaviour('many writes of any size arrive as if they were one', async ({ connected }) => {
    const { near, far } = await connected();
    const sent = bytes(MEBIBYTE);
    let at = 0;
    for (const size of sizes(MEBIBYTE, 20_000)) {
      near.next(sent.subarray(at, at + size));
      at += size;
    }
    near.complete();
    expectSame(await readAll(far), sent);
  });

  behaviour('one byte at a time arrives in order', async ({ connected }) => {
    const { near, far } = await connected();
    const sent = bytes(3000);
    for (const byte of sent) near.next(Uint8Array.of(byte));
    near.complete();
    expectSame(await readAll(far), sent);
  });

  behaviour('a mebibyte in each direction at once arrives whole', async ({ connected }) => {
    const { near, far } = await connected({ allowHalfOpen: true });
    const there = bytes(MEBIBYTE, 1);
    const back = bytes(MEBIBYTE, 2);
    const received = Promise.all([readAll(near), readAll(far)]);
    for (let at = 0; at < MEBIBYTE; at += 16_384) {
      near.next(there.subarray(at, at + 16_384));
      far.next(back.subarray(at, at + 16_384));
    }
    near.complete();
    far.complete();
    const [byNear, byFar] = await received;
    expectSame(byNear, back);
    expectSame(byFar, there);
  });

  behaviour('requests and replies alternate', async ({ connected }) => {
    const { near, far } = await connected();
    far.pipe(data()).subscribe((question) => far.next(`${Number(`${question}`) + 1}`));
    let count = 0;
    near.pipe(data()).subscribe((answer) => {
      count = Number(`${answer}`);
      if (count < 200) near.next(`${count}`);
      else near.complete();
    });
    near.next('0');
    await until(() => near.readyState === 'closed');
    expect(count).toBe(200);
  });

  behaviour('a string is written as UTF-8, and a part of a larger array as that part', async ({ connected }) => {
    const { near, far } = await connected();
    near.next('grün 🌍 ');
    near.next(new Uint8Array([0, 1, 2, 255, 4]).subarray(1, 4));
    near.complete();
    expect(await readAll(far)).toEqual(Buffer.from([...Buffer.from('grün 🌍 '), 1, 2, 255]));
  });

  behaviour('an invalid chunk throws a TypeError and does no harm', async ({ connected }) => {
    const { near, far } = await connected();
    for (const chunk of [null, undefined, 5, {}, new Uint16Array(2)]) {
      expect(() => near.next(chunk as never)).toThrow(TypeError);
      expect(() => near.write(chunk as never)).toThrow(TypeError);
    }
    near.next('fine');
    near.complete();
    expect(`${await readAll(far)}`).toBe('fine');
  });

  behaviour('every reader receives all bytes', async ({ connected }) => {
    const { near, far } = await connected();
    const sent = bytes(300_000);
    const received = Promise.all([readAll(far), readAll(far), readAll(far)]);
    near.next(sent);
    near.complete();
    for (const buffer of await received) expectSame(buffer, sent);
  });

  behaviour('both ends count the same bytes', async ({ connected }) => {
    const { near, far } = await connected();
    near.next(bytes(200_000));
    far.next(bytes(30_000));
    const heard = [recordStory(near), recordStory(far)];
    await until(() => far.bytesRead === 200_000 && near.bytesRead === 30_000);
    near.complete();
    await Promise.all(heard.map(({ ended }) => ended));
    const reports = await Promise.all([near.close(), far.close()]);
    expect(reports).toMatchObject([
      { bytesWritten: 200_000, bytesRead: 30_000, bytesUnsent: 0 },
      { bytesWritten: 30_000, bytesRead: 200_000, bytesUnsent: 0 },
    ]);
  });
});
