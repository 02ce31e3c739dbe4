// fromDuplex() over Node's TLS streams reports a TLS end as an end, and an abort never as one.
import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';
import { data, fromDuplex, type Socket, through, writeTo } from '@rxsock/core';
import { concat, NEVER, of } from 'rxjs';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { cert, key } from '../../../../tests/support/certificate.js';
import { setNodeInternals } from '../../../../tests/support/node-internals.js';
import { record } from '../../../../tests/support/record.js';

/** A TLS server for one connection. */
async function tlsServer(): Promise<{ port: number; next: () => Promise<tls.TLSSocket> }> {
  const server = tls.createServer({ key, cert, allowHalfOpen: true });
  const raw = new Set<net.Socket>();
  server.on('connection', (stream) => raw.add(stream));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const stream of raw) stream.destroy();
    server.close();
  });
  const next = async () => (await once(server, 'secureConnection'))[0] as tls.TLSSocket;
  return { port: (server.address() as net.AddressInfo).port, next };
}

/** A proxy to a server that can send a FIN to either side without a TLS close_notify. */
async function wireTo(target: number): Promise<{ port: number; cut: (side: 'client' | 'server') => void }> {
  const ends: Record<string, net.Socket> = {};
  const wire = net.createServer({ allowHalfOpen: true }, (client) => {
    const server = net.connect({ port: target, host: '127.0.0.1', allowHalfOpen: true });
    Object.assign(ends, { client, server });
    const ways: [net.Socket, net.Socket][] = [
      [client, server],
      [server, client],
    ];
    for (const [from, to] of ways) {
      from.on('data', (bytes) => to.writable && to.write(bytes));
      from.on('end', () => to.end());
      from.on('error', () => to.resetAndDestroy());
    }
  });
  wire.listen(0, '127.0.0.1');
  await once(wire, 'listening');
  onTestFinished(() => {
    for (const end of Object.values(ends)) end.destroy();
    wire.close();
  });
  return { port: (wire.address() as net.AddressInfo).port, cut: (side) => ends[side]?.end() };
}

/** The two sides of an open TLS connection. The peer is either the accepted side or the dialled one. */
async function secured(
  mine: string,
  maxVersion: tls.SecureVersion,
): Promise<{ socket: Socket; peer: tls.TLSSocket; cut: () => void }> {
  const server = await tlsServer();
  const wire = await wireTo(server.port);
  const verify = { ca: cert, servername: 'localhost', allowHalfOpen: true, maxVersion } as const;
  const address = { port: wire.port, host: '127.0.0.1' };
  const raw = mine === 'upgraded' ? net.connect(address) : undefined;
  if (raw) await once(raw, 'connect');
  const dialled = tls.connect(raw ? { ...verify, socket: raw } : { ...verify, ...address });
  const [accepted] = await Promise.all([server.next(), once(dialled, 'secureConnect')]);
  const [stream, peer] = mine === 'accepted' ? [accepted, dialled] : [dialled, accepted];
  peer.on('error', () => {});
  const socket = fromDuplex(stream);
  onTestFinished(() => {
    socket.error();
    peer.destroy();
  });
  return { socket, peer, cut: () => wire.cut(mine === 'accepted' ? 'server' : 'client') };
}

const cases = (['dialled', 'upgraded', 'accepted'] as const).flatMap((mine) =>
  (['TLSv1.2', 'TLSv1.3'] as const).map((version) => [mine, version] as const),
);

describe.each([{ reads: true }, { reads: false }])('with internals.reads $reads', (ways) => {
  beforeEach(() => setNodeInternals(ways));

  test.each(cases)('emits the end of the peer once: %s, %s', async (mine, version) => {
    const { socket, peer } = await secured(mine, version);
    peer.on('data', () => {}).on('end', () => peer.end('answer'));
    const { log, ended } = record(of('question').pipe(through(socket)));
    expect(await ended).toEqual({});
    expect(log).toEqual(['answer', 'complete']);
  });

  test.each(cases)('never lets a peer take a cut transfer for a whole one: %s, %s', async (mine, version) => {
    const { socket, peer } = await secured(mine, version);
    const seen = new Promise((resolve) => peer.once('end', () => resolve('end')).once('error', resolve));
    record(socket.pipe(data()));
    const { subscription } = record(concat(of('part'), NEVER).pipe(writeTo(socket)));
    await once(peer, 'data');
    subscription.unsubscribe();
    expect(await seen).toMatchObject({ code: 'ECONNRESET' });
    await expect.poll(() => socket.readyState).toBe('closed');
  });
});

describe.each(cases)('%s, %s', (mine, version) => {
  test('tells a cut from an end, after the data before it', async () => {
    const { socket, peer, cut } = await secured(mine, version);
    const { log, ended } = record(socket.pipe(data()));
    peer.write('a part');
    await expect.poll(() => log).toEqual(['a part']);
    cut();
    expect(await ended).toMatchObject({ error: { code: 'ERR_TLS_TRUNCATED', phase: 'read' } });
    expect(log).toEqual(['a part', 'error:ERR_TLS_TRUNCATED']);
  });

  test('reports a cut that happens while it is held', async () => {
    const { socket, peer, cut } = await secured(mine, version);
    const release = socket.hold();
    const { log, ended } = record(socket.pipe(data()));
    peer.write('a part');
    await expect.poll(() => socket.bytesRead).toBe(6);
    cut();
    await expect.poll(() => socket.readyState).toBe('closing');
    expect(log).toEqual([]);
    release();
    await ended;
    expect(log).toEqual(['a part', 'error:ERR_TLS_TRUNCATED']);
  });
});
