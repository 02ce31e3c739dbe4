// readyStates of a datagram socket, and its place in a registry.
import { once } from 'node:events';
import { listen, type Server, type Socket, SocketRegistry, snapshot } from '@rxsock/core';
import { bind, connect, type DatagramSocket } from '@rxsock/udp';
import { expect, onTestFinished, test } from 'vitest';
import { Clock } from '../../../../tests/support/clock.js';
import { pair } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';
import { turns } from '../../../../tests/support/turns.js';
import { rawPeer, refusingPort } from '../support/peers.js';

test('each change of state is told once, and looking does not bind', async () => {
  const socket = bind();
  const states = record(socket.readyStates);
  await turns();
  expect(socket.readyState).toBe('idle');
  const bound = socket.bind();
  expect(states.log).toEqual(['idle', 'opening']);
  await bound;
  await expect.poll(() => states.log).toEqual(['idle', 'opening', 'open']);
  await socket.close();
  expect(states.log.slice(3)).toEqual(['closed', 'complete']);
  expect(record(socket.readyStates).log).toEqual(['closed', 'complete']);
});

test('closing is a state while something waits to be sent', async () => {
  const peer = await rawPeer();
  const socket = connect({ port: peer.port });
  const states = record(socket.readyStates);
  socket.next('last');
  socket.complete();
  await states.ended;
  expect(states.log).toEqual(['idle', 'opening', 'closing', 'closed', 'complete']);
  await expect.poll(() => peer.heard).toEqual(['last']);
});

type Anything = Socket | Server | DatagramSocket;

test('a registry holds sockets, servers and datagram sockets, and frees their names', async () => {
  const registry = new SocketRegistry<Anything>();
  const { socket, peer } = await pair();
  const there = await rawPeer();
  const server = registry.add(listen(), 'web-server');
  const bound = registry.add(bind(), 'web-bound');
  const connected = registry.add(connect({ port: there.port, keepOpen: true }), 'web-connected');
  registry.add(socket, 'web-socket');
  expect(() => registry.add(connected, 'web-server')).toThrow("'web-server' is taken");
  const web = registry.match('web-*');
  const heard: string[] = [];
  const subscription = web.subscribe(({ socket, event }) => heard.push(`${socket.name}:${event.type}`));
  onTestFinished(() => subscription.unsubscribe());
  await expect.poll(() => heard).toContain('web-server:listening');
  await expect.poll(() => heard.filter((entry) => entry.endsWith('listening'))).toHaveLength(3);

  expect(web.next('to all')).toBe(true); // to the two that have a peer
  await expect.poll(() => there.heard).toEqual(['to all']);
  expect(String((await once(peer.resume(), 'data'))[0])).toBe('to all');
  expect(bound.report.messagesWritten).toBe(0);
  await there.send('answer', connected.local?.port as number);
  await expect.poll(() => heard).toContain('web-connected:message');

  web.mark({ of: 'web' });
  expect(snapshot(server)).toEqual({
    name: 'web-server',
    type: 'tcp',
    readyState: 'listening',
    address: server.address,
    mark: { of: 'web' },
  });
  expect(snapshot(connected)).toMatchObject({
    name: 'web-connected',
    type: 'udp',
    readyState: 'open',
    local: connected.local,
    remote: connected.remote,
    writableLength: 0,
    report: { messagesRead: 1, messagesWritten: 1 },
  });
  web.complete();
  await expect.poll(() => registry.names()).toEqual(['web-server', 'web-socket']);
  peer.end();
  await expect.poll(() => registry.names()).toEqual(['web-server']);
  expect(await registry.match('*').close({ drain: 0 })).toEqual([undefined]);
  expect(registry.size).toBe(0);
  registry.add(bind(), 'web-server');
});

test('an error of one is no end of the others, and error() aborts all', async () => {
  const registry = new SocketRegistry<Anything>();
  const { socket } = await pair();
  const server = listen();
  const refused = connect({ port: await refusingPort() });
  for (const [index, member] of [socket, server, refused].entries()) registry.add(member, `m${index}`);
  const all = registry.match('*');
  const heard: string[] = [];
  all.subscribe(({ socket, event }) => heard.push(`${socket.name}:${event.type}`));
  refused.next('hello');
  await expect.poll(() => heard).toContain('m2:sendError');
  await expect.poll(() => server.readyState).toBe('listening');
  all.error('enough');
  await expect.poll(() => registry.size).toBe(0);
  expect(heard).toContain('m0:connectionError');
  expect(heard).toContain('m1:close');
  expect(heard).toContain('m2:connectionError');
});

test('who closes it on hearing that it opens closes it for good', async () => {
  const clock = new Clock();
  const socket = bind({ scheduler: clock });
  socket.next({ data: 'x', remote: { address: '127.0.0.1', port: 9 } });
  const states = record(socket.readyStates);
  socket.readyStates.subscribe((state) => state === 'opening' && socket.error());
  socket.complete();
  await states.ended;
  expect(states.log).toEqual(['idle', 'opening', 'closed', 'complete']);
  expect(socket.readyState).toBe('closed');
  expect(clock.actions).toEqual([]); // no timer is left
});
