// maxConnectionsPerAddress: whose connections count as those of one client, and when they count no more.
import { EventEmitter, once } from 'node:events';
import type net from 'node:net';
import { connections, type DropEvent, data, type ListenOptions, listen, on, type Socket, serve } from '@rxsock/core';
import { firstValueFrom, type Observable } from 'rxjs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { drainRaw, rawClient } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';
import { ConnectionsPerAddress } from '../../src/server/per-address.js';

/** Starts a server whose clients may have `most` connections each. */
async function started(most: number, options: ListenOptions = {}) {
  const server = listen({ maxConnectionsPerAddress: most, ...options });
  const drops: DropEvent[] = [];
  server.pipe(on('drop')).subscribe((event) => drops.push(event));
  onTestFinished(() => server.close({ drain: 0 }));
  const { address } = await firstValueFrom(server.pipe(on('listening')));
  const accepted = async (client: net.TcpNetConnectOpts | object = {}) => {
    const next = firstValueFrom(server.pipe(connections()));
    const peer = rawClient(address.port, client);
    return { peer, socket: await next };
  };
  return { server, port: address.port, drops, accepted };
}

const stream = () => new EventEmitter() as net.Socket;
const remote = (address = '') => (address === '' ? undefined : ({ address, port: 1, family: 'IPv4' } as const));

test('behind a proxy, counts the clients that the PROXY headers name', async () => {
  const { server, port, drops } = await started(2, { proxyProtocol: { trusted: ['127.0.0.1'] } });
  const open = (client: string) => {
    const peer = rawClient(port);
    peer.write(`PROXY TCP4 ${client} 192.0.2.99 1000 80\r\n`);
    return drainRaw(peer);
  };
  for (const client of ['192.0.2.1', '192.0.2.1', '192.0.2.2']) void open(client);
  await expect.poll(() => server.sockets.size).toBe(3);
  expect(await open('192.0.2.1')).toMatchObject({ end: expect.stringMatching(/end|ECONNRESET/) });
  expect(drops).toMatchObject([{ reason: 'maxConnectionsPerAddress', remote: { address: '192.0.2.1' } }]);
});

test('a connection over the limit is dropped as one over maxConnections is: with its reason, and an end', async () => {
  for (const options of [{ maxConnections: 1 }, { maxConnectionsPerAddress: 1 }] as const) {
    const { port, drops, accepted } = await started(1, { maxConnectionsPerAddress: undefined, ...options });
    await accepted();
    const second = rawClient(port);
    await once(second, 'connect');
    const remote = { address: '127.0.0.1', port: second.localPort, family: 'IPv4' };
    expect(await drainRaw(second)).toEqual({ bytes: Buffer.alloc(0), end: 'end' });
    const [reason] = Object.keys(options);
    await expect.poll(() => drops).toEqual([{ type: 'drop', reason, remote, error: undefined }]);
  }
});

test('each address has connections of its own', async () => {
  const { port, drops, accepted } = await started(2, { host: '::' });
  for (const host of ['127.0.0.1', '::1']) {
    await accepted({ host });
    await accepted({ host });
    await drainRaw(rawClient(port, { host }));
  }
  await accepted({ localAddress: '127.0.0.2' });
  expect(drops).toMatchObject([{ remote: { address: '::ffff:127.0.0.1' } }, { remote: { address: '::1' } }]);
});

test('without the option, one address may have any number', async () => {
  const { server, port, drops } = await started(Number.POSITIVE_INFINITY);
  server.pipe(serve((socket) => socket.pipe(data()))).subscribe();
  const clients = Array.from({ length: 50 }, () => rawClient(port));
  await expect.poll(() => server.sockets.size).toBe(50);
  for (const client of clients) client.destroy();
  await expect.poll(() => server.sockets.size).toBe(0);
  expect(drops).toEqual([]);
});

describe('counts as one client', () => {
  const areOne = (...addresses: (string | undefined)[]) => {
    const counts = new ConnectionsPerAddress(1);
    const [first, second] = addresses.map((address) => counts.admits(stream(), remote(address)));
    expect(first).toBe(true);
    return !second;
  };

  test.each([
    ['192.0.2.1', '192.0.2.1'],
    ['192.0.2.1', '::ffff:192.0.2.1'],
    ['::ffff:c000:201', '192.0.2.1'],
    ['2001:db8:1:2::1', '2001:db8:1:2:ffff:ffff:ffff:ffff'],
    ['2001:db8:1:2::1', '2001:0DB8:0001:0002::2'],
    ['::1', '::1'],
    ['fe80::1%eth0', 'fe80::1%eth0'],
    [undefined, undefined],
  ])('%s and %s', (one, other) => expect(areOne(one, other)).toBe(true));

  test.each([
    ['192.0.2.1', '192.0.2.2'],
    ['::ffff:192.0.2.1', '::ffff:192.0.2.2'],
    ['192.0.2.1', '::192.0.2.1'],
    ['::1', '::ffff:127.0.0.1'],
    ['2001:db8:1:2::1', '2001:db8:1:3::1'],
    ['fe80::1%eth0', 'fe80::2%eth0'],
    ['febf::1', 'febf::2'],
    ['192.0.2.1', undefined],
  ])('not: %s and %s', (one, other) => expect(areOne(one, other)).toBe(false));
});

test('a client without connections takes no memory', () => {
  const counts = new ConnectionsPerAddress(2);
  const addresses = ['192.0.2.1', '::ffff:192.0.2.1', '192.0.2.1', '2001:db8::1'];
  const streams = addresses.map(stream);
  const admitted = streams.map((each, index) => counts.admits(each, remote(addresses[index])));
  expect(admitted).toEqual([true, true, false, true]);
  expect([...counts.open.values()]).toEqual([2, 1]);
  for (const each of streams) each.emit('close');
  expect(counts.open.size).toBe(0);
});

describe('a place is free again when its connection', () => {
  type Ends = Record<string, (peer: net.Socket, socket: Socket) => void>;
  const bytesOf = (socket: Socket): Observable<Buffer> => socket.pipe(data());
  const ends: Ends = {
    'ends on both sides': (peer, socket) => {
      bytesOf(socket).subscribe({ error: () => {} });
      peer.end();
      peer.resume();
    },
    'is reset by the client': (peer, socket) => {
      bytesOf(socket).subscribe({ error: () => {} });
      peer.resetAndDestroy();
    },
    'is reset by the client before anybody reads': (peer) => void peer.resetAndDestroy(),
    'is aborted': (_, socket) => socket.error(new Error('enough')),
    'is left': (peer, socket) => {
      bytesOf(socket)
        .subscribe({ error: () => {} })
        .unsubscribe();
      peer.end();
      peer.resume();
    },
    'is claimed by nobody': () => {},
  };

  test.each(Object.entries(ends))('%s', async (_, end) => {
    const { server, drops, accepted } = await started(3, { claimTimeout: 50 });
    const made = [await accepted(), await accepted(), await accepted()];
    for (const { peer, socket } of made) end(peer, socket);
    await expect.poll(() => server.sockets.size).toBe(0);
    for (let i = 0; i < 3; i++) await accepted();
    expect(drops.filter(({ reason }) => reason === 'maxConnectionsPerAddress')).toEqual([]);
  });

  test('was dropped: neither limit counts it', async () => {
    const { server, port, drops, accepted } = await started(2, { maxConnections: 3 });
    const { socket } = await accepted();
    await accepted();
    for (let i = 0; i < 5; i++) await drainRaw(rawClient(port));
    await accepted({ localAddress: '127.0.0.2' });
    for (let i = 0; i < 5; i++) await drainRaw(rawClient(port, { localAddress: '127.0.0.3' }));
    expect(drops.map(({ reason }) => reason)).toEqual([
      ...Array(5).fill('maxConnectionsPerAddress'),
      ...Array(5).fill('maxConnections'),
    ]);
    socket.error();
    await expect.poll(() => server.sockets.size).toBe(2);
    await accepted();
  });
});

test('the server still closes after it has dropped connections', async () => {
  const { server, port, accepted } = await started(1);
  await accepted();
  await drainRaw(rawClient(port));
  const { log } = record(server);
  await server.close({ drain: 0 });
  expect(log.at(-1)).toBe('complete');
});
