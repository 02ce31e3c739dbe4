// Listening: what a server emits, and which connections it drops.
import { type DropEvent, on, type ServerEvent, type Socket, serve } from '@rxsock/core';
import { expect } from 'vitest';
import { record } from '../../support/record.js';
import { readAll, recordStory } from '../support/story.js';
import { type AddBehaviour, topic } from '../support/topic.js';
import { until } from '../support/until.js';

const drops = (events: readonly ServerEvent[]) =>
  events.filter((event): event is DropEvent => event.type === 'drop').map(({ reason }) => reason);

export const servers = topic('Servers', (behaviour) => {
  accepting(behaviour);
  dropping(behaviour);
});

function accepting(behaviour: AddBehaviour): void {
  behaviour('listening is emitted with the address, and again to later subscribers', ['server'], async (lab) => {
    const { server, address, log } = await lab.listening();
    expect(log).toEqual(['listening']);
    expect(server.address).toEqual(address);
    expect(record<ServerEvent>(server).values).toEqual([{ type: 'listening', address }]);
  });

  behaviour('a connection event carries an open socket, for all subscribers', ['server'], async ({ listening }) => {
    const { server, dial, next } = await listening();
    const second = record<ServerEvent>(server);
    recordStory(dial());
    const socket = await next();
    expect(socket.readyState).toBe('open');
    expect([...server.sockets]).toEqual([socket]);
    expect(second.values.at(-1)).toEqual({ type: 'connection', socket });
  });

  behaviour('both ends agree on their addresses', ['server'], async ({ listening }) => {
    const { address, dial, next } = await listening();
    const client = dial();
    recordStory(client);
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

  behaviour('a handler that throws causes one connectionError, and the server continues', ['server'], async (lab) => {
    const { server, dial } = await lab.listening();
    const bug = new Error('a bug in the handler');
    const errors: unknown[] = [];
    let first = true;
    const handler = (socket: Socket) => {
      if (!first) return socket;
      first = false;
      throw bug;
    };
    server
      .pipe(serve(handler, { onError: (error) => errors.push(error) }), on('connectionError'))
      .subscribe(({ error }) => {
        errors.push(error);
      });
    await recordStory(dial()).ended;
    const socket = dial();
    socket.next('hello');
    socket.complete();
    expect(`${await readAll(socket)}`).toBe('hello');
    expect(errors).toEqual([bug, bug]);
  });
}

function dropping(behaviour: AddBehaviour): void {
  behaviour(
    'connections beyond maxConnections are dropped, each with an event',
    ['server'],
    async ({ listening, settle }) => {
      const { server, dial, next, values } = await listening({ maxConnections: 1 });
      const kept = recordStory(dial());
      (await next()).next('welcome');
      await until(() => kept.bytes.length === 7);
      const dropped = [recordStory(dial()), recordStory(dial())];
      await until(() => drops(values).length === 2);
      await Promise.all(dropped.map(({ ended }) => ended));
      await settle();
      expect(drops(values)).toEqual(['maxConnections', 'maxConnections']);
      expect([server.sockets.size, kept.over]).toEqual([1, false]);
    },
  );

  behaviour(
    'a connection that nobody subscribes to within claimTimeout is dropped',
    ['server'],
    async ({ listening, clock }) => {
      const { dial, next, values, server } = await listening({ claimTimeout: 1000, scheduler: clock });
      const heard = recordStory(dial());
      await next();
      clock.tick(999);
      expect(drops(values)).toEqual([]);
      clock.tick(1);
      expect(drops(values)).toEqual(['unclaimed']);
      await heard.ended;
      await until(() => server.sockets.size === 0);
    },
  );

  behaviour('subscribing or writing to a socket claims it', ['server'], async ({ listening, clock }) => {
    const { dial, next, values } = await listening({ claimTimeout: 1000, scheduler: clock });
    recordStory(dial());
    recordStory(await next());
    recordStory(dial());
    (await next()).next('hello');
    clock.tick(5000);
    expect(drops(values)).toEqual([]);
  });
}
