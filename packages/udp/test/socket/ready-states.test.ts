// readyStates of a datagram socket, and datagram sockets in a registry.
import { once } from 'node:events';
import { listen, type Server, type Socket } from '@rxsock/core';
import { SocketRegistry, snapshot } from '@rxsock/core/registry';
import { VirtualClock } from '@rxsock/core/testing';
import { bind, connect, type DatagramSocket } from '@rxsock/udp';
import { expect, onTestFinished, test } from 'vitest';
import { pair } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';
import { turns } from '../../../../tests/support/turns.js';
import { rawPeer, refusingPort } from '../support/peers.js';

test('each change of state is emitted once, and watching does not bind', async () => {
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

test('the state is closing while datagrams wait to be sent', async () => {
  const peer = await rawPeer();
  const socket = connect({ port: peer.port });
  const states = record(socket.readyStates);
  socket.next('last');
  socket.complete();
  await states.ended;
  expect(states.log).toEqual(['idle', 'opening', 'closing', 'closed', 'complete']);
  await expect.poll(() => peer.received).toEqual(['last']);
});

type Anything = Socket | Server | DatagramSocket;

test('a registry holds sockets, servers and datagram sockets, and frees their names', async () => {
  const registry = new SocketRegistry<Anything>();
  const { socket, peer } = await pair();
  const peer2 = await rawPeer();
  const server = registry.add(listen(), 'web-server');
  const bound = registry.add(bind(), 'web-bound');
  const connected = registry.add(connect({ port: peer2.port, keepOpen: true }), 'web-connected');
  registry.add(socket, 'web-socket');
  expect(() => registry.add(connected, 'web-server')).toThrow("The name 'web-server' belongs to a socket");
  const web = registry.match('web-*');
  const received: string[] = [];
  const subscription = web.subscribe(({ socket, event }) => received.push(`${socket.name}:${event.type}`));
  onTestFinished(() => subscription.unsubscribe());
  await expect.poll(() => received).toContain('web-server:listening');
  await expect.poll(() => received.filter((entry) => entry.endsWith('listening'))).toHaveLength(3);

  expect(web.next('to all')).toBe(true); // to the two that have a peer
  await expect.poll(() => peer2.received).toEqual(['to all']);
  expect(String((await once(peer.resume(), 'data'))[0])).toBe('to all');
  expect(bound.report.messagesWritten).toBe(0);
  await peer2.send('answer', connected.local?.port as number);
  await expect.poll(() => received).toContain('web-connected:message');

  web.mark({ of: 'web' });
  expect(snapshot(server)).toEqual({
    id: server.id,
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

test('an error of one socket does not end the others, and error() aborts all', async () => {
  const registry = new SocketRegistry<Anything>();
  const { socket } = await pair();
  const server = listen();
  const refused = connect({ port: await refusingPort() });
  for (const [index, member] of [socket, server, refused].entries()) registry.add(member, `m${index}`);
  const all = registry.match('*');
  const received: string[] = [];
  all.subscribe(({ socket, event }) => received.push(`${socket.name}:${event.type}`));
  refused.next('hello');
  await expect.poll(() => received).toContain('m2:sendError');
  await expect.poll(() => server.readyState).toBe('listening');
  all.error('enough');
  await expect.poll(() => registry.size).toBe(0);
  expect(received).toContain('m0:connectionError');
  expect(received).toContain('m1:close');
  expect(received).toContain('m2:connectionError');
});

test("closing it from an 'opening' notification closes it for good", async () => {
  const clock = new VirtualClock();
  const socket = bind({ scheduler: clock });
  const states = record(socket.readyStates);
  socket.readyStates.subscribe((state) => state === 'opening' && socket.error());
  socket.next({ data: 'x', remote: { address: '127.0.0.1', port: 9 } });
  socket.complete();
  await states.ended;
  expect(states.log).toEqual(['idle', 'opening', 'closed', 'complete']);
  expect(socket.readyState).toBe('closed');
  expect(clock.actions).toEqual([]); // no timer is left
});
