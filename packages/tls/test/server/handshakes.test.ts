// Handshakes that fail: each is one drop, and the server serves the next client.
import { once } from 'node:events';
import net from 'node:net';
import { type DropEvent, data, serve } from '@rxsock/core';
import { connect, listen } from '@rxsock/tls';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { record } from '../../../../tests/support/record.js';
import { turns } from '../../../../tests/support/turns.js';
import { localhost, versions } from '../support/identities.js';
import { dropOf, nextOf, nodeClient, serverOf } from '../support/peers.js';

/** A plain client. Its errors are ignored. */
async function plainClient(port: number): Promise<net.Socket> {
  const peer = net.connect({ port, host: '127.0.0.1' }).on('error', () => {});
  onTestFinished(() => void peer.destroy());
  await once(peer, 'connect');
  return peer;
}

/** The start of a handshake: a whole ClientHello. */
async function clientHello(): Promise<Buffer> {
  const server = net.createServer((peer) => peer.on('error', () => {})).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const peer = nodeClient((server.address() as net.AddressInfo).port);
  const [accepted] = (await once(server, 'connection')) as [net.Socket];
  const [hello] = (await once(accepted, 'data')) as [Buffer];
  peer.destroy();
  accepted.destroy();
  server.close();
  return hello;
}

function closed(peer: net.Socket): Promise<unknown> {
  peer.resume();
  return new Promise((resolve) => peer.once('close', resolve));
}

async function stillServes(server: Parameters<typeof nextOf>[0], port: number): Promise<void> {
  const next = nextOf(server);
  const peer = nodeClient(port);
  await once(peer, 'secureConnect');
  expect((await next).readyState).toBe('open');
}

describe('a silent client', () => {
  test.each([
    ['from the beginning', async () => Buffer.alloc(0)],
    ['after a part of the ClientHello', async () => (await clientHello()).subarray(0, 50)],
    ['after the ClientHello', clientHello],
  ])('ends with handshakeTimeout if it is silent %s', async (_, bytes) => {
    const { server, port, events } = await serverOf({ handshakeTimeout: 200 });
    const dropped = dropOf(server);
    const peer = await plainClient(port);
    peer.write(await bytes());
    const closing = closed(peer);
    const drop = await dropped;
    expect(drop).toMatchObject({
      reason: 'handshake',
      remote: { address: '127.0.0.1', port: peer.localPort },
      error: {
        name: 'SocketTimeoutError',
        code: 'ETIMEDOUT',
        timeout: 'handshakeTimeout',
        milliseconds: 200,
        phase: 'open',
        remote: { port: peer.localPort },
        message: `The TLS handshake with 127.0.0.1:${peer.localPort} did not finish within handshakeTimeout (200 ms)`,
      },
    });
    await closing;
    await stillServes(server, port);
    expect(events.log).toEqual(['listening', 'drop', 'connection']);
  });

  test('may stay without limit with handshakeTimeout 0 or Infinity', async () => {
    for (const handshakeTimeout of [0, Number.POSITIVE_INFINITY]) {
      const timers = vi.spyOn(globalThis, 'setTimeout');
      const { port, events } = await serverOf({ handshakeTimeout });
      await plainClient(port);
      await turns();
      expect(events.log).toEqual(['listening']);
      timers.mockRestore();
    }
  });
});

describe.each([
  ['text', Buffer.from('GET / HTTP/1.0\r\n\r\n')],
  ['zeros', Buffer.alloc(1000)],
  ['a record of an unknown type', Buffer.from('ff0301000100', 'hex')],
  ['a record that is too long', Buffer.from('160301ffff', 'hex')],
])('junk', (title, junk) => {
  test(`${title} is a drop at once`, async () => {
    const { server, port, events } = await serverOf();
    const dropped = dropOf(server);
    const peer = await plainClient(port);
    const closing = closed(peer);
    peer.write(junk);
    expect(await dropped).toMatchObject({
      reason: 'handshake',
      remote: { port: peer.localPort },
      error: { name: 'SocketError', code: 'ERR_TLS_HANDSHAKE', phase: 'open' },
    });
    await closing;
    await stillServes(server, port);
    expect(events.log).toEqual(['listening', 'drop', 'connection']);
  });
});

describe('a peer that leaves', () => {
  const ways = { 'by FIN': (peer: net.Socket) => peer.end(), 'by RST': (peer: net.Socket) => peer.resetAndDestroy() };

  test.each(Object.entries(ways))('with %s before it says anything is a drop at once', async (_, leave) => {
    const { server, port } = await serverOf();
    const dropped = dropOf(server);
    const peer = await plainClient(port);
    const { localPort } = peer;
    await turns(3);
    leave(peer);
    expect(await dropped).toMatchObject({ reason: 'handshake', remote: { port: localPort }, error: { phase: 'open' } });
    await stillServes(server, port);
  });

  test.each(Object.entries(ways))('with %s during the handshake is a drop at once', async (_, leave) => {
    const { server, port } = await serverOf();
    const dropped = dropOf(server);
    const peer = await plainClient(port);
    const { localPort } = peer;
    peer.write(await clientHello());
    await once(peer, 'data');
    leave(peer);
    expect(await dropped).toMatchObject({ reason: 'handshake', remote: { port: localPort }, error: { phase: 'open' } });
    await stillServes(server, port);
  });
});

test('close({ drain: 0 }) cuts connections during their handshake', async () => {
  const { server, port, events } = await serverOf();
  const peers = [await plainClient(port), await plainClient(port)];
  peers[0]?.write(await clientHello());
  await once(peers[0] as net.Socket, 'data');
  const closing = Promise.all(peers.map(closed));
  await server.close({ drain: 0 });
  await closing;
  expect(events.log.at(-1)).toBe('complete');
});

test('close({ drain }) waits for them, and cuts them after drain milliseconds', async () => {
  const { server, port, events } = await serverOf();
  const peer = await plainClient(port);
  await turns(3);
  const closing = closed(peer);
  const began = performance.now();
  await server.close({ drain: 150 });
  expect(performance.now() - began).toBeGreaterThan(140);
  await closing;
  expect(events.log.slice(-2)).toEqual(['close', 'complete']);
});

test.each(versions)('a handshake that ends while the server drains is served, in %s', async (version) => {
  const { server, port, events } = await serverOf({ maxVersion: version });
  const accepted = nextOf(server);
  const peer = nodeClient(port);
  await once(peer, 'connect');
  const closed = server.close({ drain: 5000 });
  const socket = await accepted;
  socket.subscribe({ error: () => {} });
  peer.end();
  peer.resume();
  await closed;
  expect(events.log).toEqual(['listening', 'draining', 'connection', 'close', 'complete']);
});

test('maxConnections includes connections during their handshake', async () => {
  const { server, port } = await serverOf({ maxConnections: 1 });
  await plainClient(port);
  await turns(3);
  const dropped = dropOf(server);
  await plainClient(port);
  expect(await dropped).toMatchObject({ reason: 'maxConnections', error: undefined });
});

test('a connection that nobody subscribes to is closed after claimTimeout', async () => {
  const { server, port } = await serverOf({ claimTimeout: 50 });
  const dropped = dropOf(server);
  const peer = nodeClient(port);
  const closing = closed(peer);
  expect(await dropped).toMatchObject({ reason: 'unclaimed' } satisfies Partial<DropEvent>);
  await closing;
});

test('an address in use ends the server with the same error as for TCP', async () => {
  const { port } = await serverOf();
  expect((await record(listen({ ...localhost, port })).ended).error).toMatchObject({
    code: 'EADDRINUSE',
    phase: 'open',
  });
});

test('rejects invalid limits at the call', () => {
  for (const handshakeTimeout of [-1, Number.NaN, '5' as never]) {
    const says = /^handshakeTimeout must be a number of milliseconds, 0 or more/;
    expect(() => listen({ ...localhost, handshakeTimeout })).toThrow(says);
    expect(() => connect({ port: 1, handshakeTimeout })).toThrow(says);
  }
});

test.each(versions)('an accepted socket loses nothing that came before it was read, in %s', async (version) => {
  const { server, port } = await serverOf({ maxVersion: version });
  const accepted = nextOf(server);
  const peer = nodeClient(port);
  peer.end('sent with the handshake');
  const socket = await accepted;
  await turns();
  const { log, ended } = record(socket.pipe(data()));
  await ended;
  expect(log).toEqual(['sent with the handshake', 'complete']);
});

test.each(versions)('serve() echoes over TLS, whatever the other clients do, in %s', async (version) => {
  const { server, port } = await serverOf({ maxVersion: version });
  record(server.pipe(serve((socket) => socket.pipe(data()))));
  (await plainClient(port)).write('junk, junk, junk');
  const peer = nodeClient(port);
  peer.end('hello');
  expect(String((await once(peer, 'data'))[0])).toBe('hello');
});
