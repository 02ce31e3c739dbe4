// opened() emits the socket when it is open, and fails with it.
import { opened } from '@rxsock/core';
import { firstValueFrom } from 'rxjs';
import { expect, test } from 'vitest';
import { closedPort, dial, pair, rawServer } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';

test('dials, and emits the socket when it is open', async () => {
  const server = await rawServer();
  const socket = dial({ port: server.port, keepOpen: true });
  expect(await firstValueFrom(opened(socket))).toBe(socket);
  expect(socket.readyState).toBe('open');
});

test('emits an open socket at once', async () => {
  const { socket } = await pair();
  expect(record(opened(socket)).values).toEqual([socket]);
});

test('fails with the error that keeps the socket from opening', async () => {
  await expect(firstValueFrom(opened(dial({ port: await closedPort() })))).rejects.toMatchObject({
    name: 'ConnectError',
    code: 'ECONNREFUSED',
  });
});

test('reads nothing', async () => {
  const { socket, peer } = await pair();
  const { values } = record(opened(socket));
  peer.write('hello');
  await expect.poll(() => socket.readableLength).toBe(5);
  expect(values).toEqual([socket]);
});
