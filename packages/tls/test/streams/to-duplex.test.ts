// The stream of toDuplex() over TLS behaves as a tls.TLSSocket.
import { once } from 'node:events';
import type tls from 'node:tls';
import { fromDuplex, on, toDuplex } from '@rxsock/core';
import { firstValueFrom } from 'rxjs';
import { describe, expect, test, vi } from 'vitest';
import { drainRaw, rawServer } from '../../../../tests/support/raw-peers.js';
import { dial, everyCase, nodeServer, pair } from '../support/peers.js';
import { wireTo } from '../support/wire.js';

test('emits connect, ready and secureConnect, and shows what the handshake agreed on', async () => {
  const server = await nodeServer({ ALPNProtocols: ['h2'] });
  const duplex = toDuplex(dial({ port: server.port, host: 'localhost', family: 4, alpn: ['h2'] }));
  const show = ({ connecting, encrypted, authorized, alpnProtocol }: typeof duplex) => [
    connecting,
    encrypted,
    authorized,
    alpnProtocol,
    (duplex as { readonly secureConnecting?: boolean }).secureConnecting,
  ];
  expect(show(duplex)).toEqual([true, true, false, false, true]);
  expect([duplex.getProtocol?.(), duplex.getPeerCertificate?.()]).toEqual([null, {}]);
  const events: unknown[] = [];
  for (const name of ['connect', 'ready', 'secureConnect']) duplex.on(name, () => events.push([name, ...show(duplex)]));
  await once(duplex, 'secureConnect');
  expect(events).toEqual([
    ['connect', false, true, false, false, true],
    ['ready', false, true, false, false, true],
    ['secureConnect', false, true, true, 'h2', false],
  ]);
  const peer = await server.next();
  expect(duplex.getProtocol?.()).toBe(peer.getProtocol());
  expect(duplex.getCipher?.().standardName).toBe(peer.getCipher().standardName);
  expect(duplex.getPeerCertificate?.().subject.CN).toBe('localhost');
  duplex.destroy();
});

test('fromDuplex() takes it for a TLS stream', async () => {
  const { socket } = await pair('dialled', 'TLSv1.3');
  const outer = fromDuplex(toDuplex(socket));
  expect(await firstValueFrom(outer.pipe(on('secureConnect')))).toMatchObject({
    authorized: true,
    protocol: 'TLSv1.3',
    peer: expect.anything(),
  });
  outer.error();
});

test('is destroyed during the handshake with a reset', async () => {
  const server = await rawServer();
  const wire = await wireTo(server.port);
  const socket = dial({ port: wire.port, host: 'localhost', family: 4 });
  const duplex = toDuplex(socket);
  await once(duplex, 'connect');
  duplex.destroy();
  await vi.waitUntil(() => socket.readyState === 'closed');
  expect(await wire.toServer.ended).toBe('RST');
});

describe.each(everyCase)('%s, %s', (origin, version) => {
  test('destroy() sends what was written in the same turn, and then ends', async () => {
    const { socket, peer } = await pair(origin, version);
    const duplex = toDuplex(socket).on('error', () => {});
    duplex.write('goodbye');
    duplex.destroy();
    expect(await drainRaw(peer)).toEqual({ bytes: Buffer.from('goodbye'), end: 'end' });
    peer.end();
    await vi.waitUntil(() => socket.readyState === 'closed');
  });

  test('destroy() with a write that waits for the one before it is not an end', async () => {
    const { socket, peer } = await pair(origin, version);
    const duplex = toDuplex(socket).on('error', () => {});
    duplex.write('good');
    duplex.write('bye');
    duplex.destroy();
    expect((await drainRaw(peer)).end).toBe('ECONNRESET');
  });

  test('destroy() with an error is not an end', async () => {
    const { socket, peer } = await pair(origin, version);
    toDuplex(socket)
      .on('error', () => {})
      .destroy(new Error('enough'));
    expect((await drainRaw(peer as tls.TLSSocket)).end).toBe('ECONNRESET');
  });
});
