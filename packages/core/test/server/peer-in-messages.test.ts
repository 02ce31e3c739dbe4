// Errors of accepted sockets say which peer they are about.
import { once } from 'node:events';
import net from 'node:net';
import { connections, listen, on, type Socket, type SocketError } from '@rxsock/core';
import { firstValueFrom } from 'rxjs';
import { expect, test } from 'vitest';

test('names the peer, not the address that the server listens on', async () => {
  const server = listen();
  const accepted = firstValueFrom(server.pipe(connections()));
  const open = server.subscribe();
  const { address } = await firstValueFrom(server.pipe(on('listening')));
  const peer = net.connect({ port: address.port, host: '127.0.0.1' }).on('error', () => {});
  const closed = new Promise((resolve) => peer.once('close', resolve));
  await once(peer, 'connect');
  const socket: Socket = await accepted;
  const { localPort } = peer;
  const failure = new Promise<SocketError>((resolve) => socket.subscribe({ error: resolve }));

  socket.error(new Error('enough'));

  expect((await failure).message).toBe(`The connection to 127.0.0.1:${localPort} was aborted from this side: enough`);
  await closed;
  await server.close();
  open.unsubscribe();
});
