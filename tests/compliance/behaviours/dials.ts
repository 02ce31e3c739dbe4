// Dials that fail: refused, given up, too slow.
import { AbortedError, ConnectError, SocketTimeoutError } from '@rxsock/core';
import { expect } from 'vitest';
import { readAll, recordStory } from '../support/story.js';
import { topic } from '../support/topic.js';
import { until } from '../support/until.js';

export const dials = topic('Dials that fail or are given up', (behaviour) => {
  behaviour('a refused connection is a ConnectError, and the last event is close', ['server'], async (lab) => {
    const socket = await lab.dialNowhere();
    const heard = await recordStory(socket).ended;
    expect(heard.story).toEqual(['close', 'ConnectError']);
    expect(heard.error).toBeInstanceOf(ConnectError);
    expect(heard.error).toMatchObject({ phase: 'open', code: expect.stringMatching(/^E[A-Z]+$/) });
  });

  behaviour('a refused connection rejects the queued writes with its error', ['server'], async (lab) => {
    const socket = await lab.dialNowhere();
    const writes = await Promise.allSettled([socket.write('a'), socket.write('b')]);
    const { error } = await recordStory(socket).ended;
    expect(error).toBeInstanceOf(ConnectError);
    expect(writes.map((write) => 'reason' in write && write.reason)).toEqual([error, error]);
    expect(await socket.close()).toMatchObject({ how: 'error', bytesWritten: 0, bytesUnsent: 2 });
  });

  behaviour('a subscriber to a failed socket gets the error on a later turn', ['server'], async (lab) => {
    const socket = await lab.dialNowhere();
    const { error } = await recordStory(socket).ended;
    const late = recordStory(socket);
    expect(late.over).toBe(false);
    expect((await late.ended).error).toBe(error);
  });

  behaviour('a socket whose signal was aborted before does not dial', ['server'], async ({ listening, settle }) => {
    const { dial, values } = await listening();
    const reason = new Error('no need');
    const { error } = await recordStory(dial({ signal: AbortSignal.abort(reason) })).ended;
    expect(error).toBeInstanceOf(AbortedError);
    expect(error).toMatchObject({ cause: reason, phase: 'open' });
    await settle();
    expect(values.map(({ type }) => type)).toEqual(['listening']);
  });

  behaviour('a signal aborted while dialling fails the socket and its writes', ['server'], async ({ listening }) => {
    const { dial } = await listening();
    const abort = new AbortController();
    const socket = dial({ signal: abort.signal });
    const heard = recordStory(socket);
    const write = socket.write('never');
    abort.abort(new Error('no more'));
    const { error } = await heard.ended;
    expect(error).toMatchObject({ name: 'AbortedError', cause: abort.signal.reason, phase: 'open' });
    await expect(write).rejects.toBe(error);
  });

  behaviour('unsubscribing while dialling gives the dial up', ['server'], async ({ listening, clock }) => {
    const { dial } = await listening();
    const socket = dial({ scheduler: clock });
    recordStory(socket).leave();
    clock.tick(0);
    const { error } = await recordStory(socket).ended;
    expect(error).toMatchObject({ name: 'AbortedError', phase: 'open' });
    expect(socket.openedAt).toBeUndefined();
  });

  behaviour(
    'unsubscribing while dialling does not give the dial up if something was written',
    ['server'],
    async ({ listening }) => {
      const { dial, next } = await listening();
      const socket = dial();
      socket.next('still wanted');
      recordStory(socket).leave();
      expect(`${await readAll(await next())}`).toBe('still wanted');
    },
  );

  behaviour('connectTimeout fails a dial that takes too long', ['server'], async ({ listening, clock }) => {
    const { dial } = await listening();
    const inTime = dial({ connectTimeout: 1000, scheduler: clock });
    recordStory(inTime);
    clock.tick(999);
    await until(() => inTime.readyState === 'open');
    const heard = recordStory(dial({ connectTimeout: 1000, scheduler: clock }));
    clock.tick(1000);
    const { error } = await heard.ended;
    expect(error).toBeInstanceOf(SocketTimeoutError);
    expect(error).toMatchObject({ timeout: 'connectTimeout', milliseconds: 1000, phase: 'open' });
  });
});
