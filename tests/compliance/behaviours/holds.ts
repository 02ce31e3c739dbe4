// Holds: a consumer that does not read makes the peer wait, and loses nothing.
import { data, mapWithBackpressure, type Socket } from '@rxsock/core';
import { lastValueFrom, map, toArray } from 'rxjs';
import { expect } from 'vitest';
import { bytes, expectSame, MORE_THAN_KERNEL_BUFFERS } from '../support/bytes.js';
import { readAll, recordStory } from '../support/story.js';
import { topic } from '../support/topic.js';
import { until } from '../support/until.js';

const CHUNK = 65_536;

/** Writes for as long as bytes are sent. Returns how many. */
async function fill(socket: Socket, settle: () => Promise<void>, most: number): Promise<number> {
  for (let before = -1; socket.bytesWritten > before && socket.bytesWritten < most; await settle()) {
    before = socket.bytesWritten;
    while (socket.readyState === 'open' && socket.writableLength < 4 * CHUNK) socket.next(Buffer.alloc(CHUNK));
  }
  return socket.bytesWritten;
}

export const holds = topic('Holds', (behaviour) => {
  behaviour(
    'a held socket delivers nothing; when released, it delivers everything in order',
    async ({ connected, settle }) => {
      const { near, far } = await connected();
      const heard = recordStory(near);
      const release = near.hold('busy');
      const sent = bytes(300_000);
      far.next(sent);
      far.complete();
      await settle();
      expect(heard.story).toEqual([]);
      release();
      expectSame((await heard.ended).bytes, sent);
    },
  );

  behaviour('a held socket makes its peer wait, with bounded memory', async ({ connected, settle }) => {
    const { near, far } = await connected();
    const received = lastValueFrom(near.pipe(data(), toArray()));
    const release = near.hold('busy');
    const written = await fill(far, settle, MORE_THAN_KERNEL_BUFFERS);
    expect(written).toBeLessThan(MORE_THAN_KERNEL_BUFFERS);
    expect(far.next('')).toBe(false);
    expect(near.bytesRead).toBeLessThan(4 * CHUNK);
    const total = written + far.writableLength;
    far.complete();
    release();
    expect(Buffer.concat(await received)).toHaveLength(total);
  });

  behaviour('holds are counted: delivery continues when the last one is released', async ({ connected, settle }) => {
    const { near, far } = await connected();
    const heard = recordStory(near);
    const releases = ['disk', 'database'].map((name) => near.hold(name));
    expect(near.holds).toEqual(['disk', 'database']);
    far.next('x');
    releases[0]?.();
    releases[0]?.();
    await settle();
    expect([near.holds, heard.story]).toEqual([['database'], []]);
    releases[1]?.();
    await until(() => heard.bytes.length === 1);
  });

  behaviour('a hold during a delivery stops it after that chunk', async ({ connected, settle }) => {
    const { near, far } = await connected();
    let release = () => {};
    let chunks = 0;
    const heard = recordStory(near, ({ type }) => {
      if (type === 'data' && ++chunks === 1) release = near.hold('enough for now');
    });
    far.next(bytes(500_000));
    far.complete();
    await until(() => chunks === 1);
    await settle();
    expect(chunks).toBe(1);
    release();
    expectSame((await heard.ended).bytes, bytes(500_000));
  });

  behaviour('one direction continues while the other is held', async ({ connected }) => {
    const { near, far } = await connected({ allowHalfOpen: true });
    recordStory(near);
    near.hold('busy');
    far.next(bytes(300_000));
    const received = readAll(far);
    const sent = bytes(1_000_000, 3);
    near.next(sent);
    near.complete();
    expectSame(await received, sent);
  });

  behaviour('a slow consumer at the end of a pipeline makes the peer wait', async ({ connected, settle }) => {
    const { near, far } = await connected();
    let resume = () => {};
    const gate = new Promise<void>((resolve) => {
      resume = resolve;
    });
    let total = 0;
    const slow = near.pipe(
      data(),
      mapWithBackpressure((chunk) => gate.then(() => chunk.length)),
      map((length) => {
        total += length;
        return total;
      }),
    );
    const received = lastValueFrom(slow);
    const written = await fill(far, settle, MORE_THAN_KERNEL_BUFFERS);
    expect(written).toBeLessThan(MORE_THAN_KERNEL_BUFFERS);
    expect(total).toBe(0);
    const all = written + far.writableLength;
    far.complete();
    resume();
    expect(await received).toBe(all);
  });

  behaviour("a held socket notices the peer's FIN and does not emit it", async ({ connected, settle }) => {
    const { near, far } = await connected();
    const heard = recordStory(near);
    const release = near.hold('busy');
    far.complete();
    await until(() => near.readyState === 'writeOnly');
    await settle();
    expect(heard.story).toEqual([]);
    release();
    expect((await heard.ended).story).toEqual(['end', 'finish', 'close', 'complete']);
  });
});
