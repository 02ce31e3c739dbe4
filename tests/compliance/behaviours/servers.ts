// Listening: what a server tells, whom it drops, and how it ends.
import { type DropEvent, on, type ServerEvent, type Socket, serve } from '@rxsock/core';
import { NEVER } from 'rxjs';
import { expect } from 'vitest';
import { record } from '../../../packages/core/test/support/record.js';
import { hear, readAll } from '../support/hear.js';
import { type Note, topic } from '../support/topic.js';
import { until } from '../support/until.js';

const drops = (events: readonly ServerEvent[]) =>
  events.filter((event): event is DropEvent => event.type === 'drop').map(({ reason }) => reason);

export const servers = topic('Servers', (behaviour) => {
  accepting(behaviour);
  dropping(behaviour);
  closing(behaviour);
});

function accepting(behaviour: Note): void {
  behaviour('listening is told with the address, and again to later subscribers', ['server'], async (lab) => {
    const { server, address, log } = await lab.listening();
    expect(log).toEqual(['listening']);
    expect(server.address).toEqual(address);
    expect(record<ServerEvent>(server).values).toEqual([{ type: 'listening', address }]);
  });

  behaviour('a connection brings an open socket, to all who subscribe', ['server'], async ({ listening }) => {
    const { server, dial, next } = await listening();
    const second = record<ServerEvent>(server);
    hear(dial());
    const socket = await next();
    expect(socket.readyState).toBe('open');
    expect([...server.sockets]).toEqual([socket]);
    expect(second.values.at(-1)).toEqual({ type: 'connection', socket });
  });

  behaviour('both ends agree on their addresses', ['server'], async ({ listening }) => {
    const { address, dial, next } = await listening();
    const client = dial();
    hear(client);
    const accepted = await next();
    await until(() => client.readyState === 'open');
    expect([client.remote, accepted.local, accepted.remote]).toEqual([address, address, client.local]);
  });

  behaviour('fifty connections at once are kept apart', ['server'], async ({ listening }) => {
    const { server, dial } = await listening();
    server.pipe(serve((socket) => socket)).subscribe();
    const echoes = Array.from({ length: 50 }, async (_, index) => {
      const socket = dial();
      socket.next(`I am ${index}`);
      socket.complete();
      return `${await readAll(socket)}`;
    });
    expect(await Promise.all(echoes)).toEqual(Array.from({ length: 50 }, (_, index) => `I am ${index}`));
    await until(() => server.sockets.size === 0);
  });

  behaviour('a handler that throws is one connectionError, and the server goes on', ['server'], async (lab) => {
    const { server, dial } = await lab.listening();
    const bug = new Error('a bug in the handler');
    const told: unknown[] = [];
    let first = true;
    const handler = (socket: Socket) => {
      if (!first) return socket;
      first = false;
      throw bug;
    };
    server
      .pipe(serve(handler, { onError: (error) => told.push(error) }), on('connectionError'))
      .subscribe(({ error }) => {
        told.push(error);
      });
    await hear(dial()).ended;
    const socket = dial();
    socket.next('hello');
    socket.complete();
    expect(`${await readAll(socket)}`).toBe('hello');
    expect(told).toEqual([bug, bug]);
  });
}

function dropping(behaviour: Note): void {
  behaviour('more than maxConnections are dropped, each with an event', ['server'], async ({ listening, settle }) => {
    const { server, dial, next, values } = await listening({ maxConnections: 1 });
    const stays = hear(dial());
    (await next()).next('welcome');
    await until(() => stays.bytes.length === 7);
    const dropped = [hear(dial()), hear(dial())];
    await until(() => drops(values).length === 2);
    await Promise.all(dropped.map(({ ended }) => ended));
    await settle();
    expect(drops(values)).toEqual(['maxConnections', 'maxConnections']);
    expect([server.sockets.size, stays.over]).toEqual([1, false]);
  });

  behaviour('what nobody subscribes to within claimTimeout is dropped', ['server'], async ({ listening, clock }) => {
    const { dial, next, values, server } = await listening({ claimTimeout: 1000, scheduler: clock });
    const heard = hear(dial());
    await next();
    clock.pass(999);
    expect(drops(values)).toEqual([]);
    clock.pass(1);
    expect(drops(values)).toEqual(['unclaimed']);
    await heard.ended;
    await until(() => server.sockets.size === 0);
  });

  behaviour('a socket that is subscribed to or written to is claimed', ['server'], async ({ listening, clock }) => {
    const { dial, next, values } = await listening({ claimTimeout: 1000, scheduler: clock });
    hear(dial());
    hear(await next());
    hear(dial());
    (await next()).next('hello');
    clock.pass(5000);
    expect(drops(values)).toEqual([]);
  });
}

function closing(behaviour: Note): void {
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
}
