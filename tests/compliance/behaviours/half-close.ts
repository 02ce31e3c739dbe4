// Half-close: each direction ends on its own.
import { data, on } from '@rxsock/core';
import { firstValueFrom, toArray } from 'rxjs';
import { expect } from 'vitest';
import { bytes, expectSame } from '../support/bytes.js';
import { readAll, recordStory } from '../support/story.js';
import { topic } from '../support/topic.js';
import { until } from '../support/until.js';

const halfOpen = { allowHalfOpen: true };

export const halfClose = topic('Half-close', (behaviour) => {
  behaviour('complete() sends FIN after all written bytes', async ({ connected }) => {
    const { near, far } = await connected();
    const sent = bytes(4_000_000);
    near.next(sent);
    near.complete();
    const heard = await recordStory(far).ended;
    expectSame(heard.bytes, sent);
    expect(heard.story.filter((event) => event !== 'finish')).toEqual(['data', 'end', 'close', 'complete']);
  });

  behaviour('after our FIN a late answer of any size is read', async ({ connected }) => {
    const { near, far } = await connected(halfOpen);
    const heard = recordStory(near);
    near.next('request');
    near.complete();
    expect(`${await readAll(far)}`).toBe('request');
    await until(() => near.readyState === 'readOnly');
    const answer = bytes(1_000_000);
    far.next(answer);
    far.complete();
    expect((await heard.ended).story).toEqual(['finish', 'data', 'end', 'close', 'complete']);
    expectSame(heard.bytes, answer);
  });

  behaviour("the peer's FIN completes the bytes, not the connection", async ({ connected, settle }) => {
    const { near, far } = await connected(halfOpen);
    far.complete();
    expect(await readAll(near)).toHaveLength(0);
    await settle();
    expect([near.readyState, far.readyState]).toEqual(['writeOnly', 'readOnly']);
    const heard = recordStory(far);
    await near.write('still here');
    near.complete();
    expect(`${(await heard.ended).bytes}`).toBe('still here');
  });

  behaviour("without allowHalfOpen the peer's FIN ends our side, after the written bytes", async ({ connected }) => {
    const { near, far } = await connected();
    const sent = bytes(2_000_000);
    const received = readAll(far);
    const heard = recordStory(near, ({ type }) => {
      if (type === 'end') near.next('after the end: still whole');
    });
    near.next(sent);
    far.complete();
    expectSame(await received, Buffer.concat([sent, Buffer.from('after the end: still whole')]));
    expect((await heard.ended).story.filter((event) => event !== 'drain')).toEqual([
      'end',
      'finish',
      'close',
      'complete',
    ]);
  });

  behaviour("with allowHalfOpen our side stays open after the peer's FIN", async ({ timed, clock, settle }) => {
    const { near, far } = await timed({ ...halfOpen, halfOpenTimeout: 0 });
    recordStory(near);
    const heard = recordStory(far);
    far.complete();
    await until(() => near.readyState === 'writeOnly');
    clock.tick(3_600_000);
    await settle();
    expect([near.readyState, far.readyState]).toEqual(['writeOnly', 'readOnly']);
    near.complete();
    await heard.ended;
    await until(() => near.readyState === 'closed');
  });

  behaviour('allowHalfOpen may be set on an open socket', async ({ connected }) => {
    const { near, far } = await connected();
    near.allowHalfOpen = true;
    recordStory(near);
    const answer = readAll(far);
    far.complete();
    await until(() => near.readyState === 'writeOnly');
    near.next('answer');
    near.complete();
    expect(`${await answer}`).toBe('answer');
  });

  behaviour('readyState says which directions are open, and readyStates emits each change', async ({ connected }) => {
    const { near, far } = await connected(halfOpen);
    recordStory(near);
    recordStory(far);
    const changes = [near, far].map((socket) => firstValueFrom(socket.readyStates.pipe(toArray())));
    expect([near.readyState, far.readyState]).toEqual(['open', 'open']);
    near.complete();
    await until(() => near.readyState === 'readOnly' && far.readyState === 'writeOnly');
    far.complete();
    const states = await Promise.all(changes);
    expect(states.map((each) => each.slice(0, 3))).toEqual([
      ['open', 'readOnly', 'closing'],
      ['open', 'writeOnly', 'closing'],
    ]);
    expect([near.readyState, far.readyState, ...states.map((each) => each.at(-1))]).toEqual(Array(4).fill('closed'));
  });

  behaviour('a write after complete() is rejected, and the peer gets a clean end', async ({ connected }) => {
    const { near, far } = await connected(halfOpen);
    const received = readAll(far);
    near.next('all');
    near.complete();
    await expect(near.write('more')).rejects.toMatchObject({ code: 'ERR_STREAM_WRITE_AFTER_END' });
    expect(`${await received}`).toBe('all');
  });

  behaviour('completing again does nothing', async ({ connected }) => {
    const { near, far } = await connected(halfOpen);
    const heard = [recordStory(near), recordStory(far)];
    near.complete();
    near.complete();
    await until(() => near.readyState === 'readOnly' && far.readyState === 'writeOnly');
    near.complete();
    far.complete();
    for (const { ended } of heard) await ended;
    expect(heard[0]?.story).toEqual(['finish', 'end', 'close', 'complete']);
    expect(heard[1]?.story).toEqual(['end', 'finish', 'close', 'complete']);
  });

  behaviour('later subscribers get end and finish too', async ({ connected }) => {
    const { near, far } = await connected(halfOpen);
    recordStory(near);
    recordStory(far);
    near.complete();
    await until(() => near.readyState === 'readOnly' && far.readyState === 'writeOnly');
    await firstValueFrom(near.pipe(on('finish')));
    await firstValueFrom(far.pipe(on('end')));
    expect(await readAll(far)).toHaveLength(0);
  });

  behaviour('the bytes come before the end, however late something subscribes', async ({ connected, settle }) => {
    const { near, far } = await connected();
    far.next('first');
    far.complete();
    await settle();
    const story: string[] = [];
    near.pipe(data()).subscribe({ next: (chunk) => story.push(`${chunk}`), complete: () => story.push('complete') });
    await until(() => story.length === 2);
    expect(story).toEqual(['first', 'complete']);
  });
});
