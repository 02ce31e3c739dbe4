// readyStates emits each change of state once, in order, to every watcher. Watching changes nothing.
import net from 'node:net';
import { connections, fromDuplex, listen, on, type Socket } from '@rxsock/core';
import { firstValueFrom } from 'rxjs';
import { expect, onTestFinished, test } from 'vitest';
import { accepted, closedPort, dial, pair, rawServer } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';
import { turns } from '../../../../tests/support/turns.js';

test('emits the states of a whole connection', async () => {
  const server = await rawServer((peer) => peer.pipe(peer));
  const socket = dial({ host: 'localhost', family: 4, port: server.port });
  const states = record(socket.readyStates);
  socket.complete();
  expect(states.log).toEqual(['idle', 'resolving']);
  await states.ended;
  const whole = ['idle', 'resolving', 'connecting', 'open', 'readOnly', 'closing', 'closed', 'complete'];
  expect(states.log).toEqual(whole);
});

test('emits the states of a socket that ends after its peer', async () => {
  const { socket, peer } = await pair({ allowHalfOpen: true });
  const states = record(socket.readyStates);
  socket.subscribe();
  peer.end();
  await expect.poll(() => states.log).toEqual(['open', 'writeOnly']);
  socket.complete();
  await states.ended;
  expect(states.log.slice(2)).toEqual(['closing', 'closed', 'complete']);
});

test('emits open first for an accepted socket', async () => {
  const { socket } = await accepted();
  expect(await firstValueFrom(socket.readyStates)).toBe('open');
});

test('completes without an error if the dial fails, because subscribers get the error', async () => {
  const socket = dial({ port: await closedPort() });
  const states = record(socket.readyStates);
  const events = record(socket);
  await states.ended;
  expect(states.log).toEqual(['idle', 'connecting', 'closed', 'complete']);
  expect(events.log.at(-1)).toBe('error:ECONNREFUSED');
});

test('emits the states of a socket that is aborted', async () => {
  const { socket } = await pair();
  const states = record(socket.readyStates);
  socket.error();
  await states.ended;
  expect(states.log).toEqual(['open', 'closing', 'closed', 'complete']);
});

test('emits the final state to a late watcher', async () => {
  const { socket } = await pair();
  socket.error();
  await socket.close();
  expect(record(socket.readyStates).log).toEqual(['closed', 'complete']);
});

test('watching does not dial, does not read, and does not keep the socket open', async () => {
  const server = await rawServer();
  const idle = dial({ port: server.port });
  record(idle.readyStates);
  await turns();
  expect(idle.readyState).toBe('idle');
  const { socket, peer } = await accepted();
  const states = record(socket.readyStates);
  peer.write('unread');
  await turns();
  expect(socket.bytesRead).toBe(0);
  socket.subscribe().unsubscribe();
  await expect.poll(() => states.log).toEqual(['open', 'closing']);
  peer.resume().end();
  await states.ended;
});

test('a change that a watcher causes is emitted after the current one, to all watchers', async () => {
  const { socket } = await pair();
  const first: string[] = [];
  socket.readyStates.subscribe((state) => {
    first.push(state);
    if (state === 'open') return;
    socket.error();
    first.push('aborted');
  });
  const second = record(socket.readyStates);
  socket.complete();
  await second.ended;
  expect(first).toEqual(['open', 'readOnly', 'aborted', 'closing', 'aborted', 'closed', 'aborted']);
  expect(second.log).toEqual(['open', 'readOnly', 'closing', 'closed', 'complete']);
});

test.each(['connecting', 'open'])('a watcher may abort the socket at %s', async (moment) => {
  const server = await rawServer();
  const socket = dial({ port: server.port });
  const states = record(socket.readyStates);
  socket.readyStates.subscribe((state) => state === moment && socket.error('enough'));
  const { ended } = record(socket);
  expect((await ended).error).toMatchObject({ name: 'AbortedError', cause: 'enough' });
  await states.ended;
  expect(states.log.slice(-2)).toEqual(['closed', 'complete']);
});

test('emits nothing to a watcher that has left', async () => {
  const { socket } = await pair();
  const { log, subscription } = record(socket.readyStates);
  subscription.unsubscribe();
  socket.error();
  await socket.close();
  expect(log).toEqual(['open']);
});

test('emits the states of a server', async () => {
  const server = listen();
  const states = record(server.readyStates);
  await turns(1);
  expect(server.readyState).toBe('idle');
  const sockets: Socket[] = [];
  const events = server.pipe(connections()).subscribe((socket) => sockets.push(socket));
  expect(states.log).toEqual(['idle', 'opening']);
  await expect.poll(() => states.log).toEqual(['idle', 'opening', 'listening']);
  const { port } = server.address as { port: number };
  const client = dial({ port });
  onTestFinished(() => client.error());
  await client.write('x');
  await expect.poll(() => sockets).toHaveLength(1);
  events.unsubscribe();
  expect(states.log.slice(3)).toEqual(['closing']);
  sockets[0]?.error();
  await states.ended;
  expect(states.log.slice(4)).toEqual(['closed', 'complete']);
  expect(record(server.readyStates).log).toEqual(['closed', 'complete']);
});

test('emits the states of a server that never listened', async () => {
  const server = listen();
  const states = record(server.readyStates);
  await server.close();
  expect(states.log).toEqual(['idle', 'closed', 'complete']);
});

test('emits the states of a server that cannot listen', async () => {
  const { port } = await rawServer();
  const server = listen({ port });
  const states = record(server.readyStates);
  server.subscribe({ error: () => {} });
  await states.ended;
  expect(states.log).toEqual(['idle', 'opening', 'closed', 'complete']);
});

test.each([
  ['a stream that is connecting', (port: number) => fromDuplex(net.connect(port, '127.0.0.1'))],
  ['a socket', (port: number) => dial({ port })],
])('in the middle of dialling, %s can be aborted', async (_what, make) => {
  const server = await rawServer();
  const socket = make(server.port);
  socket.readyStates.subscribe((state) => state === 'connecting' && socket.error('enough'));
  socket.pipe(on('connectionAttempt')).subscribe({ next: () => socket.error('enough'), error: () => {} });
  const { ended } = record(socket);
  expect((await ended).error).toMatchObject({ name: 'AbortedError', cause: 'enough' });
});
