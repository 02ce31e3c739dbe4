// How a server ends, and what becomes of its connections.
import { serve } from '@rxsock/core';
import { NEVER } from 'rxjs';
import { expect } from 'vitest';
import { hear } from '../support/hear.js';
import { topic } from '../support/topic.js';
import { until } from '../support/until.js';

export const draining = topic('Servers that close', (behaviour) => {
  behaviour(
    'close() waits for the connections, and tells draining first',
    ['server'],
    async ({ listening, settle }) => {
      const { server, dial, next, log } = await listening();
      const client = dial();
      const heard = hear(client);
      const accepted = await next();
      hear(accepted);
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

  behaviour('close() aborts what is not over when drain has passed', ['server'], async ({ listening, clock }) => {
    const { server, dial, next } = await listening({ scheduler: clock });
    const heard = hear(dial());
    const accepted = await next();
    const mine = hear(accepted);
    const done = server.close({ drain: 1000 });
    clock.pass(999);
    expect(accepted.readyState).toBe('open');
    clock.pass(1);
    await done;
    expect((await mine.ended).error).toMatchObject({ name: 'AbortedError' });
    await heard.ended;
  });

  behaviour('nobody gets in while it drains', ['server'], async ({ listening }) => {
    const { server, dial, next } = await listening();
    hear(dial());
    hear(await next());
    void server.close();
    expect((await hear(dial()).ended).error).toMatchObject({ name: 'ConnectError' });
  });

  behaviour('when the last subscriber leaves it accepts no more, and its sockets live on', ['server'], async (lab) => {
    const { dial, next, subscription } = await lab.listening();
    const client = dial();
    const heard = hear(client);
    const accepted = await next();
    subscription.unsubscribe();
    expect((await hear(dial()).ended).error).toMatchObject({ name: 'ConnectError' });
    accepted.next('alive');
    accepted.complete();
    expect(`${(await heard.ended).bytes}`).toBe('alive');
  });

  behaviour('leaving serve() aborts answers that are not finished', ['server'], async ({ listening }) => {
    const { server, dial, next } = await listening();
    const serving = server.pipe(serve(() => NEVER)).subscribe();
    const heard = hear(dial());
    await next();
    serving.unsubscribe();
    await heard.ended;
    await until(() => server.sockets.size === 0);
  });

  behaviour('a signal stops it and aborts its connections', ['server'], async ({ listening }) => {
    const abort = new AbortController();
    const { dial, next, ended } = await listening({ signal: abort.signal });
    hear(dial());
    const accepted = hear(await next());
    abort.abort(new Error('time to go'));
    expect((await accepted.ended).error).toMatchObject({ name: 'AbortedError', cause: abort.signal.reason });
    expect(await ended).toEqual({});
  });
});
