// How a server ends, and what happens to its connections.
import { serve } from '@rxsock/core';
import { NEVER } from 'rxjs';
import { expect } from 'vitest';
import { recordStory } from '../support/story.js';
import { topic } from '../support/topic.js';
import { until } from '../support/until.js';

export const draining = topic('Servers that close', (behaviour) => {
  behaviour(
    'close() emits draining first, and waits for the connections',
    ['server'],
    async ({ listening, settle }) => {
      const { server, dial, next, log } = await listening();
      const client = dial();
      const heard = recordStory(client);
      const accepted = await next();
      recordStory(accepted);
      let closed = false;
      const done = server.close().then(() => {
        closed = true;
      });
      await settle();
      expect([closed, log.at(-1)]).toEqual([false, 'draining']);
      accepted.next('still served');
      client.complete();
      await done;
      expect(`${(await heard.ended).bytes}`).toBe('still served');
      expect(log.slice(-3)).toEqual(['draining', 'close', 'complete']);
    },
  );

  behaviour(
    'close() aborts the connections that are left after the drain time',
    ['server'],
    async ({ listening, clock }) => {
      const { server, dial, next } = await listening({ scheduler: clock });
      const heard = recordStory(dial());
      const accepted = await next();
      const mine = recordStory(accepted);
      const done = server.close({ drain: 1000 });
      clock.tick(999);
      expect(accepted.readyState).toBe('open');
      clock.tick(1);
      await done;
      expect((await mine.ended).error).toMatchObject({ name: 'AbortedError' });
      await heard.ended;
    },
  );

  behaviour('a draining server accepts no connection', ['server'], async ({ listening }) => {
    const { server, dial, next } = await listening();
    recordStory(dial());
    recordStory(await next());
    void server.close();
    expect((await recordStory(dial()).ended).error).toMatchObject({ name: 'ConnectError' });
  });

  behaviour(
    'when its last subscriber leaves, a server stops accepting, and its sockets live on',
    ['server'],
    async (lab) => {
      const { dial, next, subscription } = await lab.listening();
      const client = dial();
      const heard = recordStory(client);
      const accepted = await next();
      subscription.unsubscribe();
      expect((await recordStory(dial()).ended).error).toMatchObject({ name: 'ConnectError' });
      accepted.next('alive');
      accepted.complete();
      expect(`${(await heard.ended).bytes}`).toBe('alive');
    },
  );

  behaviour('unsubscribing from serve() aborts unfinished answers', ['server'], async ({ listening }) => {
    const { server, dial, next } = await listening();
    const serving = server.pipe(serve(() => NEVER)).subscribe();
    const heard = recordStory(dial());
    await next();
    serving.unsubscribe();
    await heard.ended;
    await until(() => server.sockets.size === 0);
  });

  behaviour('a signal stops the server and aborts its connections', ['server'], async ({ listening }) => {
    const abort = new AbortController();
    const { dial, next, ended } = await listening({ signal: abort.signal });
    recordStory(dial());
    const accepted = recordStory(await next());
    abort.abort(new Error('time to go'));
    expect((await accepted.ended).error).toMatchObject({ name: 'AbortedError', cause: abort.signal.reason });
    expect(await ended).toEqual({});
  });
});
