// Callbacks run in the AsyncLocalStorage context of the code that subscribed, whoever causes the event.
import { data, on, serve } from '@rxsock/core';
import { expect } from 'vitest';
import { as, currentUser, watchAs } from '../../support/contexts.js';
import { topic } from '../support/topic.js';
import { until } from '../support/until.js';

export const contexts = topic('Contexts', (behaviour) => {
  behaviour(
    'each subscriber is notified in the AsyncLocalStorage context in which it subscribed',
    async ({ connected }) => {
      const { near, far } = await connected();
      const events = watchAs('events', near);
      const bytes = watchAs('bytes', near.pipe(data()));
      const end = watchAs('end', near.pipe(on('end')));
      as('peer', () => far.next('x'));
      as('peer', () => far.complete());
      await bytes.ended;
      as('closer', () => near.complete());
      await Promise.all([events.ended, end.ended]);
      expect(bytes.log).toEqual(['x', 'complete']);
      expect([events.users, bytes.users, end.users]).toEqual([
        new Set(['events']),
        new Set(['bytes']),
        new Set(['end']),
      ]);
    },
  );

  behaviour('an abort fails each subscriber in its own context', async ({ connected }) => {
    const { near } = await connected();
    const events = watchAs('events', near);
    const bytes = watchAs('bytes', near.pipe(data()));
    as('other', () => near.error());
    await Promise.all([events.ended, bytes.ended]);
    expect(bytes.log).toEqual(['error:ERR_SOCKET_ABORTED']);
    expect([events.users, bytes.users]).toEqual([new Set(['events']), new Set(['bytes'])]);
  });

  behaviour(
    'a server notifies each subscriber, and calls handlers, in their own contexts',
    ['server'],
    async ({ listening }) => {
      const { server, dial } = await listening();
      const handlers = new Set<string>();
      const events = watchAs('events', server);
      const served = watchAs(
        'handler',
        server.pipe(
          serve(() => {
            handlers.add(currentUser());
            return 'hello';
          }),
        ),
      );
      const bytes = watchAs('client', dial().pipe(data()));
      await bytes.ended;
      await as('closer', () => server.close({ drain: 0 }));
      await until(() => events.log.includes('complete') && served.log.includes('complete'));
      expect(handlers).toEqual(new Set(['handler']));
      expect([events.users, served.users, bytes.users]).toEqual([
        new Set(['events']),
        new Set(['handler']),
        new Set(['client']),
      ]);
    },
  );
});
