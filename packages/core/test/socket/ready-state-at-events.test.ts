// The state of a socket at each of its events.
import { snapshot } from '@rxsock/core/registry';
import { expect, test } from 'vitest';
import { dial, rawServer } from '../../../../tests/support/raw-peers.js';

test('the state at each event of a whole connection', async () => {
  const server = await rawServer((peer) => peer.pipe(peer));
  const socket = dial({ host: 'localhost', family: 4, port: server.port });
  const states: string[] = [socket.readyState];
  await new Promise<void>((complete) => {
    socket.subscribe({ next: ({ type }) => states.push(`${type}: ${socket.readyState}`), complete });
    states.push(socket.readyState);
    socket.next('x');
    socket.complete();
  });
  expect(states.filter((state) => !/^(lookup|connectionAttempt)/.test(state))).toEqual([
    'idle',
    'resolving',
    'connect: open',
    'finish: readOnly',
    'data: readOnly',
    'end: closing',
    'close: closed',
  ]);
});

test('a handler of the connect event sees the socket open', async () => {
  const server = await rawServer();
  const socket = dial({ port: server.port });
  const seen = new Promise((resolve) => {
    socket.subscribe({ next: ({ type }) => type === 'connect' && resolve(snapshot(socket)), error: () => {} });
  });
  const before = Date.now();
  expect(await seen).toMatchObject({
    readyState: 'open',
    openedAt: expect.any(Number),
    remote: { address: '127.0.0.1', port: server.port, family: 'IPv4' },
  });
  expect(socket.openedAt).toBeGreaterThanOrEqual(before);
});
