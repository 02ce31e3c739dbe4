// SocketRegistry: names, clashes, and that a name is free again when its socket has closed.
import { once } from 'node:events';
import { connect, type ReconnectingSocket, reconnect, SocketError } from '@rxsock/core';
import { SocketRegistry } from '@rxsock/core/registry';
import { expect, test } from 'vitest';
import { dial, pair, rawServer } from '../../../../tests/support/raw-peers.js';
import { turns } from '../../../../tests/support/turns.js';
import { registered } from './support.js';

test('finds sockets by name, counts them, and iterates in their order', async () => {
  const { registry, sockets } = await registered(['www2', 'www1', 'irc']);
  expect(registry.get('www1')).toBe(sockets[1]);
  expect(registry.get('www')).toBeUndefined();
  expect(registry.size).toBe(3);
  expect(registry.names()).toEqual(['www2', 'www1', 'irc']);
  expect([...registry]).toEqual(sockets);
  expect(sockets.map(({ name }) => name)).toEqual(['www2', 'www1', 'irc']);
});

test('does not dial, and keeps no socket open', () => {
  const registry = new SocketRegistry();
  const socket = dial({ port: 1 });
  expect(registry.add(socket, 'idle')).toBe(socket);
  expect(socket.readyState).toBe('idle');
  expect(registry.get('idle')).toBe(socket);
});

test('a name is taken until its socket has closed', async () => {
  const { registry, sockets, peers } = await registered(['www']);
  const [socket] = sockets;
  const other = dial({ port: 1 });
  const clash = () => registry.add(other, 'www');
  expect(clash).toThrow(SocketError);
  expect(clash).toThrow(
    expect.objectContaining({
      code: 'ERR_SOCKET_NAME_TAKEN',
      message: "The name 'www' belongs to a socket that is not closed: choose another name",
      remote: socket?.remote,
    }),
  );
  expect(other.name).toBe('');
  expect([...registry]).toEqual([socket]);
  peers[0]?.end();
  await socket?.close();
  expect(registry.get('www')).toBeUndefined();
  expect(registry.size).toBe(0);
  registry.add(other, 'www');
  expect(registry.get('www')).toBe(other);
});

test.each(['reset', 'aborted'])('a name is taken until its socket is %s', async (end) => {
  const { registry, sockets, peers } = await registered(['www']);
  const [socket] = sockets;
  const ended = new Promise((resolve) => socket?.subscribe({ error: resolve }));
  if (end === 'reset') peers[0]?.resetAndDestroy();
  else socket?.error();
  await ended;
  expect([...registry]).toEqual([]);
});

test('a name is free for a handler of the close event, and a socket added there keeps it', async () => {
  const { registry, sockets, peers } = await registered(['www']);
  const next = dial({ port: 1 });
  const seen: unknown[] = [];
  sockets[0]?.subscribe((event) => {
    if (event.type !== 'close') return;
    seen.push(registry.size, registry.names(), [...registry], registry.get('www'));
    registry.add(next, 'www');
  });
  peers[0]?.end();
  await sockets[0]?.close();
  expect(seen).toEqual([0, [], [], undefined]);
  expect(registry.get('www')).toBe(next);
  expect(registry.names()).toEqual(['www']);
});

test('adding a socket again renames it and frees its old name', async () => {
  const { registry, sockets } = await registered(['guest', 'other']);
  const [guest, other] = sockets;
  registry.add(guest!, 'joe');
  expect(guest?.name).toBe('joe');
  expect(registry.get('guest')).toBeUndefined();
  expect(registry.names()).toEqual(['other', 'joe']);
  registry.add(other!, 'guest');
  expect(registry.add(guest!, 'joe')).toBe(guest);
  expect(() => registry.add(guest!, 'guest')).toThrow(expect.objectContaining({ code: 'ERR_SOCKET_NAME_TAKEN' }));
  expect(registry.get('joe')).toBe(guest);
  guest?.error();
  await guest?.close();
  expect(registry.names()).toEqual(['guest']);
});

test('a socket with a freed name comes last in the order', async () => {
  const { registry, sockets } = await registered(['a', 'b']);
  sockets[0]?.error();
  await sockets[0]?.close();
  registry.add(dial({ port: 1 }), 'a');
  expect(registry.names()).toEqual(['b', 'a']);
});

test('a socket can be in two registries', async () => {
  const { registry, sockets } = await registered(['a']);
  const second = new SocketRegistry();
  second.add(sockets[0]!, 'b');
  expect([registry.get('a'), second.get('b')]).toEqual([sockets[0], sockets[0]]);
  sockets[0]?.error();
  await sockets[0]?.close();
  expect([registry.size, second.size]).toEqual([0, 0]);
});

test('a closed socket gets a name but is not kept', async () => {
  const registry = new SocketRegistry();
  const { socket } = await pair();
  socket.error();
  await socket.close();
  const emitted: unknown[] = [];
  const listening = registry.match('*').subscribe((event) => emitted.push(event));
  expect(registry.add(socket, 'late')).toBe(socket);
  expect(socket.name).toBe('late');
  expect([...registry]).toEqual([]);
  await turns();
  expect(emitted).toEqual([]);
  listening.unsubscribe();
  const next = registry.add(dial({ port: 1 }), 'late');
  expect(registry.get('late')).toBe(next);
});

test('the mark of a closed socket can be read and set', async () => {
  const { registry, sockets } = await registered(['a']);
  const [socket] = sockets;
  registry.match('a').mark('before');
  socket?.error();
  await socket?.close();
  registry.match('a').mark('after');
  expect(socket?.mark).toBe('before');
  socket!.mark = 'set';
  expect(socket?.mark).toBe('set');
});

test.each(['', '*', 'www*', 'w?w', undefined, null, 1, {}])('rejects %o as a name', (name) => {
  const registry = new SocketRegistry();
  const socket = connect({ port: 1 });
  expect(() => registry.add(socket, name as string)).toThrow(TypeError);
  expect(socket.name).toBe('');
  expect(registry.size).toBe(0);
});

test('the message for a name with a wildcard says why', () => {
  const message = "name must be a string that is not empty and has no * or ?, not 'www*'";
  expect(() => new SocketRegistry().add(connect({ port: 1 }), 'www*')).toThrow(message);
});

test.each([undefined, null, {}, 'www'])('rejects %s', (socket) => {
  const registry = new SocketRegistry();
  expect(() => registry.add(socket as never, 'www')).toThrow(TypeError);
  expect(() => registry.add(socket as never, 'www')).toThrow(
    'SocketRegistry.add() takes a socket or a server of rxsock, not',
  );
  expect(registry.names()).toEqual([]);
});

test('holds a reconnecting socket, which writes and is freed like a socket', async () => {
  const server = await rawServer();
  const registry = new SocketRegistry<ReconnectingSocket>();
  const reconnecting = registry.add(
    reconnect(() => connect({ host: '127.0.0.1', port: server.port })),
    'feed',
  );
  reconnecting.subscribe({ error: () => {} });
  const peer = await server.next();
  registry.match('f*').next('hello');
  expect(String((await once(peer.resume(), 'data'))[0])).toBe('hello');
  reconnecting.error();
  expect(registry.names()).toEqual([]);
  expect(registry.match('f*').next('more')).toBe(true);
});
