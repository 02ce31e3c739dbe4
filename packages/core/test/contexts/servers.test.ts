// A server notifies each subscriber, and serve() calls its handlers, in the AsyncLocalStorage context in which they
// subscribed.
import type { AddressInfo } from 'node:net';
import { data, listen, on, type Server, serve } from '@rxsock/core';
import { finalize, firstValueFrom, mergeMap, NEVER, type Observable, tap, throwError } from 'rxjs';
import { expect, onTestFinished, test } from 'vitest';
import { as, currentUser, watchAs } from '../../../../tests/support/contexts.js';
import { drainRaw, rawClient, rawServer } from '../../../../tests/support/raw-peers.js';
import { turns } from '../../../../tests/support/turns.js';

async function portOf(server: Server): Promise<number> {
  const { address } = await firstValueFrom(server.pipe(on('listening')));
  onTestFinished(() => server.close({ drain: 0 }));
  return (address as AddressInfo).port;
}

test('all subscribers of a server are notified in their own contexts, from listening to close', async () => {
  const server = as('maker', () => listen());
  const first = watchAs('first', server);
  const second = watchAs('second', server);
  const states = watchAs('states', server.readyStates);
  rawClient(await portOf(server));
  await expect.poll(() => second.log).toContain('connection');
  await as('closer', () => server.close({ drain: 0 }));
  await Promise.all([first.ended, second.ended, states.ended]);
  const late = watchAs('late', server);
  await late.ended;
  expect(first.log).toEqual(['listening', 'connection', 'draining', 'close', 'complete']);
  expect(second.log).toEqual(first.log);
  expect([first.users, second.users, states.users, late.users]).toEqual([
    new Set(['first']),
    new Set(['second']),
    new Set(['states']),
    new Set(['late']),
  ]);
});

test('a server that cannot listen fails each subscriber in its own context', async () => {
  const { port } = await rawServer();
  const server = listen({ port });
  const first = watchAs('first', server);
  const second = watchAs('second', server);
  await Promise.all([first.ended, second.ended]);
  expect(first.log).toEqual(['error:EADDRINUSE']);
  expect(second.log).toEqual(first.log);
  expect([first.users, second.users]).toEqual([new Set(['first']), new Set(['second'])]);
});

/** A server that another subscriber has started. */
async function serving(operator: ReturnType<typeof serve>) {
  const server = listen();
  watchAs('other', server);
  const handled = watchAs('handler', server.pipe(operator));
  return { server, handled, port: await portOf(server) };
}

test('serve() calls its handler, and the handler reads, in the context of the subscriber of serve()', async () => {
  const users = new Set<string>();
  const note = () => void users.add(currentUser());
  const { handled, port } = await serving(
    serve((socket) => {
      note();
      return socket.pipe(data(), tap({ next: note, complete: note, finalize: note }));
    }),
  );
  const peer = rawClient(port);
  peer.end('x');
  expect(String((await drainRaw(peer)).bytes)).toBe('x');
  await turns();
  expect([users, handled.users]).toEqual([new Set(['handler']), new Set(['handler'])]);
});

test('serve() reports a failed connection, and stops its answer, in the context of its subscriber', async () => {
  const users = new Set<string>();
  const note = () => void users.add(currentUser());
  const { server, handled, port } = await serving(serve(() => NEVER.pipe(finalize(note))));
  rawClient(port);
  await expect.poll(() => server.sockets.size).toBe(1);
  as('other', () => [...server.sockets][0]?.error());
  await expect.poll(() => handled.log).toContain('connectionError');
  expect([users, handled.users]).toEqual([new Set(['handler']), new Set(['handler'])]);
});

test('serve() reports a connection that fails after its answer in the context of its subscriber', async () => {
  const { server, handled, port } = await serving(serve(() => 'the answer'));
  const peer = rawClient(port);
  expect(String((await drainRaw(peer)).bytes)).toBe('the answer');
  as('other', () => [...server.sockets][0]?.error());
  await expect.poll(() => handled.log).toContain('connectionError');
  expect(handled.users).toEqual(new Set(['handler']));
});

test('serve() calls onError in the context of its subscriber', async () => {
  const users = new Set<string>();
  const failing = (source: Observable<Buffer>) => source.pipe(mergeMap(() => throwError(() => new Error('a bug'))));
  const onError = () => void users.add(currentUser());
  const { port } = await serving(serve((socket) => socket.pipe(data(), failing), { onError }));
  rawClient(port).write('x');
  await expect.poll(() => users).toEqual(new Set(['handler']));
});
