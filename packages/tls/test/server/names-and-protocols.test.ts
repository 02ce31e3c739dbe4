// SNI: which certificate a client gets. ALPN: which protocol is spoken, and which clients are rejected.
import { once } from 'node:events';
import { on } from '@rxsock/core';
import { listen } from '@rxsock/tls';
import { firstValueFrom } from 'rxjs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { record } from '../../../../tests/support/record.js';
import { localhost, other, versions, wildcard } from '../support/identities.js';
import { dial, dropOf, nextOf, nodeClient, nodeServer, secured, serverOf } from '../support/peers.js';

/** The name in the certificate that a client with this server name gets, without verification. */
async function shown(port: number, servername?: string): Promise<string | undefined> {
  const peer = nodeClient(port, { servername: servername ?? '', rejectUnauthorized: false });
  await once(peer, 'secureConnect');
  return peer.getPeerX509Certificate()?.subject;
}

/** The next warning of the process. */
function nextWarning(): Promise<Error & { code?: string }> {
  return new Promise((resolve) => {
    process.on('warning', resolve);
    onTestFinished(() => void process.off('warning', resolve));
  });
}

describe.each(versions)('%s', (version) => {
  test.each([
    ['other.test', 'CN=other.test'],
    ['OTHER.Test', 'CN=other.test'],
    ['other.test.', 'CN=other.test'],
    ['dotted.test', 'CN=other.test'],
    ['dotted.test.', 'CN=other.test'],
    ['a.wild.test', 'CN=*.wild.test'],
    ['wild.test', 'CN=localhost'],
    ['a.b.wild.test', 'CN=localhost'],
    ['unknown.test', 'CN=localhost'],
    [undefined, 'CN=localhost'],
  ])('shows a client that asks for %s the certificate of %s', async (asked, subject) => {
    const sni = { 'other.test': other, '*.WILD.test': wildcard, 'dotted.test.': other };
    const { port } = await serverOf({ maxVersion: version, sni });
    expect(await shown(port, asked)).toBe(subject);
  });

  test('an exact name has priority over a wildcard', async () => {
    const { port } = await serverOf({ maxVersion: version, sni: { '*.wild.test': wildcard, 'a.wild.test': other } });
    expect(await shown(port, 'a.wild.test')).toBe('CN=other.test');
    expect(await shown(port, 'b.wild.test')).toBe('CN=*.wild.test');
  });

  test('verifies with SNI as usual', async () => {
    const { port } = await serverOf({ maxVersion: version, sni: { '*.wild.test': wildcard } });
    const peer = nodeClient(port, { servername: 'x.wild.test' });
    await once(peer, 'secureConnect');
    expect(peer.authorized).toBe(true);
  });

  test.each([
    ['a list, by its own order', ['h2', 'echo'], ['echo', 'h2'], 'h2'],
    ['a function', ({ protocols }: { protocols: readonly string[] }) => protocols.at(-1), ['a', 'b'], 'b'],
    [
      'a function that is told the name',
      ({ servername }: { servername: string }) => servername,
      ['x', 'localhost'],
      'localhost',
    ],
  ])('chooses a protocol by %s', async (_, alpn, ALPNProtocols, chosen) => {
    const { server, port } = await serverOf({ maxVersion: version, alpn });
    const peer = nodeClient(port, { ALPNProtocols });
    const [socket] = await Promise.all([nextOf(server), once(peer, 'secureConnect')]);
    expect(peer.alpnProtocol).toBe(chosen);
    expect(await firstValueFrom(socket.pipe(on('secureConnect')))).toMatchObject({ alpn: chosen });
  });

  test.each([
    ['a list with none in common', ['h2']],
    ['a function that chooses none', () => undefined],
    ['a function that chooses what was not offered', () => 'h2'],
    ['a function that returns no name at all', () => 7 as never],
  ])('rejects by %s: a drop, and an alert to the client', async (_, alpn) => {
    const { server, port, events } = await serverOf({ maxVersion: version, alpn });
    const dropped = dropOf(server);
    const refused = record(dial({ port, alpn: ['echo'] }));
    expect((await refused.ended).error).toMatchObject({
      name: 'AlertError',
      alert: 'no_application_protocol',
      phase: 'open',
    });
    expect(await dropped).toMatchObject({ reason: 'handshake', error: { code: 'ERR_TLS_HANDSHAKE', phase: 'open' } });
    expect(events.log).toEqual(['listening', 'drop']);
  });

  test('an ALPN function that throws rejects the client, and emits a process warning', async () => {
    const warned = nextWarning();
    const alpn = () => {
      throw new Error('no idea');
    };
    const { server, port } = await serverOf({ maxVersion: version, alpn });
    const dropped = dropOf(server);
    nodeClient(port, { ALPNProtocols: ['echo'] });
    expect(await dropped).toMatchObject({ reason: 'handshake', error: { code: 'ERR_TLS_HANDSHAKE' } });
    const { code, message } = await warned;
    expect(code).toBe('ERR_TLS_ALPN_CALLBACK');
    expect(message).toMatch(/^The alpn function failed: Error: no idea\n/);
  });

  test('a client that offers no protocol is served without one', async () => {
    for (const alpn of [['h2'], () => 'h2']) {
      const { server, port } = await serverOf({ maxVersion: version, alpn });
      nodeClient(port);
      const socket = await nextOf(server);
      expect(await firstValueFrom(socket.pipe(on('secureConnect')))).toMatchObject({ alpn: undefined });
    }
  });

  test('a client learns which protocol its server has chosen, or that it knows none of them', async () => {
    for (const [ALPNProtocols, alpn] of [
      [['b', 'a'], 'b'],
      [undefined, undefined],
    ] as const) {
      const server = await nodeServer({
        maxVersion: version,
        ...(ALPNProtocols && { ALPNProtocols: [...ALPNProtocols] }),
      });
      const socket = dial({ port: server.port, alpn: ['a', 'b'] });
      expect(await firstValueFrom(socket.pipe(on('secureConnect')))).toMatchObject({ alpn });
    }
  });
});

test.each([
  '*.',
  '.',
  'a b',
  'x.*.example',
  '*.*.example',
  'a*.example',
  'a..example',
  '.example',
  '::1',
  'a:1',
  '*.example..',
])('refuses the name %s, which no client can match, at the call', (name) => {
  const call = () => listen({ ...localhost, sni: { [name]: other } });
  expect(call).toThrow(TypeError);
  expect(call).toThrow(/^A name of sni must be .*no client can match it/);
});

test('both sides write a key log of the same connection', async () => {
  const logs: Record<'ours' | 'theirs', string[]> = { ours: [], theirs: [] };
  const { server, port } = await serverOf({ ...localhost, keyLog: (line) => logs.theirs.push(`${line}`) });
  const accepted = nextOf(server);
  const socket = dial({ port, keyLog: (line) => logs.ours.push(`${line}`), keepOpen: true });
  await firstValueFrom(socket.pipe(on('secureConnect')));
  await accepted;
  expect(logs.ours.map((line) => line.split(' ')[0]).sort()).toEqual([
    'CLIENT_HANDSHAKE_TRAFFIC_SECRET',
    'CLIENT_TRAFFIC_SECRET_0',
    'EXPORTER_SECRET',
    'SERVER_HANDSHAKE_TRAFFIC_SECRET',
    'SERVER_TRAFFIC_SECRET_0',
  ]);
  expect([...logs.theirs].sort()).toEqual([...logs.ours].sort());
  expect(logs.ours[0]).toMatch(/\n$/);
});

test.each(['client', 'server'])(
  'a key log of the %s that fails is a process warning, and TLS goes on',
  async (side) => {
    const keyLog = () => {
      throw new Error('the disk is full');
    };
    const warned = nextWarning();
    const { server, port } = await serverOf(side === 'server' ? { keyLog } : {});
    const accepted = nextOf(server);
    const socket = dial({ port, keepOpen: true, ...(side === 'client' && { keyLog }) });
    await secured(socket);
    await secured(await accepted);
    const { code, message } = await warned;
    expect(code).toBe('ERR_TLS_KEY_LOG');
    expect(message).toMatch(/^The keyLog function failed: Error: the disk is full\n/);
  },
);
