// The operators over each transport.
import { data, framed, jsonLinesCodec, lines, mapWithBackpressure, relay, through, writeTo } from '@rxsock/core';
import { concat, from, lastValueFrom, map, NEVER, of, throwError, toArray } from 'rxjs';
import { expect } from 'vitest';
import { bytes, expectSame, fillBuffers, MORE_THAN_KERNEL_BUFFERS, sizes } from '../support/bytes.js';
import { readAll, recordStory } from '../support/story.js';
import { topic } from '../support/topic.js';
import { until } from '../support/until.js';

const MEGABYTE = 1_000_000;

export const operators = topic('Operators', (behaviour) => {
  behaviour('through() sends a request, half-closes, and emits the answer', async ({ connected }) => {
    const { near, far } = await connected({ allowHalfOpen: true });
    const request = readAll(far);
    const answer = lastValueFrom(of('GET ', 'everything\r\n').pipe(through(near), lines(), toArray()));
    expect(`${await request}`).toBe('GET everything\r\n');
    far.next('one\ntwo\nthr');
    far.next('ee\n');
    far.complete();
    expect(await answer).toEqual(['one', 'two', 'three']);
  });

  behaviour('through() carries a megabyte in both directions at once', async ({ connected }) => {
    const { near, far } = await connected({ allowHalfOpen: true });
    const sent = bytes(MEGABYTE);
    const pieces = sizes(MEGABYTE, 30_000);
    let at = 0;
    const chunks = from(pieces).pipe(
      map((size) => {
        at += size;
        return sent.subarray(at - size, at);
      }),
    );
    far.pipe(data(), writeTo(far)).subscribe();
    expectSame(Buffer.concat(await lastValueFrom(chunks.pipe(through(near), toArray()))), sent);
  });

  behaviour('through() aborts if its source fails: a part never passes for the whole', ['reset'], async (lab) => {
    const { near, far } = await lab.connected();
    const heard = recordStory(far);
    const broken = throwError(() => new Error('broken'));
    const answer = lastValueFrom(concat(of('half a req'), broken).pipe(through(near)));
    await expect(answer).rejects.toThrow('broken');
    expect((await heard.ended).story).not.toContain('end');
  });

  behaviour(
    'writeTo() aborts if it is unsubscribed: a part never passes for the whole',
    ['reset'],
    async ({ connected }) => {
      const { near, far } = await connected();
      const heard = recordStory(far);
      const writing = concat(of('half'), NEVER).pipe(writeTo(near)).subscribe();
      await until(() => heard.bytes.length === 4);
      writing.unsubscribe();
      expect((await heard.ended).story).not.toContain('end');
    },
  );

  behaviour('relay() joins two connections, and forwards each FIN', async ({ connected }) => {
    const [left, right] = [await connected(), await connected()];
    left.near.allowHalfOpen = true;
    right.far.allowHalfOpen = true;
    const relaying = lastValueFrom(relay(left.far, right.near), { defaultValue: 'done' });
    const request = readAll(right.far);
    const answer = readAll(left.near);
    left.near.next(bytes(MEGABYTE, 5));
    left.near.complete();
    expectSame(await request, bytes(MEGABYTE, 5));
    right.far.next(bytes(MEGABYTE, 6));
    right.far.complete();
    expectSame(await answer, bytes(MEGABYTE, 6));
    expect(await relaying).toBe('done');
  });

  behaviour('relay() makes one side wait for the other', async ({ connected, settle }) => {
    const [left, right] = [await connected(), await connected()];
    const received = readAll(right.far);
    const relaying = lastValueFrom(relay(left.far, right.near), { defaultValue: 'done' });
    recordStory(left.near);
    const release = right.far.hold('busy');
    fillBuffers(left.near);
    fillBuffers(left.near);
    left.near.complete();
    await settle();
    expect(left.near.writableLength).toBeGreaterThan(0);
    expect(right.near.writableLength).toBeLessThan(3_000_000);
    release();
    expect(await received).toHaveLength(2 * MORE_THAN_KERNEL_BUFFERS);
    expect(await relaying).toBe('done');
  });

  behaviour('relay() forwards an abort as an error, never as an end', ['reset'], async ({ connected }) => {
    const [left, right] = [await connected(), await connected()];
    const heard = recordStory(right.far);
    recordStory(left.near);
    const relaying = lastValueFrom(relay(left.far, right.near), { defaultValue: 'done' });
    left.near.error();
    await expect(relaying).rejects.toMatchObject({ name: expect.stringMatching(/Error$/) });
    expect((await heard.ended).story).not.toContain('end');
  });

  behaviour('framed() carries values in both directions', async ({ connected }) => {
    const { near, far } = await connected({ allowHalfOpen: true });
    const [mine, theirs] = [framed(near, jsonLinesCodec<number>()), framed(far, jsonLinesCodec<number>())];
    const answers = lastValueFrom(mine.pipe(toArray()));
    theirs.subscribe({ next: (value) => theirs.next(value * value), complete: () => theirs.complete() });
    for (const value of [1, 2, 3]) mine.next(value);
    mine.complete();
    expect(await answers).toEqual([1, 4, 9]);
  });

  behaviour('mapWithBackpressure() answers in order, however long each answer takes', async ({ connected }) => {
    const { near, far } = await connected({ allowHalfOpen: true });
    const slowFirst = async (line: string) => {
      for (let turn = Number(line); turn < 20; turn++) await new Promise(setImmediate);
      return `${line}\n`;
    };
    far.pipe(data(), lines(), mapWithBackpressure(slowFirst, { concurrency: 4 }), writeTo(far)).subscribe();
    const numbers = Array.from({ length: 40 }, (_, index) => `${index % 20}`);
    const answer = from(numbers.map((number) => `${number}\n`)).pipe(through(near), lines(), toArray());
    expect(await lastValueFrom(answer)).toEqual(numbers);
  });
});
