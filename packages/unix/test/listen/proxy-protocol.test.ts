// PROXY headers over UNIX sockets: the mode of the file is the trust.
import net from 'node:net';
import { connections, data } from '@rxsock/core';
import { connect, listen } from '@rxsock/unix';
import { firstValueFrom } from 'rxjs';
import { expect, onTestFinished, test } from 'vitest';
import { drainRaw } from '../../../../tests/support/raw-peers.js';
import { started, temporaryPath } from '../../../../tests/support/unix-servers.js';

const source = { address: '192.0.2.7', port: 4660, family: 'IPv4' } as const;
const destination = { address: '192.0.2.1', port: 80, family: 'IPv4' } as const;

test('the remote of a socket is the client that our connect() names', async () => {
  const { path } = temporaryPath();
  const server = listen({ path, proxyProtocol: {} });
  await started(server);
  const accepted = firstValueFrom(server.pipe(connections()));
  const client = connect({ path, proxyProtocol: { source, destination } });
  onTestFinished(() => client.error());
  await client.write('hello');
  const socket = await accepted;
  expect(socket.remote).toEqual(source);
  expect(socket.local).toEqual({ path });
  expect(socket.proxied).toEqual({ version: 2, source, destination, tlvs: [], proxy: { path: '' } });
  expect((await firstValueFrom(socket.pipe(data()))).toString()).toBe('hello');
});

test('a connection without a header is refused, and the server goes on', async () => {
  const { path } = temporaryPath();
  const server = listen({ path, proxyProtocol: {} });
  const { values } = await started(server);
  const peer = net.connect(path).on('error', () => {});
  peer.write('hello');
  expect((await drainRaw(peer)).bytes).toHaveLength(0);
  expect(values.at(-1)).toMatchObject({ reason: 'proxyProtocol', error: { code: 'ERR_PROXY_PROTOCOL' } });
  const accepted = firstValueFrom(server.pipe(connections()));
  const client = connect({ path, proxyProtocol: { version: 1 } });
  onTestFinished(() => client.error());
  await client.write('hello');
  expect((await accepted).remote).toEqual({ path: '' });
});
