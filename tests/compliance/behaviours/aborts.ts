// Aborting, and what the aborting side reports.
import { AbortedError } from '@rxsock/core';
import { expect } from 'vitest';
import { recordStory } from '../support/story.js';
import { topic } from '../support/topic.js';

export const aborts = topic('Aborts', (behaviour) => {
  behaviour('error() fails with an AbortedError that has the reason, after close', async ({ connected }) => {
    const { near } = await connected();
    const heard = recordStory(near);
    const reason = new Error('enough');
    near.error(reason);
    const { error, story } = await heard.ended;
    expect(error).toBeInstanceOf(AbortedError);
    expect(error).toMatchObject({ code: 'ERR_SOCKET_ABORTED', cause: reason });
    expect(story).toEqual(['close', 'AbortedError']);
    expect(await near.close()).toMatchObject({ by: 'local', how: 'abort' });
  });

  behaviour('a signal aborts an open socket', async ({ connected }) => {
    const abort = new AbortController();
    const { near } = await connected({ signal: abort.signal });
    const heard = recordStory(near);
    abort.abort(new Error('time to go'));
    expect((await heard.ended).error).toMatchObject({ name: 'AbortedError', cause: abort.signal.reason });
  });

  behaviour('aborting again does nothing: the first reason stays', async ({ connected }) => {
    const { near } = await connected();
    const heard = recordStory(near);
    near.error('first');
    near.error('second');
    await heard.ended;
    near.error('third');
    expect(heard.error).toMatchObject({ cause: 'first' });
    expect((await recordStory(near).ended).error).toBe(heard.error);
  });

  behaviour('an abort while held drops what was received', async ({ connected, settle }) => {
    const { near, far } = await connected();
    const heard = recordStory(near);
    near.hold('busy');
    far.next('never seen');
    await settle();
    near.error();
    expect((await heard.ended).story).toEqual(['close', 'AbortedError']);
  });

  behaviour('if both sides abort at once, each reports its own reason', async ({ connected }) => {
    const { near, far } = await connected();
    const heard = [recordStory(near), recordStory(far)];
    near.error();
    far.error();
    const ends = await Promise.all(heard.map(({ ended }) => ended));
    expect(ends.map(({ story }) => story)).toEqual([
      ['close', 'AbortedError'],
      ['close', 'AbortedError'],
    ]);
  });

  behaviour('aborting after both sides have ended does nothing', async ({ connected }) => {
    const { near, far } = await connected();
    const heard = [recordStory(near), recordStory(far)];
    near.complete();
    const ends = await Promise.all(heard.map(({ ended }) => ended));
    near.error();
    far.error();
    expect(ends.map(({ story }) => story.at(-1))).toEqual(['complete', 'complete']);
    expect(await near.close()).toMatchObject({ how: 'fin' });
  });
});
