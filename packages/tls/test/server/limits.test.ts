// maxHandshakes and maxConnectionsPerAddress of a TLS server.
import { once } from 'node:events';
import type net from 'node:net';
import { connections, type DropEvent, listen as listenTcp, on, reader } from '@rxsock/core';
import { upgrade } from '@rxsock/tls';
import { firstValueFrom } from 'rxjs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { drainRaw, rawClient } from '../../../../tests/support/raw-peers.js';
import { turns } from '../../../../tests/support/turns.js';
import { ca, localhost, untrustedJoe, versions } from '../support/identities.js';
import { nextOf, nodeClient, serverOf } from '../support/peers.js';

type Served = Awaited<ReturnType<typeof serverOf>>;

const drops = ({ events }: Served) => events.values.filter((event): event is DropEvent => event.type === 'drop');
const reasons = (served: Served) => drops(served).map(({ reason }) => reason);

/** A silent client that holds a handshake. */
async function holder({ port, server }: Served, options: Partial<net.TcpNetConnectOpts> = {}): Promise<net.Socket> {
  const peer = rawClient(port, options);
  await once(peer, 'connect');
  // The server has accepted it when it accepts, or drops, one that came later.
  await turns(3);
  expect(server.readyState).toBe('listening');
  return peer;
}

/** Resolves when the server has served a client. */
async function serves({ port, server }: Served): Promise<void> {
  const next = nextOf(server);
  const peer = nodeClient(port);
  await once(peer, 'secureConnect');
  (await next).error();
}

describe('maxHandshakes', () => {
  test('a connection over the limit is dropped before its handshake', async () => {
    const served = await serverOf({ maxHandshakes: 2 });
    await holder(served);
    await holder(served);
    const third = rawClient(served.port);
    await once(third, 'connect');
    const remote = { address: '127.0.0.1', port: third.localPort, family: 'IPv4' };
    expect(await drainRaw(third)).toEqual({ bytes: Buffer.alloc(0), end: 'end' });
    expect(drops(served)).toEqual([{ type: 'drop', reason: 'maxHandshakes', remote, error: undefined }]);
  });

  test.each(versions)('a handshake that is over does not count, in %s', async (version) => {
    const served = await serverOf({ maxHandshakes: 1, maxVersion: version });
    for (let i = 0; i < 3; i++) {
      const next = nextOf(served.server);
      nodeClient(served.port);
      await next;
    }
    expect(served.server.sockets.size).toBe(3);
    expect(drops(served)).toEqual([]);
  });

  test('is 1,000 by default, and Infinity is no limit', async () => {
    const open = ({ port }: Served) => {
      for (let i = 0; i < 1_001; i++) rawClient(port);
    };
    const limited = await serverOf();
    open(limited);
    await expect.poll(() => reasons(limited)).toEqual(['maxHandshakes']);
    const unlimited = await serverOf({ maxHandshakes: Number.POSITIVE_INFINITY, maxConnections: 1_000 });
    open(unlimited);
    await expect.poll(() => reasons(unlimited)).toEqual(['maxConnections']);
  });

  const ends: Record<string, (peer: net.Socket) => unknown> = {
    'is silent for too long': () => {},
    'sends what is not TLS': (peer) => peer.write('GET / HTTP/1.0\r\n\r\n'),
    'ends its side': (peer) => peer.end(),
    'resets the connection': (peer) => peer.resetAndDestroy(),
    'ends in the middle of a record': (peer) => peer.end(Buffer.from('160301020001', 'hex')),
  };

  test.each(Object.entries(ends))('a client that %s gives its place back', async (_, end) => {
    const served = await serverOf({ maxHandshakes: 2, handshakeTimeout: 100 });
    for (const peer of [await holder(served), await holder(served)]) end(peer);
    await expect.poll(() => reasons(served)).toEqual(['handshake', 'handshake']);
    await turns(3);
    await serves(served);
    expect(reasons(served)).toHaveLength(2);
  });

  test.each(versions)('a client whose certificate is refused gives its place back, in %s', async (version) => {
    const served = await serverOf({ maxHandshakes: 1, maxVersion: version, requestCert: true, ca });
    for (let i = 0; i < 3; i++) {
      nodeClient(served.port, { key: untrustedJoe.key, cert: untrustedJoe.cert });
      await expect.poll(() => drops(served)).toHaveLength(i + 1);
      await turns(3);
    }
    expect(reasons(served)).toEqual(['handshake', 'handshake', 'handshake']);
  });
});

describe('maxConnectionsPerAddress', () => {
  test('counts handshakes and open connections, and drops before the handshake', async () => {
    const served = await serverOf({ maxConnectionsPerAddress: 2 });
    await holder(served);
    const next = nextOf(served.server);
    const open = nodeClient(served.port);
    await next;
    expect(await drainRaw(rawClient(served.port))).toMatchObject({ end: 'end' });
    expect(reasons(served)).toEqual(['maxConnectionsPerAddress']);
    const other = nextOf(served.server);
    nodeClient(served.port, { socket: rawClient(served.port, { localAddress: '127.0.0.2' }) });
    await other;
    open.destroy();
    await once(open, 'close');
    await expect.poll(() => serves(served).then(() => 'served')).toBe('served');
  });

  test('does not use up a place of maxHandshakes for what it drops', async () => {
    const served = await serverOf({ maxConnectionsPerAddress: 1, maxHandshakes: 2 });
    await holder(served);
    for (let i = 0; i < 5; i++) await drainRaw(rawClient(served.port));
    const other = nextOf(served.server);
    nodeClient(served.port, { socket: rawClient(served.port, { localAddress: '127.0.0.2' }) });
    await other;
    expect(reasons(served)).toEqual(Array(5).fill('maxConnectionsPerAddress'));
  });

  test('what maxHandshakes drops gives its place back', async () => {
    const served = await serverOf({ maxConnectionsPerAddress: 1, maxHandshakes: 1 });
    await holder(served, { localAddress: '127.0.0.2' });
    for (let i = 0; i < 3; i++) await drainRaw(rawClient(served.port));
    expect(reasons(served)).toEqual(Array(3).fill('maxHandshakes'));
  });

  test('still counts a connection that was upgraded, until it closes', async () => {
    const server = listenTcp({ maxConnectionsPerAddress: 1 });
    onTestFinished(() => server.close({ drain: 0 }));
    server.subscribe();
    const accepted = firstValueFrom(server.pipe(connections()));
    const { port } = (await firstValueFrom(server.pipe(on('listening')))).address;
    const raw = rawClient(port);
    const lines = reader(await accepted);
    raw.write('STARTTLS\r\n');
    await lines.readLine();
    const secure = upgrade(lines, { ...localhost, isServer: true });
    secure.subscribe({ error: () => {} });
    await once(nodeClient(port, { socket: raw }), 'secureConnect');
    const dropped = firstValueFrom(server.pipe(on('drop')));
    await drainRaw(rawClient(port));
    expect(await dropped).toMatchObject({ reason: 'maxConnectionsPerAddress' });
    const next = firstValueFrom(server.pipe(connections()));
    raw.destroy();
    await once(raw, 'close');
    await turns(3);
    rawClient(port);
    await next;
  });
});
