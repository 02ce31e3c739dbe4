// The local end of accepted connections: one for all of them, unless the server listens on all addresses.
import { once } from 'node:events';
import net from 'node:net';
import { connections, listen, on, type Socket } from '@rxsock/core';
import { firstValueFrom } from 'rxjs';
import { expect, onTestFinished, test } from 'vitest';

async function accept(host: string, reached: string): Promise<{ socket: Socket; port: number }> {
  const server = listen({ host });
  const accepted = firstValueFrom(server.pipe(connections()));
  const open = server.subscribe();
  const { address } = await firstValueFrom(server.pipe(on('listening')));
  const peer = net.connect({ port: address.port, host: reached }).on('error', () => {});
  onTestFinished(async () => {
    await server.close({ drain: 0 });
    open.unsubscribe();
  });
  await once(peer, 'connect');
  return { socket: await accepted, port: address.port };
}

// Linux has the whole network on its loopback interface.
const addresses = process.platform === 'linux' ? ['127.0.0.1', '127.0.0.2'] : ['127.0.0.1'];

test.each(addresses)('a server on all addresses shows the one that the peer has dialled: %s', async (reached) => {
  const { socket, port } = await accept('0.0.0.0', reached);
  expect(socket.local).toEqual({ address: reached, port, family: 'IPv4' });
});

test('a server on one address shows it', async () => {
  const { socket, port } = await accept('127.0.0.1', '127.0.0.1');
  expect(socket.local).toEqual({ address: '127.0.0.1', port, family: 'IPv4' });
});
